"""Archiving and restoring a namespace whole, as the commands do it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from deptbus.bootstrap import open_registry
from deptbus.clock import system_clock
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.groups import Groups
from deptbus.kafka.log import KafkaLog
from deptbus.operations.archive.create import create
from deptbus.operations.archive.planning import choose, plan
from deptbus.operations.archive.reading import Archive
from deptbus.operations.archive.restore import Restore, Restored
from deptbus.operations.archive.restoring import jobs
from deptbus.operations.archive.schemas import SchemaBook
from deptbus.operations.archive.source import KafkaSource
from deptbus.operations.points import BEGINNING, END, Point
from tests.operations.kafka_topics import Topics


def archive_of(
    topics: Topics, folder: Path, *, groups: bool = False, file_bytes: int = 10**8, **options: Any
) -> Archive:
    """Archive every topic of a namespace."""
    settings = topics.settings
    log = KafkaLog(reader_configuration(settings), settings.world)
    positions = Groups(client_configuration(settings), settings.world)
    with open_registry(settings) as registry:
        book = SchemaBook(registry.schema_by_id)
        create(
            folder,
            lambda: plan(
                log, choose(topics.admin.topics(settings.world), (), (), everything=True),
                options.get("start", BEGINNING), options.get("end", END),
                archive_id=uuid4().hex, cluster="c", namespace=settings.namespace, request={}, codec="deflate",
                groups=positions.committed(positions.names()) if groups else {}, now_ms=system_clock(),
            ),
            {},
            KafkaSource(reader_configuration(settings), settings.world, book),
            book,
            file_bytes=file_bytes,
        )  # fmt: skip
    log.close()
    return Archive(folder)


def restored(
    archive: Archive,
    target: Topics,
    *,
    exact: bool = True,
    groups: bool = False,
    start: Point = BEGINNING,
    end: Point = END,
    wait: Callable[[], object] = lambda: None,
) -> Restored:
    """Restore an archive whole or in part."""
    settings = target.settings
    work = jobs(archive, (), start, end, exact=exact, now_ms=system_clock())
    with open_registry(settings) as registry:
        positions = Groups(client_configuration(settings), settings.world)
        return Restore(archive, work, settings, target.admin).run(
            registry, positions, groups=groups, wait=wait, now_ms=system_clock()
        )


def contents(held: dict[int, list[Any]]) -> dict[int, list[tuple[Any, ...]]]:
    """All of the records but who stamped them."""
    return {
        number: [(entry.offset, entry.timestamp_ms, entry.key, entry.value, entry.headers) for entry in entries]
        for number, entries in held.items()
    }
