"""``deptbus archive show``: the events in an archive, decoded with the schemas that it holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli.archive.saying import Folder
from deptbus.cli.options import Departments, From, Instances, Regions, Since, To, Types, Until, Where

if TYPE_CHECKING:
    from deptbus.operations.archive.reading import Archive
    from deptbus.operations.lines import Line, Reader
    from deptbus.operations.points import Point

LIMIT = 10
_KEYED_BY_ACTOR = frozenset({"bus.audit"})
"""Their keys name officers."""


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus archive``."""
    app.command(epilog="Example: deptbus archive show backup/2020-02-01 --type health.CasesConfirmed --limit 3")(show)


def show(
    folder: Folder,
    topics: Annotated[list[str] | None, typer.Option("--topic", help="Only this topic; repeat it.")] = None,
    start: From = "beginning",
    end: To = "end",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = LIMIT,
    types: Types = None,
    departments: Departments = None,
    instances: Instances = None,
    regions: Regions = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show events of an archive, partition by partition. Asks neither broker nor registry.

    What the schemas mark as personal is shown as ***; who must see it restores it into a namespace of its own.
    """
    from itertools import islice

    from deptbus.cli.tail import show_all
    from deptbus.operations.archive.reading import Archive
    from deptbus.operations.filters import read_filter
    from deptbus.operations.pace import Pace
    from deptbus.operations.points import read_point
    from deptbus.settings import Settings

    meant = read_filter(
        types=types or (), departments=departments or (), instances=instances or (), regions=regions or (),
        since=since, until=until, where=where or (),
    )  # fmt: skip
    first, last = read_point(start, "--from"), read_point(end, "--to")
    archive = Archive(folder)
    readers = {keyed: archive.reader(meant, keyed_by_actor=keyed) for keyed in (False, True)}
    readers[False].check(schema.type for schema in archive.schemas)
    found = (
        line
        for topic in topics or archive.manifest.topics
        for line in _lines(archive, topic, first, last, readers[topic in _KEYED_BY_ACTOR])
    )
    show_all(islice(found, limit), Pace(0), as_json, Settings.load().lang)


def _lines(archive: "Archive", topic: str, start: "Point", end: "Point", reader: "Reader") -> "Iterator[Line]":
    from deptbus.clock import system_clock
    from deptbus.operations.stretch import resolve

    for number, between in resolve(archive, topic, start, end, system_clock()).ranges.items():
        for entries in archive.entries(topic, number, between):
            yield from filter(None, (reader.line(entry.record(topic, number)) for entry in entries))
