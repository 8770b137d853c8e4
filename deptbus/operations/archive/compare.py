"""Compares what a restore left on a topic with the archive, record by record. Pure.

Counts, content and the order of each key's events are proved twice: every record is held against its own in the
archive, and what is on the topic is hashed as the archive was when it was made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.evidence import Evidence
from deptbus.operations.archive.frames import Frames
from deptbus.operations.archive.restoring import Job

DIFFERENCES_MAX = 20


@dataclass(slots=True)
class Compared:
    """What came of one partition."""

    job: Job
    evidence: Evidence = field(default_factory=Evidence)
    """Of what is on the topic."""
    differences: list[str] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    """New offsets by the archived ones that were asked for."""


class Comparison:
    """Takes the records of one partition as they are read back."""

    def __init__(
        self, job: Job, blocks: Iterable[Iterable[Entry]], frames: Frames, positions: Iterable[int] = ()
    ) -> None:
        """``positions``: archived offsets whose new ones are wanted."""
        self.found = Compared(job)
        self._archived: Iterator[Entry] = (entry for block in blocks for entry in block)
        self._frames = frames
        self._at = job.between[0] if job.exact else 0
        self._wanted = sorted(set(positions), reverse=True)

    def take(self, restored: Entry) -> None:
        """The next record of the topic."""
        archived = next(self._archived, None)
        if archived is None:
            self._differ(restored.offset, "it is not in the archive")
            return
        self._translate(archived.offset)
        offset = archived.offset if self.found.job.exact else self._at
        expected = archived._replace(offset=offset, value=self._frames.rewritten(archived.value))
        for name in ("offset", "key", "value", "headers", "timestamp_ms"):
            if getattr(expected, name) != getattr(restored, name):
                self._differ(
                    restored.offset, f"its {name.removesuffix('_ms')} is not that of {archived.offset} in the archive"
                )
                break
        self._at = offset + 1
        # The frame may name another registry's id; all else was compared.
        same = restored.value == expected.value
        self.found.evidence.add(restored._replace(value=archived.value) if same else restored)

    def finish(self) -> Compared:
        """After the last record."""
        if missing := next(self._archived, None):
            self._differ(missing.offset, "it is missing, as are those after it")
        self._translate(None)
        return self.found

    def _translate(self, archived: int | None) -> None:
        """Positions up to this archived record become that of the record in its place; past all, the end."""
        while self._wanted and (archived is None or self._wanted[-1] <= archived):
            self.found.positions[self._wanted.pop()] = self._at

    def _differ(self, offset: int, what: str) -> None:
        if len(self.found.differences) < DIFFERENCES_MAX:
            self.found.differences.append(f"{self.found.job.topic}[{self.found.job.number}]@{offset}: {what}.")
