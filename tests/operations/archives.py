"""Archives made of records in memory, for tests."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from hypothesis import strategies as st

from deptbus.operations.archive.create import create
from deptbus.operations.archive.disk import PART, Disk
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.manifest import ArchivedTopic, Manifest, Part
from deptbus.operations.archive.reading import Archive
from deptbus.operations.archive.schemas import SchemaBook
from deptbus.operations.stretch import Range

TOPIC = "health.cases"
REQUEST = {"topics": [TOPIC], "from": "beginning", "to": "end", "groups": False}
SCHEMA = {
    "type": "record", "name": "CasesConfirmed", "namespace": "health",
    "fields": [{"name": "region", "type": "string"}, {"name": "count", "type": "int"}],
}  # fmt: skip
SCHEMA_ID = 7
Records = Mapping[int, Sequence[Entry]]
"""By partition."""

contents = st.none() | st.binary(max_size=40)
entries = st.builds(
    Entry,
    offset=st.integers(1, 4),
    timestamp_ms=st.integers(0, 2**40),
    timestamp_type=st.sampled_from([1, 2]),
    key=contents,
    value=contents | st.binary(max_size=30).map(lambda rest: b"\0\0\0\0\7" + rest),
    headers=st.lists(st.tuples(st.text(max_size=8), contents), max_size=4),
    schema=st.none(),
)


@st.composite
def partitions(draw: st.DrawFn) -> Records:
    """The records of some partitions; there are gaps between offsets."""
    return {number: spaced(draw(st.lists(entries, max_size=12))) for number in range(draw(st.integers(1, 3)))}


def spaced(steps: Sequence[Entry]) -> list[Entry]:
    """Records whose offsets are steps, one after the other; their fingerprints are as their values say."""
    found, offset = [], 9
    for entry in steps:
        offset += entry.offset
        framed = entry.value is not None and len(entry.value) >= 5 and entry.value.startswith(b"\0\0\0\0\7")
        found.append(entry._replace(offset=offset, schema=book().fingerprint(entry.value) if framed else None))
    return found


def book() -> SchemaBook:
    """Knows one schema."""
    return SchemaBook({SCHEMA_ID: SCHEMA}.get)


class Interrupted(Exception):
    """A source is gone."""


class MemorySource:
    """Records in memory; ``stop`` says after how many it breaks."""

    def __init__(self, records: Records, stop: int | None = None) -> None:
        self.records = records
        self.given = 0
        self._stop = stop

    def entries(self, topic: str, ranges: Mapping[int, Range]) -> Iterator[Sequence[tuple[int, Entry]]]:
        for number, (start, end) in ranges.items():
            for entry in self.records[number]:
                if start <= entry.offset < end:
                    if self.given == self._stop:
                        raise Interrupted
                    self.given += 1
                    yield [(number, entry)]


def plan(records: Records, codec: str = "deflate") -> Manifest:
    """All of them, from offset 5 to 100 or further."""
    last = max((entries[-1].offset for entries in records.values() if entries), default=0)
    parts = {number: Part(5, max(100, last + 1)) for number in records}
    topics = {TOPIC: ArchivedTopic(len(records), {"cleanup.policy": "delete"}, parts)}
    return Manifest("an-archive", "2020-01-24T00:00:00.000Z", "c", "", REQUEST, codec, topics)


def archived(folder: Path, records: Records, source: MemorySource | None = None, **options: Any) -> Archive:
    """Make the archive, and open it."""
    codec = options.pop("codec", "deflate")
    options.setdefault("disk", QuickDisk(folder))
    create(folder, lambda: plan(records, codec), REQUEST, source or MemorySource(records), book(), **options)
    return Archive(folder)


def held(archive: Archive) -> Records:
    """The records that an archive gives back."""
    return {
        number: [entry for block in archive.entries(topic, number) for entry in block]
        for topic, number, _ in archive.manifest.parts()
    }


class QuickDisk(Disk):
    """Does not wait for the disk."""

    def finish(self, file: BinaryIO, name: str) -> None:
        file.close()
        (self.folder / f"{name}{PART}").replace(self.folder / name)


class SmallDisk(Disk):
    """Takes so many bytes altogether and then is full."""

    def __init__(self, folder: Path, room: int) -> None:
        super().__init__(folder)
        self.room = room

    def begin(self, name: str) -> Any:
        return _Limited(super().begin(name), self)


class _Limited:
    def __init__(self, file: Any, disk: SmallDisk) -> None:
        self._file, self._disk = file, disk

    def write(self, content: bytes) -> int:
        self._disk.room -= len(content)
        if self._disk.room < 0:
            raise OSError(28, "No space left on device")
        return int(self._file.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Limited":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
