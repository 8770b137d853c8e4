"""Reads a stretch of a topic in the order of time across its partitions, with few records in memory."""

import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping

from confluent_kafka import TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import SILENCE_S, Tail
from deptbus.kafka.reader import logical_name
from deptbus.record import Record

_AHEAD_MAX = 2_000
"""A partition of which so many records wait for those of others is not read on."""
_WAIT_S = 0.5


class _Pausing(Tail):
    """A tail of one topic whose partitions can be held."""

    def hold(self, topic: str, partitions: Collection[int]) -> None:
        """Deliver nothing more of these."""
        self._consumer.pause([TopicPartition(topic, partition) for partition in partitions])

    def release(self, topic: str, partitions: Collection[int]) -> None:
        """Deliver these again."""
        self._consumer.resume([TopicPartition(topic, partition) for partition in partitions])


def read_in_order(configuration: Configuration, topic: str, between: Mapping[int, tuple[int, int]]) -> Iterator[Record]:
    """The records of a physical topic with ``start`` <= offset < ``end`` of each partition, by their timestamps.

    Within a partition their order stays as it is. Raises ``NotFound``, ``ClusterUnreachable``.
    """
    name = logical_name(topic)
    ahead: dict[int, deque[Record]] = {p: deque() for p, (start, end) in between.items() if start < end}
    if not ahead:
        return
    tail = _Pausing(configuration, {topic: {partition: between[partition][0] for partition in ahead}})
    held: set[int] = set()
    silent_s = 0.0  # while waiting here; whoever takes the records may take long
    try:
        while ahead:
            before, began = dict(tail.reached), time.monotonic()
            for record in tail.poll(_WAIT_S):
                if record.partition in ahead and record.offset < between[record.partition][1]:
                    ahead[record.partition].append(record)
            silent_s = 0.0 if tail.reached != before else silent_s + time.monotonic() - began
            if silent_s > SILENCE_S:
                raise ClusterUnreachable(
                    f"No record of {name} came for {SILENCE_S:.0f} s though there are some; the broker is away, or a "
                    "batch there cannot be read."
                )
            unread = {p for p in ahead if tail.reached[name, p] < between[p][1]}
            yield from _oldest(ahead, unread)
            full = {partition for partition in unread if len(ahead.get(partition, ())) >= _AHEAD_MAX}
            tail.hold(topic, full - held)
            tail.release(topic, held - full)
            held = full
    finally:
        tail.close()


def _oldest(ahead: dict[int, deque[Record]], unread: Collection[int]) -> Iterator[Record]:
    """What comes before everything that is not read yet; partitions that are done with are taken out of ``ahead``."""
    while True:
        for partition in [p for p, records in ahead.items() if not records and p not in unread]:
            del ahead[partition]
        if not ahead or not all(ahead.values()):
            return
        yield min(ahead.values(), key=lambda records: (records[0].timestamp_ms, records[0].partition)).popleft()
