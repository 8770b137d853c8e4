"""A stretch of a topic: for each partition the offsets from and up to which it goes. Pure but for the log it asks.

Both ends are fixed when it is resolved, so that what is done with it ends, and can be done again with the same records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from deptbus.clock import iso
from deptbus.errors import NotFound, SettingsError
from deptbus.operations.points import Kind, Point

Range = tuple[int, int]
"""The first offset, and the one behind the last."""


class Log(Protocol):
    """What must be known of topics, by their logical names, to resolve a stretch."""

    def bounds(self, topic: str) -> Mapping[int, Range]:
        """First and next stable offset of each partition; ``NotFound``, ``ClusterUnreachable``."""

    def at_time(self, topic: str, time_ms: int) -> Mapping[int, int]:
        """Of each partition the first offset with that timestamp or a later one; its end where there is none."""

    def find(self, topic: str, event_id: str) -> tuple[int, int, int] | None:
        """Partition, offset and timestamp of an event; None where it is not there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive records of each partition of one topic, by its logical name."""

    topic: str
    ranges: Mapping[int, Range]

    @property
    def offsets(self) -> int:
        """How many offsets it has; transaction markers and what compaction removed count."""
        return sum(end - start for start, end in self.ranges.values())


def resolve(log: Log, topic: str, start: Point, end: Point, now_ms: int) -> Stretch:
    """The stretch between two points; the record that ``end`` names (by offset or event id) belongs to it.

    Raises ``SettingsError`` where a time lies in the future or the end before the start, ``NotFound`` for an event
    that is not there.
    """
    for option, point in (("--from", start), ("--to", end)):
        if point.kind is Kind.TIME and point.number > now_ms:
            raise SettingsError(f"{option} {point} lies in the future; it is {iso(now_ms)} now.")
    if start.kind is end.kind and start.kind in (Kind.TIME, Kind.OFFSET) and end.number < start.number:
        raise SettingsError(f"--to {end} lies before --from {start}; exchange them.")
    bounds = log.bounds(topic)
    starts = _offsets(log, topic, start, bounds, last=False)
    ends = _offsets(log, topic, end, bounds, last=True)
    if start.kind is not Kind.END and all(ends[p] < starts[p] for p in bounds):
        raise SettingsError(f"--to {end} lies before --from {start} in {topic}; exchange them.")
    return Stretch(topic, {p: (starts[p], max(starts[p], ends[p])) for p in bounds})


def _offsets(log: Log, topic: str, point: Point, bounds: Mapping[int, Range], *, last: bool) -> dict[int, int]:
    """Of each partition where a point lies, within its bounds; ``last``: behind the record that it names."""
    match point.kind:
        case Kind.BEGINNING:
            found: Mapping[int, int] = {p: low for p, (low, _) in bounds.items()}
        case Kind.END:
            found = {p: high for p, (_, high) in bounds.items()}
        case Kind.LAST:
            found = {p: high - point.number for p, (_, high) in bounds.items()}
        case Kind.OFFSET:
            found = dict.fromkeys(bounds, point.number + last)
        case Kind.TIME:
            found = log.at_time(topic, point.number)
        case Kind.EVENT:
            place = log.find(topic, point.event_id)
            if place is None:
                raise NotFound(f"There is no event {point.event_id} on {topic}; `deptbus trace` looks on all topics.")
            partition, offset, time_ms = place
            found = {**log.at_time(topic, time_ms + last), partition: offset + last}
    return {p: min(max(found[p], low), high) for p, (low, high) in bounds.items()}
