"""What a restore will do, and how records and the offsets between them follow. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from deptbus.errors import ArchiveRefused, NotFound
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.manifest import Manifest, Part
from deptbus.operations.archive.reading import Archive
from deptbus.operations.points import BEGINNING, END, Point
from deptbus.operations.stretch import Range, resolve
from deptbus.transport import Partition

BOUND_TO_OFFSETS = frozenset({"workflow.journal", "workflow.instances"})
"""Their contents name offsets of the journal and of what it follows from."""


@dataclass(frozen=True, slots=True)
class Job:
    """One partition of a restore."""

    topic: str
    number: int
    between: Range
    """What of the archive."""
    exact: bool
    """Whether records get the offsets that they had; else they follow each other from 0."""

    @property
    def partition(self) -> Partition:
        """Topic and number."""
        return self.topic, self.number

    def whole(self, part: Part) -> bool:
        """Whether everything archived of the partition is meant."""
        return self.between == (part.start, part.end)


def jobs(archive: Archive, topics: Iterable[str], start: Point, end: Point, *, exact: bool, now_ms: int) -> list[Job]:
    """What is meant, every partition of it. ``NotFound``, ``SettingsError``, ``ArchiveRefused``."""
    names = list(topics) or list(archive.manifest.topics)
    for name in names:
        if name not in archive.manifest.topics:
            held = ", ".join(archive.manifest.topics)
            raise NotFound(f"The archive in {archive.folder} has no topic {name}; it holds {held}.")
        if name in BOUND_TO_OFFSETS and not exact:
            raise ArchiveRefused(f"{name} speaks of offsets, so it keeps its own; leave --new-offsets out.")
        if name in BOUND_TO_OFFSETS and (start, end) != (BEGINNING, END):
            raise ArchiveRefused(f"A part of {name} has no meaning; leave --from and --to out, or name other topics.")
    found = []
    for name in names:
        stretch = resolve(archive, name, start, end, now_ms)
        found += [Job(name, number, between, exact) for number, between in sorted(stretch.ranges.items())]
    return found


def restore_id(manifest: Manifest, work: Iterable[Job], world: str) -> str:
    """The name of a restore: the same archive to the same place with the same choice has the same one."""
    text = f"{manifest.id} {world} {[(job.topic, job.number, job.between, job.exact) for job in work]}"
    return f"restore-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def steps(blocks: Iterable[Iterable[Entry]], job: Job, at: int) -> Iterator[Entry | int]:
    """What is still to be written of a partition that ends at ``at``: records, and how many offsets to use up."""
    if not job.exact:
        passed = 0
        for block in blocks:
            for entry in block:
                passed += 1
                if passed > at:
                    yield entry
        return
    for block in blocks:
        for entry in block:
            if entry.offset < at:
                continue
            if entry.offset > at:
                yield entry.offset - at
            yield entry
            at = entry.offset + 1
    if at < job.between[1]:
        yield job.between[1] - at


def settings_after(configs: Mapping[str, str], oldest_ms: int | None, now_ms: int) -> tuple[dict[str, str], bool]:
    """The settings of a topic once it is restored, and whether its records would be too old for its retention.

    Then it is kept for ever, as it would otherwise be emptied at once.
    """
    found = dict(configs)
    retention_ms = int(found.get("retention.ms", "-1"))
    outlived = retention_ms >= 0 and oldest_ms is not None and oldest_ms < now_ms - retention_ms
    if outlived:
        found["retention.ms"] = "-1"
    return found, outlived
