"""``deptbus archive create``: topics, or stretches of them, as files."""

from typing import Annotated, Any

import typer

from deptbus.cli import output
from deptbus.cli.archive.saying import Folder, Rate, Why, data, table, word
from deptbus.cli.options import From, Json, Operator, To
from deptbus.cli.progress import bar

Codec = Annotated[str, typer.Option(help="deflate, zstandard (quicker and smaller, not every reader has it) or null.")]


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus archive``."""
    app.command(epilog="Example: deptbus archive create backup/2020-02-01 --all --groups")(create)


def create(
    folder: Folder,
    topics: Annotated[list[str] | None, typer.Option("--topic", help="This topic; repeat it.")] = None,
    departments: Annotated[
        list[str] | None, typer.Option("--department", help="The topics of this department; repeat it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every topic of the namespace.")] = False,
    start: From = "beginning",
    end: To = "end",
    groups: Annotated[bool, typer.Option("--groups", help="Also where consumer groups stand.")] = False,
    file_bytes: Annotated[
        int, typer.Option(min=1_000, help="About how large a file may become, in bytes.")
    ] = 256_000_000,
    codec: Codec = "deflate",
    rate: Rate = 0,
    reason: Why = None,
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Archive topics as Avro files with an index, checksums and a manifest.

    Both ends of every partition are fixed when it begins. If it is interrupted, the same command goes on with it. It
    goes on record: an archive holds what topics hold, personal data too.
    """
    from deptbus import bootstrap
    from deptbus.catalogue import BUS_OWNERS, load_catalogue
    from deptbus.clock import system_clock
    from deptbus.errors import SettingsError
    from deptbus.ids import random_id
    from deptbus.kafka.admin import Admin
    from deptbus.kafka.configuration import client_configuration, reader_configuration
    from deptbus.kafka.groups import Groups
    from deptbus.kafka.log import KafkaLog
    from deptbus.operations.archive.container import CODECS
    from deptbus.operations.archive.create import create as make
    from deptbus.operations.archive.manifest import Manifest
    from deptbus.operations.archive.planning import choose, plan
    from deptbus.operations.archive.schemas import SchemaBook, declared
    from deptbus.operations.archive.source import KafkaSource
    from deptbus.operations.pace import Pace
    from deptbus.operations.points import read_point
    from deptbus.settings import Settings

    if codec not in CODECS:
        raise SettingsError(f"--codec is one of {', '.join(CODECS)}, not {codec}.")
    first, last = read_point(start, "--from"), read_point(end, "--to")
    settings = Settings.load()
    request: dict[str, Any] = {
        "namespace": settings.namespace, "topics": sorted(topics or ()), "departments": sorted(departments or ()),
        "all": everything, "from": start, "to": end, "groups": groups, "codec": codec,
    }  # fmt: skip
    catalogue = load_catalogue(settings.root, system_clock())
    admin = Admin(client_configuration(settings))

    def planned() -> Manifest:
        positions = Groups(client_configuration(settings), settings.world)
        log = KafkaLog(reader_configuration(settings), settings.world)
        try:
            return plan(
                log,
                choose(admin.topics(settings.world), topics or (), departments or (), everything=everything),
                first,
                last,
                archive_id=random_id(),
                cluster=admin.cluster_id(),
                namespace=settings.namespace,
                request=request,
                codec=codec,
                groups=positions.committed(positions.names()) if groups else {},
                now_ms=system_clock(),
            )
        finally:
            log.close()

    pace = Pace(rate)
    with (
        bootstrap.open_registry(settings) as registry,
        bootstrap.open_auditor(settings, catalogue, operator=operator) as auditor,
        auditor.act("archive.create", str(folder), reason, _told(request)) as act,
        bar(word("archiving", settings.lang)) as progress,
    ):
        book = SchemaBook(registry.schema_by_id)

        def begin(planned: Manifest) -> None:
            progress.by(0, sum(part.end - part.start for _, _, part in planned.parts()))
            if any(name.partition(".")[0] in BUS_OWNERS for name in planned.topics):
                book.hold(declared(registry, catalogue.schemas))  # events lie within entries and dead letters

        made = make(
            folder,
            planned,
            request,
            KafkaSource(reader_configuration(settings), settings.world, book, pace.wait),
            book,
            file_bytes=file_bytes,
            begin=begin,
            progress=progress.by,
        )
        act.detail(archive=made.id, records=made.records)
    if as_json:
        output.json(data(made))
        return
    table(made, settings.lang)
    output.note(word("made", settings.lang).format(records=made.records, folder=folder))


def _told(request: dict[str, Any]) -> dict[str, str]:
    """What was asked for, for the record."""
    return {
        name: " ".join(value) if isinstance(value, list) else str(value)
        for name, value in request.items()
        if value not in (False, [], "")
    }
