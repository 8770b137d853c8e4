"""What ``deptbus tail`` reads of a topic: its newest events, those of a stretch, and those that come. Oldest first.

All are bounded: the newest ones are looked for among so many records at most, a stretch ends where it was resolved, and
what comes is taken a few hundred at a time, when it is wanted.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import Tail, read_ranges
from deptbus.kafka.ordered import read_in_order
from deptbus.operations.lines import Line
from deptbus.operations.points import BEGINNING, END, Point
from deptbus.operations.stretch import Log, Range, resolve
from deptbus.record import Record

LOOKED_MAX = 1_000_000
"""Records that are looked at for the newest ones that are meant, at most."""
_MARKERS = 3
"""Offsets looked back for each record wanted: transaction markers take some."""
_FURTHER = 4
"""By which factor each look goes further back than the one before."""
_WAIT_S = 0.25

LineOf = Callable[[Record], Line | None]
"""The line of a record; None where it is not meant."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a topic, by its logical name."""

    topic: str
    start: Point | None = None
    """None for the newest."""
    end: Point = END
    limit: int | None = 10
    """How many: the newest, or from ``start`` on; None for all from there on."""
    follow: bool = False
    """Whether what comes is waited for, without end."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the records come from. ``physical`` is what Kafka knows the topic as."""

    configuration: Configuration
    log: Log
    physical: str
    line_of: LineOf


def lines(source: Source, wanted: Wanted, now_ms: int, tell: Callable[[str], None]) -> Iterator[Line]:
    """What is wanted, oldest first; raises as ``resolve``.

    ``tell`` is told ``bound`` where older ones than were looked at may be meant, and ``limit`` where that has ended it.
    """
    stretch = resolve(source.log, wanted.topic, wanted.start or BEGINNING, wanted.end, now_ms)
    if wanted.start is None:
        found = newest(source.configuration, source.physical, stretch.ranges, wanted.limit or 1, source.line_of)
        if not found.all:
            tell("bound")
        yield from found.lines
        if wanted.follow:
            yield from _coming(source, stretch.ranges)
        return
    found_lines = _within(source, stretch.ranges)
    if wanted.follow:
        found_lines = chain(found_lines, _coming(source, stretch.ranges))
    shown = 0
    for line in islice(found_lines, wanted.limit):
        yield line
        shown += 1
    if shown == wanted.limit:
        tell("limit")


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest lines, oldest first. ``all``: whether nothing older was left out because of the bound."""

    lines: list[Line]
    all: bool


def newest(
    configuration: Configuration, topic: str, bounds: Mapping[int, Range], count: int, line_of: LineOf
) -> Newest:
    """The newest ``count`` lines of a physical topic within bounds, by the records' timestamps."""
    found: dict[int, list[Line]] = {partition: [] for partition in bounds}
    reached = {partition: high for partition, (_, high) in bounds.items()}
    oldest_ms: dict[int, int] = {}
    looked, back = 0, count * _MARKERS
    while True:
        lines = _sorted(found)[-count:]
        wanted = {
            partition: (max(low, reached[partition] - back), reached[partition])
            for partition, (low, _) in bounds.items()
            if reached[partition] > low
            and len(found[partition]) < count
            and (len(lines) < count or oldest_ms.get(partition, 0) >= lines[0].record.timestamp_ms)
        }
        if not wanted or looked >= LOOKED_MAX:
            return Newest(lines, not wanted)
        fresh: dict[int, deque[Line]] = {partition: deque(maxlen=count) for partition in wanted}
        for record in read_ranges(configuration, topic, wanted):
            looked += 1
            partition = record.partition
            oldest_ms[partition] = min(record.timestamp_ms, oldest_ms.get(partition, record.timestamp_ms))
            line = line_of(record)
            if line is not None:
                fresh[partition].append(line)
        for partition, (start, _) in wanted.items():
            found[partition] = [*fresh[partition], *found[partition]][-count:]
            reached[partition] = start
        back *= _FURTHER


def _within(source: Source, ranges: Mapping[int, Range]) -> Iterator[Line]:
    """The lines of a stretch, in the order of the records' timestamps."""
    yield from filter(None, map(source.line_of, read_in_order(source.configuration, source.physical, ranges)))


def _coming(source: Source, ranges: Mapping[int, Range]) -> Iterator[Line]:
    """The lines behind a stretch as they come, without end."""
    tail = Tail(source.configuration, {source.physical: {partition: end for partition, (_, end) in ranges.items()}})
    try:
        while True:
            yield from filter(None, map(source.line_of, tail.poll(_WAIT_S)))
    finally:
        tail.close()


def _sorted(found: Mapping[int, list[Line]]) -> list[Line]:
    lines = [line for part in found.values() for line in part]
    lines.sort(key=lambda line: (line.record.timestamp_ms, line.record.partition, line.record.offset))
    return lines
