"""Looks at groups and at what they have not read: offsets, bounds, and the first unread record of each partition."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from deptbus.clock import system_clock
from deptbus.kafka.admin import Admin
from deptbus.kafka.commits import CommitTimes
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.groups import Groups
from deptbus.operations.groups import Group, is_job
from deptbus.operations.lag import Look
from deptbus.settings import Settings
from deptbus.transport import Partition

COUNT_MAX = 5_000
"""A stretch of at most so many offsets is read to count its records: markers and gaps are none."""
COUNTED_MAX = 100_000
"""Offsets read to count in one look, in all partitions together."""
SILENCE_S = 5.0
"""A record of which nothing comes for so long, though the broker answers, cannot be read, in seconds."""
_BATCH = 2_000
_DAMAGED = frozenset({KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG})
"""What librdkafka says, again and again, of a batch that it cannot read."""


@dataclass(slots=True)
class Peek:
    """The first record from a position on, and how many there are up to an end."""

    first_ms: int | None = None
    records: int | None = None
    readable: bool = False
    """Whether a record came, or the answer that there is none."""


class Looker:
    """Looks at the groups of the namespace that the settings name. Keeps connections: ``close`` it."""

    def __init__(self, settings: Settings, silence_s: float = SILENCE_S) -> None:
        self._world = settings.world
        self._admin = Admin(client_configuration(settings))
        self._groups = Groups(client_configuration(settings), self._world)
        self._reader = reader_configuration(settings) | {
            "queued.min.messages": 1,
            "queued.max.messages.kbytes": 2_048,
            "fetch.message.max.bytes": 65_536,  # a larger batch still comes, alone
        }
        self._commits = CommitTimes(reader_configuration(settings), self._world)
        self._silence_s = silence_s

    def close(self) -> None:
        """Let go of the broker."""
        self._commits.close()

    def names(self, *, jobs: bool = False) -> list[str]:
        """The groups that there are; ``jobs``: also those under which a job keeps its place, and nobody reads on.

        ``ClusterUnreachable`` where no broker answers.
        """
        self._admin.brokers()  # says in one sentence who does not answer where
        return [name for name in self._groups.names() if jobs or not is_job(name)]

    def look(self, names: Collection[str], topics: Collection[str] = ()) -> list[Look]:
        """One look at some groups, in every topic that they read or in some of them."""
        groups = {group.name: group for group in self._groups.describe(names)}
        committed = self._groups.committed(names)
        at = self._commits.of(names)
        places = {
            (name, partition): committed[name].get(partition)
            for name, group in groups.items()
            for partition in {*committed[name], *group.owners()}
            if not topics or partition[0] in topics
        }
        read = {topic for _, (topic, _) in places}
        # Only after the offsets: what is read in between makes a group look further behind than it is, never ahead.
        starts = self._admin.start_offsets(self._world, read)
        ends = self._admin.end_offsets(self._world, read)
        latest = self._admin.end_offsets(self._world, read, committed=False)
        newest = self._admin.newest_times(self._world, read)
        now_ms = max([system_clock(), *newest.values()])
        places = {where: offset for where, offset in places.items() if where[1] in ends}  # else the topic is gone
        unread = {
            (partition, position): ends[partition]
            for (_, partition), offset in places.items()
            if (position := max(starts[partition], offset or 0)) < ends[partition]
        }
        peeks = self._peek(unread, self._reader)
        held = {(partition, end): latest[partition] for partition, end in ends.items() if end < latest[partition]}
        waits = self._peek(held, self._reader | {"isolation.level": "read_uncommitted"}, count=False)
        looks = []
        for (name, partition), offset in sorted(places.items(), key=lambda place: place[0]):
            peek = peeks.get((partition, max(starts[partition], offset or 0)))
            wait = waits.get((partition, ends[partition]))
            looks.append(
                Look(
                    name, *partition, now_ms, offset, starts[partition], ends[partition], latest[partition],
                    records=peek.records if peek else 0,
                    first_ms=peek.first_ms if peek else None,
                    readable=peek is None or peek.readable,
                    newest_ms=newest.get(partition),
                    held_ms=wait.first_ms if wait else None,
                    committed_ms=at.get((name, *partition)),
                    members=len(groups[name].members),
                    owner=groups[name].owners().get(partition, ""),
                )
            )  # fmt: skip
        return looks

    def held(self) -> list[tuple[str, int, int]]:
        """Partitions whose readers wait for the end of a transaction: name, offset, and for how long already, in ms."""
        topics = self._admin.names(self._world)
        ends = self._admin.end_offsets(self._world, topics)
        latest = self._admin.end_offsets(self._world, topics, committed=False)
        waits = self._peek(
            {(partition, end): latest[partition] for partition, end in ends.items() if end < latest[partition]},
            self._reader | {"isolation.level": "read_uncommitted"},
            count=False,
        )
        now_ms = system_clock()
        return [
            (f"{topic}[{number}]", end, now_ms - wait.first_ms)
            for ((topic, number), end), wait in waits.items()
            if wait.first_ms is not None
        ]

    def describe(self, names: Iterable[str]) -> list[Group]:
        """Groups with their members."""
        return self._groups.describe(names)

    def _peek(
        self, wanted: Mapping[tuple[Partition, int], int], configuration: Mapping[str, object], *, count: bool = True
    ) -> dict[tuple[Partition, int], Peek]:
        """The first records from positions on, up to ends; small stretches are counted, the smallest first."""
        found = {place: Peek() for place in wanted}
        budget = COUNTED_MAX
        counted = set()
        for place in sorted(wanted, key=lambda place: wanted[place] - place[1]):
            span = wanted[place] - place[1]
            if count and span <= min(COUNT_MAX, budget):
                counted.add(place)
                found[place].records = 0
                budget -= span
        for places in _rounds(wanted):
            # One for each round: what a partition's end said at one position would be taken for the next.
            consumer = Consumer(dict(configuration))
            try:
                self._round(consumer, {p: (position, wanted[p, position]) for p, position in places}, found, counted)
            finally:
                consumer.close()
        return found

    def _round(
        self,
        consumer: Consumer,
        between: dict[Partition, tuple[int, int]],
        found: dict[tuple[Partition, int], Peek],
        counted: Collection[tuple[Partition, int]],
    ) -> None:
        """Read partitions, each from one position, until each has said what is asked of it or nothing more comes."""
        physical = self._world.physical
        consumer.assign([TopicPartition(physical(topic), p, start) for (topic, p), (start, _) in between.items()])
        waiting = set(between)
        limit = time.monotonic() + self._silence_s
        while waiting and time.monotonic() < limit:
            for message in consumer.consume(_BATCH, 0.05):
                partition = (self._world.logical(message.topic() or ""), message.partition() or 0)
                if partition not in waiting:
                    continue
                start, end = between[partition]
                place = (partition, start)
                peek = found[place]
                over = _take(message, peek, end, count=place in counted)
                if peek.readable:  # what says again and again that it cannot be read is silence, too
                    limit = time.monotonic() + self._silence_s
                if over:
                    waiting.discard(partition)
                    consumer.pause([TopicPartition(physical(partition[0]), partition[1])])
        for partition in waiting:
            found[partition, between[partition][0]].records = None  # not all of them were seen


def _take(message: Message, peek: Peek, end: int, *, count: bool) -> bool:
    """Note what a message says; True where nothing more is asked of its partition."""
    error = message.error()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:
            peek.readable = True
        elif error.code() in _DAMAGED:
            peek.records = None
        else:
            return False
        return True
    offset = message.offset() or 0
    peek.readable = True
    if offset >= end:
        return True
    if peek.first_ms is None:
        peek.first_ms = message.timestamp()[1]
    if not count:
        return True
    peek.records = (peek.records or 0) + 1
    return offset + 1 >= end


def _rounds(places: Iterable[tuple[Partition, int]]) -> Iterator[list[tuple[Partition, int]]]:
    """Places in turns: in each, a partition stands at one position."""
    left = sorted(places)
    while left:
        turn: dict[Partition, int] = {}
        later = []
        for partition, position in left:
            if partition in turn:
                later.append((partition, position))
            else:
                turn[partition] = position
        yield list(turn.items())
        left = later
