"""Consumers without a group: a tail, and readers up to the known end.

All read committed records only. A log may end in transaction markers, which no client is shown: positions
come from the end-of-partition event, never from counting records.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from deptbus.errors import ClusterUnreachable, NotFound
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.forgetting import QUIET_S, is_cut_off, let_go
from deptbus.record import Record
from deptbus.transport import Partition

BEGINNING = int(OFFSET_BEGINNING)
END = int(OFFSET_END)

_log = logging.getLogger("deptbus.kafka")
T = TypeVar("T")
Pair = tuple[bytes, bytes]
"""Key and value."""

_REPLY_S = 10.0
"""How long a broker may take to answer a question about a topic, in seconds."""
_ELECTION_S = 0.05
"""How long to wait before asking again for a leader, in seconds."""
_ELECTING = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._UNKNOWN_PARTITION}
)
"""The last is librdkafka's word for a partition without a leader."""
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


def logical_name(physical: str) -> str:
    """The name in ``topics/`` of a Kafka topic of any namespace."""
    return physical.split(".", 2)[2] if physical.startswith("ns.") else physical


class _LogicalNames(dict[str, str]):
    """Logical by physical topic name, made when it is first asked for."""

    def __missing__(self, physical: str) -> str:
        return self.setdefault(physical, logical_name(physical))


# Cured by going on: a member that was too slow joins again, a lost broker comes back, a coordinator is found anew.
PASSING = frozenset(
    {
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._WAIT_COORD,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.REQUEST_TIMED_OUT,
    }
)


class Reader:
    """What all consumers share: batches of records, and the position reached in each partition.

    A client that has forgotten every broker (see ``forgetting``) is exchanged inside ``poll``.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._consumer = Consumer(configuration)
        self._heard_at = time.monotonic()
        self._logical = _LogicalNames()
        self.reached: dict[Partition, int] = {}
        """The next offset of each partition; at its end, markers after the last record are behind it."""

    def _records(self, count_max: int, timeout_s: float) -> list[Record]:
        """What is there, waiting at most ``timeout_s`` for the first; consume() waits for a full batch."""
        records: list[Record] = []
        reached, logical = self.reached, self._logical
        for message in self._messages(count_max, timeout_s):
            if message.error() is not None:
                self._event(message)
                continue
            topic, partition, offset = logical[message.topic()], message.partition(), message.offset()
            reached[topic, partition] = offset + 1
            records.append(
                Record(
                    topic, partition, offset, message.timestamp()[1],
                    message.key(), message.value(), message.headers() or [],
                )
            )  # fmt: skip
        return records

    def _messages(self, count_max: int, timeout_s: float) -> list[Message]:
        first = self._consumer.poll(timeout_s)
        now = time.monotonic()
        if first is None:
            if now - self._heard_at > QUIET_S:
                self._look_around()
            return []
        self._heard_at = now
        return [first, *self._consumer.consume(count_max - 1, 0)] if count_max > 1 else [first]

    def _look_around(self) -> None:
        """Nothing was heard for long: because nothing was said, or because nobody is heard any more."""
        topic = self._any_topic()
        if topic is not None and is_cut_off(self._consumer, self._configuration, topic):
            _log.warning("a client no longer sees the broker, which is there; another takes its place: %s", topic)
            self._begin_anew()
        self._heard_at = time.monotonic()

    def _any_topic(self) -> str | None:
        """A physical topic that is read."""
        return next((place.topic for place in self._consumer.assignment()), None)

    def _begin_anew(self) -> None:
        """Go on from where it has come to with another client."""
        places = [
            TopicPartition(place.topic, place.partition, self.reached[self._logical[place.topic], place.partition])
            for place in self._consumer.assignment()
        ]
        self._exchange()
        self._consumer.assign(places)

    def _exchange(self) -> None:
        """Take another client; nobody waits for the end of this one."""
        before, self._consumer = self._consumer, Consumer(self._configuration)
        let_go(before, 0)

    def _event(self, message: Message) -> None:
        """What librdkafka says between records."""
        error = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            partition = (self._logical[message.topic()], message.partition())
            self.reached[partition] = max(message.offset(), self.reached.get(partition, 0))
        else:
            self._failed(error, message)

    def _failed(self, error: KafkaError, message: Message) -> None:
        if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
            raise NotFound(f"The topic {message.topic()} is not there. Run `deptbus topics apply`.")
        if error.fatal() or not (error.retriable() or error.code() in PASSING):
            raise ClusterUnreachable(
                f"Reading {message.topic() or 'as this group'} ended: {error.str()} ({error.name()})"
            )

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


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

    def poll(self, timeout_s: float, count_max: int = 500) -> list[Record]:
        """The next records of all topics; waits at most ``timeout_s`` for the first."""
        return self._records(count_max, timeout_s)

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


def watermarks(consumer: Consumer, topic: str, only: int | None = None) -> dict[int, tuple[int, int]]:
    """First and next stable offset of each partition, or of one; raises ``NotFound`` or ``ClusterUnreachable``."""
    limit = time.monotonic() + _REPLY_S
    while True:
        try:
            found = consumer.list_topics(topic, _REPLY_S).topics[topic]
            if found.error is not None and found.error.code() not in _ELECTING:
                raise NotFound(f"The topic {topic} is not there. Run `deptbus topics apply`.")
            return {
                partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), _REPLY_S)
                for partition in (sorted(found.partitions) if only is None else (only,))
            }
        except KafkaException as error:
            # A topic that is new, or whose broker is restarting, has no leader for a moment.
            if error.args[0].code() not in _ELECTING or time.monotonic() > limit:
                raise ClusterUnreachable(
                    f"The broker does not say where {topic} ends ({error.args[0].str()}). Start it with "
                    "`deptbus up`, or set BUS_BOOTSTRAP_SERVERS."
                ) from error
            time.sleep(_ELECTION_S)


def bounds(configuration: Configuration, topic: str) -> dict[int, tuple[int, int]]:
    """First and next stable offset of each partition of a physical topic; raises as ``watermarks``."""
    return bounds_of(configuration, [topic])[topic]


def bounds_of(configuration: Configuration, topics: Iterable[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """The bounds of several physical topics, by topic and partition; raises as ``watermarks``."""
    consumer = Consumer(configuration)
    try:
        return {topic: watermarks(consumer, topic) for topic in topics}
    finally:
        consumer.close()


def ends_of(configuration: Configuration, topics: Mapping[str, int | None]) -> dict[Partition, int]:
    """The next offset, as ``configuration`` isolates, of one partition of each physical topic, or of all (None).

    By physical topic and partition; raises as ``watermarks``.
    """
    consumer = Consumer(configuration)
    try:
        return {
            (topic, partition): high
            for topic, only in topics.items()
            for partition, (_, high) in watermarks(consumer, topic, only).items()
        }
    finally:
        consumer.close()


def end_offsets(configuration: Configuration, topic: str) -> dict[int, int]:
    """The next stable offset of each partition of a physical topic: how far a reader can come now."""
    return {partition: high for partition, (_, high) in bounds(configuration, topic).items()}


def read_topic(configuration: Configuration, topic: str) -> Iterator[Record]:
    """Every record of a physical topic up to the ends known at the first call, in order per partition."""
    yield from read_ranges(configuration, topic, bounds(configuration, topic))


def read_partition(
    configuration: Configuration, topic: str, partition: int, start: int = BEGINNING, end: int = END
) -> Iterator[Record]:
    """The records of one partition of a physical topic with ``start`` <= offset < ``end``.

    ``BEGINNING`` and ``END`` are the bounds known at the first call.
    """
    if start == BEGINNING or end == END:
        low, high = bounds(configuration, topic)[partition]
        start = low if start == BEGINNING else start
        end = high if end == END else end
    yield from read_ranges(configuration, topic, {partition: (start, end)})


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


def read_ranges(configuration: Configuration, topic: str, between: Mapping[int, tuple[int, int]]) -> Iterator[Record]:
    """The records of some partitions of a physical topic between bounds, in order per partition."""
    for records in _batches(lambda tail: tail.poll(0.5, FEW), configuration, topic, between):
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
