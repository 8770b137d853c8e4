"""Makes an archive of stretches of topics, or goes on with one that was interrupted.

Where each partition begins and ends is fixed first and written down as the plan, so that an archive that is gone on
with is the one that was begun. The manifest comes last: a folder with one holds a whole archive.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson

from deptbus import failpoint
from deptbus.errors import ArchiveRefused
from deptbus.operations.archive.disk import Disk
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.manifest import MANIFEST, PLAN, SUMS, ArchivedSchema, ArchivedTopic, Manifest, Part
from deptbus.operations.archive.schemas import SchemaBook
from deptbus.operations.archive.writing import PartitionWriter
from deptbus.operations.stretch import Range

FILE_BYTES = 256 * 1024 * 1024
"""After so many bytes a partition goes on in its next file."""
TOGETHER = 16
"""Partitions read at once: each holds a block in memory."""
FOLDER_TAKEN = "{folder} holds a finished archive, made {made}; name another folder."

Progress = Callable[[int], None]
"""Told how many offsets were gone over."""


class Source(Protocol):
    """Where records come from."""

    def entries(self, topic: str, ranges: Mapping[int, Range]) -> Iterator[Sequence[tuple[int, Entry]]]:
        """The records of some partitions between offsets, with their partitions, many at a time."""


def create(
    folder: Path,
    plan: Callable[[], Manifest],
    request: Mapping[str, Any],
    source: Source,
    book: SchemaBook,
    *,
    file_bytes: int = FILE_BYTES,
    begin: Callable[[Manifest], None] = lambda plan: None,
    progress: Progress = lambda count: None,
    disk: Disk | None = None,
) -> Manifest:
    """Make the archive that ``plan`` lays down; ``plan`` is asked only where none was begun.

    ``begin`` is told the plan, ``progress`` how many offsets were gone over. Raises ``ArchiveRefused`` for a folder
    that is taken, ``ArchiveUnfinished`` where the disk is full.
    """
    disk = disk or Disk(folder)
    disk.prepare()
    with disk.guarded():
        planned = _begin(disk, plan, request)
        begin(planned)
        done: dict[str, ArchivedTopic] = {}
        for name, topic in planned.topics.items():
            parts: dict[int, Part] = {}
            numbers = iter(topic.parts)
            while together := list(islice(numbers, TOGETHER)):
                writers = {
                    number: PartitionWriter(
                        disk, name, number, topic.parts[number], planned.codec, file_bytes, planned.id
                    )
                    for number in together
                }
                _copy(name, topic, writers, source, progress)
                parts |= {number: writer.finish() for number, writer in writers.items()}
                for writer in writers.values():
                    book.learn(writer.schema_ids)
            done[name] = replace(topic, parts=parts)
        return _finish(disk, replace(planned, topics=done), book)


def _copy(
    name: str, topic: ArchivedTopic, writers: Mapping[int, PartitionWriter], source: Source, progress: Progress
) -> None:
    ranges = {number: (writer.next, topic.parts[number].end) for number, writer in writers.items()}
    reached = {number: topic.parts[number].start for number in writers}

    def passed(ends: Mapping[int, int]) -> None:
        progress(sum(end - reached[number] for number, end in ends.items()))
        reached.update(ends)

    passed({number: start for number, (start, _) in ranges.items()})
    for records in source.entries(
        name, {number: between for number, between in ranges.items() if between[0] < between[1]}
    ):
        for number, entry in records:
            writers[number].add(entry)
        passed({number: entry.offset + 1 for number, entry in records})
    passed({number: end for number, (_, end) in ranges.items()})


def _begin(disk: Disk, plan: Callable[[], Manifest], request: Mapping[str, Any]) -> Manifest:
    """The plan of what was begun in the folder, or a new one."""
    path = disk.folder / PLAN
    if not path.exists():
        if (disk.folder / MANIFEST).exists():
            made = Manifest.from_json((disk.folder / MANIFEST).read_bytes()).made
            raise ArchiveRefused(FOLDER_TAKEN.format(folder=disk.folder, made=made))
        if any(not entry.name.startswith(f"{PLAN}.") for entry in disk.folder.iterdir()):
            raise ArchiveRefused(f"{disk.folder} is not empty and holds no archive; name another folder.")
        planned = plan()
        disk.write(PLAN, planned.to_json())
        return planned
    begun = Manifest.from_json(path.read_bytes())
    asked = orjson.loads(orjson.dumps(request))
    if begun.request != asked:
        differing = ", ".join(
            f"{name} {begun.request.get(name)}" for name in asked if asked[name] != begun.request.get(name)
        )
        raise ArchiveRefused(
            f"{disk.folder} holds an unfinished archive of something else ({differing}): ask for the same again "
            "to go on with it, or name another folder."
        )
    disk.sweep()
    return begun


def _finish(disk: Disk, manifest: Manifest, book: SchemaBook) -> Manifest:
    written = book.schemas()
    schemas = []
    for schema in written:
        content = orjson.dumps(schema.schema, option=orjson.OPT_INDENT_2)
        sha256 = hashlib.sha256(content).hexdigest()
        schemas.append(ArchivedSchema(schema.id, schema.type, schema.fingerprint, sha256))
        disk.write(schemas[-1].file, content)
    whole = replace(manifest, schemas=tuple(schemas), unknown_ids=tuple(sorted(book.unknown)))
    content = whole.to_json()
    disk.write(SUMS, whole.sums(hashlib.sha256(content).hexdigest()))
    failpoint.hit("before-manifest")
    disk.write(MANIFEST, content)
    disk.remove(disk.folder / PLAN)
    return whole
