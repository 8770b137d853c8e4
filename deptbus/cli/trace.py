"""``deptbus trace``: what an event follows from and what followed from it, across topics and departments."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.cli.options import Json
from deptbus.cli.progress import bar
from deptbus.errors import SettingsError

LIMIT = 1_000
LIMIT_MAX = 100_000
_REACH_S = 5.0


def trace(
    event_id: Annotated[
        str | None, typer.Argument(metavar="[EVENT_ID]", help="An event's id, or enough of its first digits.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="All events of an instance: <workflow>/<key>/<n>; without <n>, of the latest.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All effects of the first cause, and every record of the timeline.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Events in the tree at most.")] = LIMIT,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as Mermaid; - alone on standard output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the chain of causes and effects of an event, or of all of an instance, as a tree.

    Each event with its department, legal basis, place, time, the latency of its hop, who handled it and where it
    failed, and with the event that opened its instance. The first trace reads the headers of all topics into an index
    under BUS_RUN_DIR; later ones read what is new.
    """
    from deptbus import garbage
    from deptbus.catalogue import load_catalogue
    from deptbus.cli.trace_view import show
    from deptbus.clock import system_clock
    from deptbus.kafka.reach import check_reachable
    from deptbus.operations.lineage.mermaid import mermaid
    from deptbus.operations.lineage.tracing import Tracing
    from deptbus.settings import Settings

    if (event_id is None) == (instance is None):
        raise SettingsError("Name either an event (deptbus trace EVENT_ID) or an instance (--instance NAME).")
    if graph is not None and str(graph) == "-" and as_json:
        raise SettingsError("--graph - and --json both want standard output; write the graph to a file.")
    settings = Settings.load()
    catalogue = load_catalogue(settings.root, system_clock())
    check_reachable(settings, _REACH_S)
    garbage.look_seldom()
    tracing = Tracing(settings, catalogue)
    with bar("正在读取" if settings.lang == "zh" else "reading", 0) as progress:
        tracing.bring_up_to_date(progress.to)
    if event_id is not None:
        chain, teller = tracing.of_event(event_id, limit, whole=everything)
    else:
        chain, teller = tracing.of_instance(instance or "", limit)
    if graph is not None:
        _write(graph, mermaid(chain, teller))
        if str(graph) == "-":
            return
    if as_json:
        output.json(teller.to_json(chain))
    else:
        show(chain, teller, settings, everything=everything)


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--graph {path} cannot be written: {error.strerror}; name another file.") from None
