"""``deptbus up | down | status | logs``: the broker and the registry."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.errors import StackError
from deptbus.settings import Settings
from deptbus.stack.choice import open_stack
from deptbus.stack.part import PARTS, PartStatus, Report


def up() -> None:
    """Start broker and registry, and wait until both answer. Safe to repeat."""
    settings = Settings.load()
    stack = open_stack(settings)
    seconds = _with_spinner("starting the stack", stack.up)
    output.note(
        f"Kafka answers at {settings.bootstrap_servers}, the registry at {settings.schema_registry_url} "
        f"({stack.kind}, {seconds:.1f} s)."
    )


def down() -> None:
    """Stop broker and registry; their data stay."""
    stack = open_stack(Settings.load())
    seconds = _with_spinner("stopping the stack", stack.down)
    output.note(f"Broker and registry are stopped ({stack.kind}, {seconds:.1f} s).")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say of each part whether it runs and answers. Ends with 1 where one does not answer."""
    stack = open_stack(Settings.load())
    parts = stack.status()
    if as_json:
        output.json({"stack": stack.kind, "parts": [asdict(part) for part in parts]})
    else:
        rows = [
            (part.part, _state(part), part.pid, part.address, _megabytes(part.data_bytes), part.remark)
            for part in parts
        ]
        output.table(f"Stack: {stack.kind}", ("part", "state", "pid", "address", "data", "remark"), rows)
    if not all(part.healthy for part in parts):
        raise typer.Exit(1)


def logs(
    part: Annotated[str | None, typer.Argument(help="kafka or registry; both if left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of each.")] = 50,
) -> None:
    """Show what broker and registry said last."""
    if part is not None and part not in PARTS:
        raise StackError(f"There is no part {part!r}: name one of {', '.join(PARTS)}.")
    wanted = (part,) if part else PARTS
    try:
        for name, line in open_stack(Settings.load()).logs(wanted, lines, follow):
            prefix = "" if part else f"{name:<8} | "
            output.out.print(prefix + line, markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _with_spinner(title: str, work: Callable[[Report], None]) -> float:
    """Run ``work`` with a spinner on standard error; the seconds it took."""
    started = time.monotonic()
    with output.err.status(title) as spinner:
        work(lambda text: spinner.update(f"{title}: {text}"))
    return time.monotonic() - started


def _state(part: PartStatus) -> str:
    if part.healthy:
        return "running"
    return "running, does not answer" if part.running else "stopped"


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"
