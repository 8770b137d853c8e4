"""``deptbus archive restore``: an archive back into a cluster."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.archive.saying import Folder, Rate, Why, word
from deptbus.cli.options import From, Json, Operator, To
from deptbus.cli.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deptbus.kafka.admin import Admin
    from deptbus.operations.acts import Outcome
    from deptbus.operations.archive.reading import Archive
    from deptbus.operations.archive.restore import Restore, Restored
    from deptbus.operations.archive.restoring import Job
    from deptbus.registry import Registry
    from deptbus.settings import Settings

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
    reason: Why = None,
    operator: Operator = None,
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
    admin = Admin(client_configuration(settings))
    doing = Restore(archive, work, settings, admin)
    with bootstrap.open_registry(settings) as registry:
        if dry_run:
            doing.check(positions)
            _plan(doing, registry, as_json=as_json, lang=settings.lang)
            return
        records = sum(archive.part(*job.partition).records for job in work)
        archive.check({job.topic for job in work})
        doing.check(positions)
        with (
            _recorded(settings, admin, archive, work, reason, operator) as tell,
            bar(word("restoring", settings.lang), 2 * records) as progress,
        ):
            done = doing.run(
                registry,
                positions,
                groups=groups,
                wait=Pace(rate).wait,
                progress=lambda what, count: progress.by(count),
                now_ms=system_clock(),
            )
            tell(done)
    _show(done, as_json=as_json, lang=settings.lang)
    if done.differences:
        raise typer.Exit(DIFFERENT)


@contextmanager
def _recorded(
    settings: "Settings",
    admin: "Admin",
    archive: "Archive",
    work: "Sequence[Job]",
    reason: str | None,
    operator: str | None,
) -> "Iterator[Callable[[Restored], None]]":
    """Puts the restore on record. Where the audit itself is restored, its chain goes on with what was done to it."""
    from deptbus import bootstrap
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.operations.acts import TOPIC

    catalogue = load_catalogue(settings.root, system_clock())
    topics = list(dict.fromkeys(job.topic for job in work))
    target = settings.namespace or "actual life"
    told: dict[str, object] = {"archive": archive.manifest.id, "from": str(archive.folder), "topics": " ".join(topics)}
    ended: list[Restored] = []

    def outcome() -> dict[str, object]:
        return {"records": ended[0].records, "differences": len(ended[0].differences), "restore": ended[0].id}

    if TOPIC in topics:
        yield ended.append
        with bootstrap.open_auditor(settings, catalogue, operator=operator) as auditor:
            state: Outcome = "failed" if ended[0].differences else "done"
            auditor.record("archive.restore", target, reason, {**told, **outcome()}, outcome=state)
        return
    admin.create_namespace_topics(settings.world, [catalogue.topic(TOPIC)], settings.replication)
    with (
        bootstrap.open_auditor(settings, catalogue, operator=operator) as auditor,
        auditor.act("archive.restore", target, reason, told) as act,
    ):
        yield ended.append
        act.detail(outcome())
        act.outcome = "failed" if ended[0].differences else "done"


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
