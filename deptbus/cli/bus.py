"""``deptbus publish`` and ``deptbus tail``: one event by hand, and the events of a topic as they come."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output
from deptbus.errors import SettingsError

if TYPE_CHECKING:
    from deptbus.tailing import Line

LAST = -20
COUNT_MAX = 1_000
_DATA_CHARS_MAX = 300


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command(epilog="Example: deptbus publish health.CaseReported --data case.json --subject 440100")(publish)
    app.command(epilog="Example: deptbus tail health.cases --from -5")(tail)


def publish(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="The event type: health.CasesConfirmed.")],
    data: Annotated[str, typer.Option(help="A file with the data as JSON, or - for standard input.")],
    subject: Annotated[str, typer.Option(help="What the event is about; on most topics also the key.")],
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code.")] = None,
    basis: Annotated[str | None, typer.Option(help="The legal basis.")] = None,
    actor: Annotated[str | None, typer.Option(help="The officer who acts.")] = None,
    as_: Annotated[str | None, typer.Option("--as", help="The department; by default the type's owner.")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="A UUID, to publish the same event again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Publish one event and say where it is. Ends with 2 unless the broker has acknowledged it."""
    from deptbus import bootstrap
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import iso, system_clock
    from deptbus.jsondata import from_json
    from deptbus.settings import Settings

    settings = Settings.load()
    content = read_content(data)
    catalogue = load_catalogue(settings.root, system_clock())
    owner = as_ or catalogue.topic_of(event_type).owner
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry, {event_type})
    bus = bootstrap.connect(settings, owner, catalogue=catalogue, codec=codec)
    try:
        outcome = bus.publish(
            event_type,
            from_json(catalogue.schemas.newest(event_type).schema, content),
            subject=subject,
            region=region,
            legal_basis=basis,
            actor=actor,
            id=event_id,
        ).require()
    finally:
        bus.close()
    if as_json:
        output.json({
            "id": outcome.event_id, "topic": outcome.topic, "partition": outcome.partition,
            "offset": outcome.offset, "timestamp": iso(outcome.timestamp_ms),
        })  # fmt: skip
    else:
        where = f"{outcome.topic}[{outcome.partition}]@{outcome.offset}"
        output.out.print(f"{event_type} {outcome.event_id} is on {where}.", markup=False, soft_wrap=True)


def tail(
    topic: Annotated[str, typer.Argument(help="A topic's name, without the namespace's prefix.")],
    start: Annotated[str, typer.Option("--from", help="beginning, end, or -N for the last N.", metavar="WHERE")] = str(
        LAST
    ),
    count: Annotated[int, typer.Option("-n", min=0, help="Stop after so many; 0 for never.")] = COUNT_MAX,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only events of this subject.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the last events of a topic, then those that come, until Ctrl-C or -n are shown."""
    from deptbus import bootstrap, tailing
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.kafka.configuration import reader_configuration
    from deptbus.settings import Settings

    where = _start(start)
    settings = Settings.load()
    catalogue = load_catalogue(settings.root, system_clock())
    physical = settings.world.physical(catalogue.topic(topic).name)
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry, catalogue.topic(topic).event_types)
        reader = tailing.Reader(codec, catalogue.schemas, bootstrap.learner(codec, registry))
        shown = 0
        try:
            for record in tailing.follow(reader_configuration(settings), physical, where, not follow):
                line = reader.line(record)
                envelope = line.envelope
                if event_type is not None and (envelope is None or envelope.type != event_type):
                    continue
                if subject is not None and (envelope is None or envelope.subject != subject):
                    continue
                _show(line, as_json)
                shown += 1
                if shown == count:
                    if count == COUNT_MAX:
                        output.note(f"{COUNT_MAX} are shown; -n 0 goes on without end.")
                    return
        except KeyboardInterrupt:
            return


def _start(text: str) -> int | str:
    if text in {"beginning", "end"}:
        return text
    if text.startswith("-") and text[1:].isdigit() and 0 < int(text[1:]) <= 100_000:
        return int(text)
    raise SettingsError(f"--from is beginning, end, or -N with N up to 100000, not {text}.")


def read_content(data: str) -> Any:
    """The JSON object in a file, or on standard input for ``-``; ``SettingsError``."""
    import orjson

    try:
        text = sys.stdin.buffer.read() if data == "-" else Path(data).read_bytes()
    except OSError as error:
        raise SettingsError(f"--data {data} cannot be read: {error.strerror}.") from None
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"--data {data} is no JSON: {error}.") from None
    if not isinstance(content, dict):
        raise SettingsError(f"--data {data} is no JSON object.")
    return content


def _show(line: "Line", as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(line.as_json() + b"\n")
        sys.stdout.buffer.flush()
        return
    from rich.text import Text

    time, kind, key, subject, data = line.as_text()
    if output.out.is_terminal and len(data) > _DATA_CHARS_MAX:
        data = data[:_DATA_CHARS_MAX] + "…"
    keys = key if key == subject else f"{key} {subject}"
    text = Text.assemble((time, "dim"), " ", (kind, "bold cyan"), " ", (keys, "yellow"), " ", data)
    output.out.print(text, soft_wrap=True)
