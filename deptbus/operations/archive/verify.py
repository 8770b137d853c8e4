"""Checks every byte of an archive, and names file, block and record of what is broken, truncated or missing."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deptbus.errors import ArchiveBroken
from deptbus.operations.archive.container import ContainerBroken, Header, read_header, read_what_can_be
from deptbus.operations.archive.disk import sha256_of
from deptbus.operations.archive.entry import Entry, decode_what_can_be
from deptbus.operations.archive.entry import content as content_of
from deptbus.operations.archive.evidence import MARK_CHARS, Evidence, digest, mark
from deptbus.operations.archive.manifest import MANIFEST, PLAN, SUMS, Block, FileIndex, FilePart, Part
from deptbus.operations.archive.reading import Archive, checked

Progress = Callable[[int], None]
"""Told how many records were checked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    file: str
    problem: str
    block: int | None = None
    """The number of the block in its file, from 0."""
    record: int | None = None
    """The number of the first record that is wrong, or in doubt, in its block, from 0."""
    offset: int | None = None
    """That record's offset in its topic."""

    def __str__(self) -> str:
        where = self.file
        if self.block is not None:
            where += f", block {self.block}"
        if self.record is not None:
            where += f", record {self.record} (offset {self.offset})"
        return f"{where}: {self.problem}"


def verify(folder: Path, progress: Progress = lambda count: None) -> list[Fault]:
    """Everything that is wrong; empty for an archive that is as it was written. ``ArchiveRefused`` without one."""
    try:
        archive = Archive(folder)
    except ArchiveBroken:
        return [Fault(f"{MANIFEST} or {SUMS}", "one of the two was changed, so nothing else can be checked")]
    faults = list(_listing(archive))
    for schema in archive.manifest.schemas:
        faults += _small(archive, schema.file, schema.sha256)
    for topic, partition, part in archive.manifest.parts():
        faults += _partition(archive, topic, partition, part, progress)
    return faults


def _listing(archive: Archive) -> Iterator[Fault]:
    """The list of sums, and files that nobody speaks of."""
    own = hashlib.sha256((archive.folder / MANIFEST).read_bytes()).hexdigest()
    if (archive.folder / SUMS).read_bytes() != archive.manifest.sums(own):
        yield Fault(SUMS, "it is not as the manifest says")
    known = {name for name, _ in archive.manifest.files()} | {MANIFEST, SUMS, PLAN}
    for path in sorted(archive.folder.rglob("*")):
        name = str(path.relative_to(archive.folder))
        if path.is_file() and name not in known:
            yield Fault(name, "the manifest does not know this file")


def _small(archive: Archive, name: str, sha256: str) -> Iterator[Fault]:
    try:
        content = (archive.folder / name).read_bytes()
    except FileNotFoundError:
        yield Fault(name, "it is missing")
        return
    if hashlib.sha256(content).hexdigest() != sha256:
        yield Fault(name, "its checksum is wrong")


def _partition(archive: Archive, topic: str, partition: int, part: Part, progress: Progress) -> Iterator[Fault]:
    evidence = Evidence()
    whole = True
    for file in part.files:
        found = list(_small(archive, file.index, file.index_sha256))
        if not found:
            index = archive.index(file)
            found = list(_file(archive, topic, partition, file, index, evidence, progress))
            if not found and evidence != index.evidence:
                found = [Fault(file.index, "counts or hashes are not those of the records")]
        elif not (archive.folder / file.file).is_file():
            found.append(Fault(file.file, "it is missing"))
        elif sha256_of(archive.folder / file.file) != file.sha256:
            found.append(Fault(file.file, "its checksum is wrong"))
        yield from found
        whole = whole and not found
    for before, after in pairwise(part.files):
        if after.first <= before.last:
            yield Fault(after.file, f"it begins at offset {after.first}, before the end of {before.file}")
    if whole and evidence != part.evidence:
        yield Fault(MANIFEST, f"counts or hashes of {topic}[{partition}] are not those of its records")


def _file(
    archive: Archive,
    topic: str,
    partition: int,
    file: FilePart,
    index: FileIndex,
    evidence: Evidence,
    progress: Progress,
) -> Iterator[Fault]:
    path = archive.folder / file.file
    if not path.is_file():
        yield Fault(file.file, "it is missing")
        return
    hashed = hashlib.sha256()
    clean = True
    with path.open("rb") as source:
        try:
            header = read_header(source)
        except ContainerBroken as error:
            yield Fault(file.file, str(error))
            return
        source.seek(0)
        hashed.update(source.read(index.blocks[0].position))
        reached = file.first - 1
        for number, block in enumerate(index.blocks):
            content = source.read(block.length)
            hashed.update(content)
            try:
                entries = checked(header, topic, partition, block, content)
            except ContainerBroken as error:
                clean = False
                yield _broken(file, number, block, header, topic, partition, content, str(error))
                continue
            for place, entry in enumerate(entries):
                if entry.offset <= reached:
                    clean = False
                    yield Fault(file.file, "it is out of order", number, place, entry.offset)
                reached = entry.offset
                evidence.add(entry)
            progress(len(entries))
        if rest := source.read(1):
            clean = False
            yield Fault(file.file, f"{path.stat().st_size - index.size} bytes follow its last block")
            hashed.update(rest)
    if clean and hashed.hexdigest() != file.sha256:
        yield Fault(file.file, "its header was changed")


def _broken(
    file: FilePart, number: int, block: Block, header: Header, topic: str, partition: int, content: bytes, problem: str
) -> Fault:
    """The first record of a broken block that is not the one that was written, as far as that can be told."""
    found = decode_what_can_be(topic, partition, block.records, read_what_can_be(header, content)) if content else []
    for place, entry in enumerate(found):
        if mark(entry, digest(entry, content_of(entry))) != _mark_of(block, place):
            break
    else:
        place = min(len(found), block.records - 1)
    return Fault(file.file, problem, number, place, _offset(block, found, place))


def _mark_of(block: Block, place: int) -> str:
    return block.marks[place * MARK_CHARS : (place + 1) * MARK_CHARS]


def _offset(block: Block, found: list[Entry], place: int) -> int:
    """That of a record as far as it is known; it may be what is broken."""
    least = found[place - 1].offset + 1 if place and place <= len(found) else block.first
    if place < len(found) and least <= found[place].offset <= block.last:
        return found[place].offset
    return min(least, block.last)
