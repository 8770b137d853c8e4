"""``deptbus notify``: tell people and systems of requests and escalations, and help those who are told."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deptbus.cli import output
from deptbus.errors import SettingsError

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.notify.config import Channel
    from deptbus.notify.worker import Worker
    from deptbus.settings import Settings

app = typer.Typer(
    help="Notifications through files and signed webhooks, by services/<department>/notifications.yaml.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Name = Annotated[str, typer.Argument(metavar="CHANNEL", help="<department>/<name>, as `deptbus notify check` lists.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command(epilog="Example: deptbus notify run --department command")
def run(
    department: Annotated[
        list[str] | None, typer.Option("--department", help="Only of this department; may be repeated.")
    ] = None,
    start: Annotated[
        Literal["now", "beginning"], typer.Option("--from", help="Where a channel begins that never ran.")
    ] = "now",
    once: Annotated[bool, typer.Option("--once", help="End when everything up to the present is delivered.")] = False,
) -> None:
    """Deliver notifications in the foreground until SIGTERM, each channel on its own.

    In an exercise only channels speak that name its namespace under `in_exercises`.
    """
    from deptbus.notify.channels import choose, is_silent
    from deptbus.notify.service import Service

    settings, catalogue, channels = _load()
    chosen = [one for one in choose(channels, department or ()) if not is_silent(one, settings.namespace)]
    if not chosen:
        where = f"the namespace {settings.namespace}" if settings.namespace else "any department"
        output.note(f"Nothing to notify: no channel is meant for {where}.")
        return
    service = Service(settings, catalogue)
    try:
        name = "-".join(["notify", *(department or ())])
        _serve([service.worker(one, start, once=once) for one in chosen], settings, name)
    finally:
        service.close()


@app.command(epilog="Example: deptbus notify again command/duty")
def again(channel: Name) -> None:
    """Deliver what the channel had to give up, from the dead letters; each of these once, under the same ids."""
    from deptbus.notify.channels import find, is_silent
    from deptbus.notify.service import Service

    settings, catalogue, channels = _load()
    chosen = find(channels, channel)
    if is_silent(chosen, settings.namespace):
        raise SettingsError(f"{chosen.place}: {chosen.id} does not name {settings.namespace} under in_exercises.")
    service = Service(settings, catalogue)
    try:
        _serve([service.worker_again(chosen)], settings, f"notify-again-{chosen.department}-{chosen.part.name}")
    finally:
        service.close()


@app.command(epilog="Example: deptbus notify check")
def check(as_json: AsJson = False) -> None:
    """Check the channels of every department, without a broker, and list them."""
    from deptbus.notify.channels import is_silent
    from deptbus.notify.service import folder

    settings, _, channels = _load()
    rows = [
        {
            "channel": one.id,
            "kind": one.part.kind,
            "target": one.target(folder(settings)),
            "what": list(one.part.what),
            "concerns": list(one.part.concerns),
            "in_exercises": list(one.part.in_exercises),
            "silent_here": is_silent(one, settings.namespace),
            "declared": one.place,
        }
        for one in channels
    ]
    if as_json:
        output.json(rows)
        return
    columns = ("channel", "target", "what", "concerns", "in_exercises", "declared")
    cells = [["\n".join(v) if isinstance(v := row[name], list) else v for name in columns] for row in rows]
    output.table("", columns, cells)


@app.command("test", epilog="Example: deptbus notify test command/log")
def send_test(channel: Name, as_json: AsJson = False) -> None:
    """Send one message that says that it is a test; ends with 2 if it is not delivered."""
    from deptbus.clock import system_clock
    from deptbus.errors import ActRefused
    from deptbus.ids import random_id
    from deptbus.notify.channels import find
    from deptbus.notify.message import Notification, trial_notification
    from deptbus.notify.schedule import Verdict
    from deptbus.notify.service import folder, make_sink

    settings, _, channels = _load()
    chosen = find(channels, channel)
    message = trial_notification(chosen, random_id(), system_clock(), settings.namespace)

    async def send(message: Notification) -> Verdict:
        sink = make_sink(chosen, settings)
        try:
            return await sink.deliver(message)
        finally:
            await sink.close()

    verdict = asyncio.run(send(message))
    target = chosen.target(folder(settings))
    if as_json:
        output.json({"channel": chosen.id, "id": message.id, "verdict": verdict.kind, "reason": verdict.reason})
    elif verdict.kind == "delivered":
        output.out.print(f"{chosen.id}: delivered to {target} as {message.id}.", markup=False, soft_wrap=True)
    if verdict.kind != "delivered":
        raise ActRefused(f"{chosen.place}: {chosen.id} is not delivered to {target}: {verdict.reason}.")


@app.command(epilog="Example: deptbus notify verify command/duty < message.http")
def verify(
    channel: Name,
    tolerance_s: Annotated[float, typer.Option(help="How old a message may be, in seconds.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Say whether a message that a receiver got is genuine; exit code 1 if it is not.

    Standard input holds its headers, a line each, then an empty line and the body, byte for byte.
    """
    from deptbus.clock import system_clock
    from deptbus.notify.channels import find
    from deptbus.notify.secrets import read_secrets
    from deptbus.notify.signing import verify as verify_message

    settings, _, channels = _load()
    chosen = find(channels, channel)
    if chosen.part.kind != "webhook":
        raise SettingsError(f"{chosen.place}: {chosen.id} writes a file; only webhooks are signed.")
    headers, body = _message(sys.stdin.buffer.read())
    wrong = verify_message(read_secrets(chosen, settings), headers, body, system_clock() / 1000, tolerance_s)
    if as_json:
        output.json({"channel": chosen.id, "genuine": wrong is None, "reason": wrong})
    else:
        said = "genuine." if wrong is None else f"not genuine: {wrong}."
        output.out.print(f"The message is {said}", markup=False, soft_wrap=True)
    if wrong is not None:
        raise typer.Exit(1)


def _load() -> "tuple[Settings, Catalogue, list[Channel]]":
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.notify.channels import load_channels
    from deptbus.settings import Settings

    settings = Settings.load()
    now = system_clock()
    catalogue = load_catalogue(settings.root, now)
    return settings, catalogue, load_channels(settings.root, catalogue, now)


def _serve(workers: "list[Worker]", settings: "Settings", name: str) -> None:
    from deptbus import bootstrap
    from deptbus.failpoint import arm
    from deptbus.health import health_path
    from deptbus.notify.service import serve, unready
    from deptbus.observe.process import observing

    bootstrap.configure_logs(settings)
    arm(settings.failpoint)
    for worker in workers:
        output.note(f"{worker.channel.id}: {', '.join(worker.channel.part.what)}")
    with observing(settings, name, lambda: unready(workers)) as observed:
        counts = asyncio.run(serve(workers, health_path(settings, name), observed=observed))
    output.note(
        f"Delivered {counts['delivered']}, given up {counts['dead_letters']}, tried again {counts['retried']} times."
    )


def _message(content: bytes) -> tuple[dict[str, str], bytes]:
    """Headers, by their names in small letters, and body; lines end in LF or CRLF."""
    for end in (b"\r\n", b"\n"):
        head, found, body = content.partition(end * 2)
        if found:
            pairs = (line.decode("latin-1").partition(":") for line in head.split(end))
            return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}, body
    raise SettingsError("Standard input is no message: headers, a line each, then an empty line and the body.")
