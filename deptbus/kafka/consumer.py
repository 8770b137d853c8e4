"""Consumers without a group: a tail, and readers up to the known end.

All read committed records only. A log may end in transaction markers, which no client is shown: positions
come from the end-of-partition event, never from counting records.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Message, TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.ends import bounds, watermarks
from deptbus.kafka.reader import Reader, logical_name
from deptbus.record import Record
from deptbus.transport import Partition

BEGINNING = int(OFFSET_BEGINNING)
END = int(OFFSET_END)

T = TypeVar("T")
Pair = tuple[bytes, bytes]
"""Key and value."""

FEW = 50
"""Messages taken over from the client at once: of 10,000 each costs three times as much, for its memory has gone cold
before it is looked at."""
_NEWEST, _NEWEST_MAX = 16, 100_000
"""How many offsets are looked through at once for the newest record, at first and at most."""
_PAIRS = 100
_PAIRS_KB = 4 * 1024
"""How many pairs are asked for at once, and how much is fetched ahead: more is slower, for its memory has gone cold."""
SILENCE_S = 30.0
"""A reader with records before it that gets none for so long gives up, in seconds."""


class Tail(Reader):
    """Follows topics from given offsets, without a group.

    ``starts``: physical topic to ``BEGINNING``, ``END`` or a mapping of partitions to offsets. What ``END``
    means is asked for here, so that whatever is published after the constructor returns is seen.
    """

    def __init__(self, configuration: Configuration, starts: Mapping[str, int | Mapping[int, int]]) -> None:
        super().__init__(configuration)
        assignment = []
        try:
            for topic, start in starts.items():
                offsets = start if isinstance(start, Mapping) else self._offsets(topic, start)
                for partition, offset in offsets.items():
                    assignment.append(TopicPartition(topic, partition, offset))
                    self.reached[logical_name(topic), partition] = max(0, offset)
        except BaseException:
            self.close()
            raise
        self._consumer.assign(assignment)

    def _offsets(self, topic: str, start: int) -> dict[int, int]:
        found = watermarks(self._consumer, topic)
        return {partition: high if start == END else low for partition, (low, high) in found.items()}

    def follow(self, topic: str, partition: int) -> tuple[int, int]:
        """Follow one partition of a physical topic, and nothing else, from its beginning; its bounds as of now."""
        low, high = watermarks(self._consumer, topic, partition)[partition]
        self._consumer.assign([TopicPartition(topic, partition, low)])
        self.reached = {(logical_name(topic), partition): low}
        return low, high

    def poll(self, timeout_s: float, count_max: int = 500, *, headers: bool = True) -> list[Record]:
        """The next records of all topics, without their headers where these are not wanted.

        Waits at most ``timeout_s`` for the first.
        """
        return self._records(count_max, timeout_s, headers=headers)

    def pairs(self, timeout_s: float, count_max: int, end: int) -> list[Pair]:
        """As ``poll``, of the one partition followed only keys and values before ``end``, without tombstones."""
        messages = self._messages(count_max, timeout_s)
        if events := [message for message in messages if message.error() is not None]:
            for event in events:
                self._event(event)
            messages = [message for message in messages if message.error() is None]
        if not messages:
            return []
        last = messages[-1]
        partition = (self._logical[last.topic()], last.partition())
        # The end of the partition, behind markers, may have been told in the same batch.
        self.reached[partition] = max(last.offset() + 1, self.reached[partition])
        if last.offset() >= end:
            messages = [message for message in messages if message.offset() < end]
        return [(message.key(), value) for message in messages if (value := message.value()) is not None]

    def messages(self, timeout_s: float, count_max: int) -> list[Message]:
        """As ``poll``, the client's own messages, for those who cannot afford a ``Record`` of each."""
        found: list[Message] = []
        reached, logical = self.reached, self._logical
        for message in self._messages(count_max, timeout_s):
            if message.error() is not None:
                self._event(message)
            else:
                found.append(message)
        ends = {(message.topic(), message.partition()): message.offset() for message in found}
        for (topic, partition), offset in ends.items():
            reached[logical[topic], partition] = max(offset + 1, reached[logical[topic], partition])
        return found

    def logical(self, physical: str) -> str:
        """The logical name of a topic that is followed."""
        return self._logical[physical]

    def has_reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything before these offsets (logical topic names) has been returned by ``poll``."""
        return all(self.reached.get(partition, 0) >= end for partition, end in ends.items())


def read_topic(configuration: Configuration, topic: str) -> Iterator[Record]:
    """Every record of a physical topic up to the ends known at the first call, in order per partition."""
    yield from read_ranges(configuration, topic, bounds(configuration, topic))


def read_partition(
    configuration: Configuration,
    topic: str,
    partition: int,
    start: int = BEGINNING,
    end: int = END,
    *,
    headers: bool = True,
) -> Iterator[Record]:
    """The records of one partition of a physical topic with ``start`` <= offset < ``end``.

    ``BEGINNING`` and ``END`` are the bounds known at the first call. ``headers``: as ``Tail.poll``.
    """
    if start == BEGINNING or end == END:
        low, high = bounds(configuration, topic)[partition]
        start = low if start == BEGINNING else start
        end = high if end == END else end
    yield from read_ranges(configuration, topic, {partition: (start, end)}, headers=headers)


def read_newest(configuration: Configuration, topic: str, partition: int, end: int) -> Iterator[Record]:
    """The committed records of one partition of a physical topic before ``end``, the newest first.

    Of the offsets before it many may be markers and what was given up: it looks a little further back at a time.
    """
    distance = _NEWEST
    while end > 0:
        start = max(0, end - distance)
        yield from reversed(list(read_partition(configuration, topic, partition, start, end)))
        end, distance = start, min(64 * distance, _NEWEST_MAX)


def read_pairs(
    configuration: Configuration, topic: str, partition: int, told: Callable[[float], None] = lambda share: None
) -> Iterator[list[Pair]]:
    """Keys and values of one partition of a compacted topic up to its end as of the first call, many at a time.

    As ``read_partition``, for those who want nothing else of very many records. Tombstones are left out. ``told`` is
    which share of the partition is read, before each part is handed out.
    """
    where = (logical_name(topic), partition)

    def pairs(tail: Tail) -> list[Pair]:
        found = tail.pairs(0.5, _PAIRS, end)
        told((tail.reached[where] - low) / (end - low))
        return found

    tail = Tail(configuration | {"queued.max.messages.kbytes": _PAIRS_KB}, {})
    try:
        low, end = tail.follow(topic, partition)
        yield from _read(pairs, tail, topic, {partition: (low, end)})
    finally:
        tail.close()


def read_messages(
    configuration: Configuration, topic: str, between: Mapping[int, tuple[int, int]]
) -> Iterator[list[Message]]:
    """The client's own messages of some partitions of a physical topic between bounds, some at a time."""
    for messages in _batches(lambda tail: tail.messages(0.5, FEW), configuration, topic, between):
        yield [message for message in messages if message.offset() < between[message.partition()][1]]


def read_ranges(
    configuration: Configuration, topic: str, between: Mapping[int, tuple[int, int]], *, headers: bool = True
) -> Iterator[Record]:
    """The records of some partitions of a physical topic between bounds, in order per partition.

    ``headers``: as ``Tail.poll``.
    """
    for records in _batches(lambda tail: tail.poll(0.5, FEW, headers=headers), configuration, topic, between):
        for record in records:
            if record.offset < between[record.partition][1]:
                yield record


def _batches(
    poll: Callable[[Tail], list[T]], configuration: Configuration, topic: str, between: Mapping[int, tuple[int, int]]
) -> Iterator[list[T]]:
    """Read each partition between its bounds."""
    starts = {partition: start for partition, (start, end) in between.items() if start < end}
    if not starts:
        return
    tail = Tail(configuration, {topic: starts})
    try:
        yield from _read(poll, tail, topic, between)
    finally:
        tail.close()


def _read(
    poll: Callable[[Tail], list[T]], tail: Tail, topic: str, between: Mapping[int, tuple[int, int]]
) -> Iterator[list[T]]:
    """Go on until each partition has come to its bound. A position counts, not the number of records."""
    name = logical_name(topic)
    waiting = {partition for partition, (start, end) in between.items() if start < end}
    limit = time.monotonic() + SILENCE_S
    while waiting:
        before = dict(tail.reached)
        yield poll(tail)
        if tail.reached != before:
            limit = time.monotonic() + SILENCE_S
        elif time.monotonic() > limit:
            where = ", ".join(f"{name}[{p}]@{tail.reached[name, p]}" for p in sorted(waiting))
            raise ClusterUnreachable(
                f"No record came for {SILENCE_S:.0f} s though there are some: {where}. "
                "The broker is away, or a batch there cannot be read."
            )
        waiting = {p for p in waiting if tail.reached[name, p] < between[p][1]}
