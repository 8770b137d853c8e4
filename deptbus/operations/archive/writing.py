"""Writes the files of one partition: blocks of bounded size, files of bounded size, each with its index."""

import hashlib
import zlib
from copy import deepcopy
from pathlib import Path
from typing import BinaryIO

from deptbus import failpoint
from deptbus.operations.archive.container import SYNC_BYTES, write_block, write_header
from deptbus.operations.archive.disk import Disk, sha256_of
from deptbus.operations.archive.entry import Entry, encode
from deptbus.operations.archive.entry import content as content_of
from deptbus.operations.archive.evidence import Evidence, mark
from deptbus.operations.archive.manifest import Block, FileIndex, FilePart, Part, index_name
from deptbus.operations.archive.schemas import FRAME_BYTES

BLOCK_BYTES = 128 * 1024
"""A block is written when its values come to so many bytes, in bytes."""
BLOCK_RECORDS = 1_000


class PartitionWriter:
    """The files of one partition. What an earlier attempt has finished is found, checked and kept."""

    def __init__(
        self, disk: Disk, topic: str, partition: int, part: Part, codec: str, file_bytes: int, salt: str
    ) -> None:
        """``part`` says from where to where; ``salt`` makes sync markers the archive's own."""
        self._disk = disk
        self._topic, self._partition = topic, partition
        self._codec, self._file_bytes, self._salt = codec, file_bytes, salt
        self._start, self._end = part.start, part.end
        self._folder = f"data/{topic}/{partition}"
        self._files: list[FilePart] = []
        self._evidence = Evidence()
        self._entries: list[Entry] = []
        self._entries_bytes = 0
        self._file: BinaryIO | None = None
        self._name = ""
        self._sync = b""
        self._position = 0
        self._hash = hashlib.sha256()
        self._blocks: list[Block] = []
        self._frames: set[bytes] = set()
        self.schema_ids: set[int] = set()
        """What frames of values in finished files name."""
        self.next = part.start
        """The offset from which on records are still to be added."""
        self._find()

    @property
    def records(self) -> int:
        """How many records stand in finished files."""
        return sum(file.records for file in self._files)

    def add(self, entry: Entry) -> None:
        """Take the next record; offsets rise."""
        self._entries.append(entry)
        self._entries_bytes += len(entry.value or b"") + len(entry.key or b"")
        if self._entries_bytes >= BLOCK_BYTES or len(self._entries) >= BLOCK_RECORDS:
            self._write()

    def finish(self) -> Part:
        """Write what is left, and answer what there is of the partition."""
        if self._entries:
            self._write()
        if self._file is not None:
            self._finish_file()
        return Part(self._start, self._end, self._evidence, tuple(self._files))

    def _write(self) -> None:
        entries, self._entries, self._entries_bytes = self._entries, [], 0
        if self._file is None:
            self._begin(entries[0].offset)
        assert self._file is not None
        contents = [content_of(entry) for entry in entries]
        packed = encode(self._topic, self._partition, entries, contents)
        content = write_block(self._codec, self._sync, len(entries), packed)
        self._file.write(content)
        self._hash.update(content)
        self._frames.update([entry.value[:FRAME_BYTES] for entry in entries if entry.value])
        times = [entry.timestamp_ms for entry in entries]
        added = self._evidence.add
        marks = "".join([mark(entry, added(entry, held)) for entry, held in zip(entries, contents, strict=True)])
        self._blocks.append(
            Block(
                self._position, len(content), len(entries), entries[0].offset, entries[-1].offset,
                min(times), max(times), zlib.crc32(content), marks,
            )
        )  # fmt: skip
        self._position += len(content)
        failpoint.hit("after-block")
        if self._position >= self._file_bytes:
            self._finish_file()

    def _begin(self, first: int) -> None:
        self._name = f"{self._folder}/{first:020}.avro"
        self._sync = hashlib.sha256(f"{self._salt}/{self._name}".encode()).digest()[:SYNC_BYTES]
        self._file = self._disk.begin(self._name)
        meta = {"deptbus.topic": self._topic, "deptbus.partition": str(self._partition)}
        header = write_header(self._codec, self._sync, meta)
        self._file.write(header)
        self._hash = hashlib.sha256(header)
        self._position, self._blocks, self._frames = len(header), [], set()

    def _finish_file(self) -> None:
        """The index comes after its file: a file without one is not finished."""
        assert self._file is not None
        self._disk.finish(self._file, self._name)
        self._file = None
        failpoint.hit("after-file")
        ids = sorted(int.from_bytes(frame[1:]) for frame in self._frames if len(frame) == FRAME_BYTES and not frame[0])
        index = FileIndex(
            self._position, self._hash.hexdigest(), tuple(self._blocks), tuple(ids), deepcopy(self._evidence)
        )
        content = index.to_json()
        self._disk.write(index_name(self._name), content)
        self._list(self._name, index, content)

    def _list(self, name: str, index: FileIndex, content: bytes) -> None:
        blocks = index.blocks
        self._files.append(
            FilePart(
                name, index.size, index.sha256, hashlib.sha256(content).hexdigest(), index.records,
                blocks[0].first, blocks[-1].last,
                min(block.min_ms for block in blocks), max(block.max_ms for block in blocks),
            )
        )  # fmt: skip
        self.schema_ids.update(index.schema_ids)
        self.next = blocks[-1].last + 1

    def _find(self) -> None:
        """Take over what is finished and as its index says, up to the first that is not; the rest goes."""
        folder = self._disk.folder / self._folder
        whole = True
        for path in sorted(folder.glob("*.avro")):
            name = f"{self._folder}/{path.name}"
            index_path = self._disk.folder / index_name(name)
            index = _whole(path, index_path) if whole else None
            if index is None or index.evidence.records != self.records + index.records:
                whole = False
                self._disk.remove(index_path)
                self._disk.remove(path)
                continue
            self._evidence = index.evidence
            self._list(name, index, index_path.read_bytes())
        self._evidence = deepcopy(self._evidence)


def _whole(path: Path, index_path: Path) -> FileIndex | None:
    """The index of a file, if both are there and the file is as it says."""
    try:
        index = FileIndex.from_json(index_path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return index if sha256_of(path) == index.sha256 else None
