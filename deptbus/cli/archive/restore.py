"""``deptbus archive restore``: an archive back into a cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.archive.saying import Folder, Rate, bar, word
from deptbus.cli.options import From, Json, To

if TYPE_CHECKING:
    from deptbus.operations.archive.restore import Restore, Restored
    from deptbus.registry import Registry

DIFFERENT = 3
"""The exit code where what was read back is not what is in the archive."""


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus archive``."""
    app.command(epilog="Example: deptbus archive restore backup/2020-02-01 --namespace rehearsal --groups")(restore)


def restore(
    folder: Folder,
    namespace: Annotated[
        str | None, typer.Option(help="Into this namespace; by default the one of BUS_NAMESPACE.")
    ] = None,
    topics: Annotated[list[str] | None, typer.Option("--topic", help="Only this topic; repeat it.")] = None,
    start: From = "beginning",
    end: To = "end",
    groups: Annotated[bool, typer.Option("--groups", help="Also where consumer groups stood.")] = False,
    new_offsets: Annotated[
        bool, typer.Option("--new-offsets", help="Number records anew from 0; not for workflow.journal.")
    ] = False,
    rate: Rate = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Restore topics with their partitions, records at their offsets, schemas; then read everything back and compare.

    Only into topics that are empty or not there. If it is interrupted, the same command goes on with it. Ends with 3
    where what was read back differs.
    """
    from deptbus import bootstrap
    from deptbus.clock import system_clock
    from deptbus.kafka.admin import Admin
    from deptbus.kafka.configuration import client_configuration
    from deptbus.kafka.groups import Groups
    from deptbus.operations.archive.reading import Archive
    from deptbus.operations.archive.restore import Restore
    from deptbus.operations.archive.restoring import jobs
    from deptbus.operations.pace import Pace
    from deptbus.operations.points import read_point
    from deptbus.settings import Settings

    settings = Settings.load() if namespace is None else Settings.load(namespace=namespace)
    archive = Archive(folder)
    work = jobs(
        archive, topics or (), read_point(start, "--from"), read_point(end, "--to"),
        exact=not new_offsets, now_ms=system_clock(),
    )  # fmt: skip
    positions = Groups(client_configuration(settings), settings.world)
    doing = Restore(archive, work, settings, Admin(client_configuration(settings)))
    with bootstrap.open_registry(settings) as registry:
        if dry_run:
            doing.check(positions)
            _plan(doing, registry, as_json=as_json, lang=settings.lang)
            return
        records = sum(part.records for _, _, part in archive.manifest.parts())
        with bar(word("restoring", settings.lang), 2 * records) as advance:
            done = doing.run(
                registry,
                positions,
                groups=groups,
                wait=Pace(rate).wait,
                progress=lambda what, count: advance(count),
                now_ms=system_clock(),
            )
    _show(done, as_json=as_json, lang=settings.lang)
    if done.differences:
        raise typer.Exit(DIFFERENT)


def _plan(doing: "Restore", registry: "Registry", *, as_json: bool, lang: str) -> None:
    planned = doing.plan(registry)
    if as_json:
        output.json(planned)
        return
    columns = [word(name, lang) for name in ("partition", "records", "offsets", "gaps", "filled", "target")]
    rows = [
        (
            f"{each['topic']}[{each['partition']}]", each["records"], f"{each['start']}-{each['end']}", each["gaps"],
            each["to_use_up"], each["ends_at"],
        )
        for each in planned["partitions"]
    ]  # fmt: skip
    output.table(word("plan", lang), columns, rows)
    output.note(word("dry", lang))


def _show(done: "Restored", *, as_json: bool, lang: str) -> None:
    if as_json:
        output.json(
            {
                "restore": done.id,
                "equal": not done.differences,
                "resumed": done.resumed,
                "records": done.records,
                "partitions": [
                    {
                        "topic": each.job.topic,
                        "partition": each.job.number,
                        "records": each.evidence.records,
                        "content": each.evidence.content.hex(),
                    }
                    for each in done.partitions
                ],
                "differences": done.differences,
                "schemas_under_other_ids": done.schemas,
                "kept_for_ever": list(done.kept_for_ever),
                "groups": {
                    group: [
                        {"topic": topic, "partition": p, "offset": offset} for (topic, p), offset in offsets.items()
                    ]
                    for group, offsets in done.groups.items()
                },
            }
        )
        return
    if done.resumed:
        output.note(word("gone on", lang))
    if done.schemas:
        output.note(word("ids", lang).format(count=done.schemas))
    for difference in done.differences:
        output.error(difference)
    if done.differences:
        output.note(word("differ", lang).format(count=len(done.differences)))
        return
    for group, offsets in done.groups.items():
        output.note(word("committed", lang).format(group=group, count=len(offsets)))
    if done.kept_for_ever:
        output.note(word("kept", lang).format(topics=", ".join(done.kept_for_ever)))
    output.out.print(word("restored", lang).format(records=done.records), markup=False, soft_wrap=True)
