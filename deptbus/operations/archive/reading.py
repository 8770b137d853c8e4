"""Reads a finished archive: what it holds, and the records of its partitions, each block checked before it is used."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import orjson

from deptbus.errors import ArchiveBroken, ArchiveRefused, NotFound
from deptbus.operations.archive.container import ContainerBroken, Header, read_block, read_header
from deptbus.operations.archive.disk import sha256_of
from deptbus.operations.archive.entry import Entry, decode
from deptbus.operations.archive.manifest import MANIFEST, PLAN, SUMS, Block, FileIndex, FilePart, Manifest, Part
from deptbus.operations.archive.schemas import HeldSchema, by_type, codec_of
from deptbus.operations.filters import Filter
from deptbus.operations.lines import Reader
from deptbus.operations.stretch import Range
from deptbus.schemas.store import SchemaFile, SchemaStore

VALUE_BYTES_MAX = 6_000_000
_ADVICE = "`deptbus archive verify` names all that is broken"


class Archive:
    """One folder. Also the log of its own topics, so that points of it can be looked up."""

    def __init__(self, folder: Path) -> None:
        """``ArchiveRefused`` where there is no finished archive, ``ArchiveBroken`` where its manifest was changed."""
        self.folder = folder
        path = folder / MANIFEST
        if not path.is_file():
            if (folder / PLAN).exists():
                raise ArchiveRefused(
                    f"The archive in {folder} is not finished; give the command that made it again, and it goes on."
                )
            raise ArchiveRefused(f"There is no archive in {folder}: it has no {MANIFEST}.")
        content = path.read_bytes()
        sums = folder / SUMS
        own = f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode()
        if not sums.is_file() or not sums.read_bytes().endswith(own):
            raise ArchiveBroken(f"{path} is not as {SUMS} says: one of the two was changed; take them from a copy.")
        try:
            self.manifest = Manifest.from_json(content)
        except ValueError as error:
            raise ArchiveRefused(f"{path} cannot be read: {error}.") from None

    @cached_property
    def schemas(self) -> tuple[HeldSchema, ...]:
        """Every schema that frames of its values name; ``ArchiveBroken``."""
        found = []
        for schema in self.manifest.schemas:
            content = self._checked(schema.file, schema.sha256)
            found.append(HeldSchema(schema.id, orjson.loads(content)))
        return tuple(found)

    def reader(self, meant: Filter, *, keyed_by_actor: bool) -> Reader:
        """Turns its records into lines, with nothing but what it holds."""
        files = []
        for versions in by_type(self.schemas).values():
            for number, held in enumerate(versions, 1):
                files.append(SchemaFile(held.type, number, self.folder, dict(held.schema)))
        codec = codec_of(self.schemas, VALUE_BYTES_MAX)
        return Reader(codec, SchemaStore(files), lambda schema_id: False, meant=meant, keyed_by_actor=keyed_by_actor)

    def part(self, topic: str, partition: int) -> Part:
        """What is archived of a partition; ``NotFound``."""
        try:
            return self.manifest.topics[topic].parts[partition]
        except KeyError:
            topics = ", ".join(self.manifest.topics)
            raise NotFound(f"The archive in {self.folder} has no {topic}[{partition}]; it holds {topics}.") from None

    def check(self, topics: Iterable[str]) -> None:
        """Whether every file of some topics is as it was written; ``ArchiveBroken`` names the first that is not."""
        for topic in topics:
            for part in self.manifest.topics[topic].parts.values():
                for file in part.files:
                    self._checked(file.index, file.index_sha256)
                    path = self.folder / file.file
                    if not path.is_file():
                        raise ArchiveBroken(f"{file.file} is missing; {_ADVICE}.")
                    if sha256_of(path) != file.sha256:
                        raise ArchiveBroken(f"{file.file} is not as it was written; {_ADVICE}.")

    def index(self, file: FilePart) -> FileIndex:
        """The index of a file; ``ArchiveBroken``."""
        return FileIndex.from_json(self._checked(file.index, file.index_sha256))

    def entries(self, topic: str, partition: int, between: Range | None = None) -> Iterator[list[Entry]]:
        """The records of a partition in order, block by block; ``between``: only those from one offset up to another.

        Raises ``ArchiveBroken`` at the first block that is not as it was written.
        """
        part = self.part(topic, partition)
        start, end = between or (part.start, part.end)
        for file in part.files:
            if file.last < start or file.first >= end:
                continue
            for entries in self._blocks(
                topic, partition, file, lambda block: block.last >= start and block.first < end
            ):
                if entries[0].offset >= start and entries[-1].offset < end:
                    yield entries
                else:
                    yield [entry for entry in entries if start <= entry.offset < end]

    def _blocks(
        self, topic: str, partition: int, file: FilePart, wanted: Callable[[Block], bool]
    ) -> Iterator[list[Entry]]:
        index = self.index(file)
        number = 0
        try:
            with (self.folder / file.file).open("rb") as source:
                header = read_header(source)
                for number, block in enumerate(index.blocks):  # noqa: B007  # for the message
                    if wanted(block):
                        source.seek(block.position)
                        yield checked(header, topic, partition, block, source.read(block.length))
        except FileNotFoundError:
            raise ArchiveBroken(f"{file.file} is missing; {_ADVICE}.") from None
        except ContainerBroken as error:
            raise ArchiveBroken(f"{file.file}, block {number}: {error}; {_ADVICE}.") from None

    def _checked(self, name: str, sha256: str) -> bytes:
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise ArchiveBroken(f"{name} is missing; {_ADVICE}.") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArchiveBroken(f"{name} is not as it was written; {_ADVICE}.")
        return content

    # As a log, for points and stretches.

    def bounds(self, topic: str) -> Mapping[int, Range]:
        """From where to where each partition is archived; ``NotFound``."""
        if topic not in self.manifest.topics:
            raise NotFound(
                f"The archive in {self.folder} has no topic {topic}; it holds {', '.join(self.manifest.topics)}."
            )
        return {number: (part.start, part.end) for number, part in self.manifest.topics[topic].parts.items()}

    def at_time(self, topic: str, time_ms: int) -> Mapping[int, int]:
        """Of each partition the first offset with that timestamp or a later one; its end where there is none."""
        self.bounds(topic)
        parts = self.manifest.topics[topic].parts
        return {number: self._at_time(topic, number, part, time_ms) for number, part in parts.items()}

    def _at_time(self, topic: str, partition: int, part: Part, time_ms: int) -> int:
        for file in part.files:
            if file.max_ms >= time_ms:
                for entries in self._blocks(topic, partition, file, lambda block: block.max_ms >= time_ms):
                    return next(entry.offset for entry in entries if entry.timestamp_ms >= time_ms)
        return part.end

    def find(self, topic: str, event_id: str) -> tuple[int, int, int] | None:
        """Partition, offset and timestamp of an event; None where it is not there."""
        wanted = ("ce_id", event_id.encode())
        for number in self.bounds(topic):
            for entries in self.entries(topic, number):
                for entry in entries:
                    if wanted in entry.headers:
                        return number, entry.offset, entry.timestamp_ms
        return None


def checked(header: Header, topic: str, partition: int, block: Block, content: bytes) -> list[Entry]:
    """The records of a block; ``ContainerBroken`` where its bytes are not those that were written."""
    if len(content) != block.length:
        raise ContainerBroken(f"the file ends within it, after {len(content)} of {block.length} bytes")
    if zlib.crc32(content) != block.crc:
        raise ContainerBroken("its bytes are not those that were written")
    unpacked = read_block(header, content, block.records)
    try:
        return decode(topic, partition, block.records, unpacked)
    except Exception as error:  # fastavro raises all kinds
        raise ContainerBroken(f"its records cannot be read ({error})") from None
