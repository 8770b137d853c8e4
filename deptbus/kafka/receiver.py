"""``KafkaReceiver``: a member of a consumer group that commits by hand."""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.committing import Commits
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.forgetting import let_go
from deptbus.kafka.reader import Reader, logical_name
from deptbus.record import Record
from deptbus.transport import Partition, Position


class KafkaReceiver(Reader):
    """A member of a group that commits by hand. Used from one thread at a time."""

    def __init__(self, configuration: Configuration, physical: Mapping[str, str]) -> None:
        """``physical``: logical to physical name of each topic."""
        self._commits = Commits()
        super().__init__(configuration | {"on_commit": self._commits.answered})
        self._physical = physical
        self._moved: dict[Partition, tuple[int, float]] = {}
        self._held: set[Partition] = set()
        self._lost: set[Partition] = set()
        """What was taken away during the present ``poll``."""
        self._join()

    def poll(self, count_max: int, timeout_s: float) -> list[Record]:
        """The next records; none of a partition that was taken away meanwhile."""
        self._ask()
        self._lost.clear()
        records = self._records(count_max, timeout_s)
        if not self._lost:
            return records
        for partition in self._lost:
            self.reached.pop(partition, None)
        return [record for record in records if (record.topic, record.partition) not in self._lost]

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Have these committed, without waiting; what falls into a rebalance, or finds no broker, is asked for again.

        Partitions that now belong to another member are left out: it handles their records again.
        """
        mine = {partition: offset for partition, offset in offsets.items() if partition in self.reached}
        self._commits.add({(self._physical[topic], number): offset for (topic, number), offset in mine.items()})
        self._ask()

    def _ask(self) -> None:
        refused = self._commits.ask(self._consumer)
        if refused is not None:
            raise ClusterUnreachable(f"Offsets could not be committed: {refused.str()}")

    def hold(self, partition: Partition, offset: int) -> None:
        """Go back to ``offset`` and deliver nothing of this partition until ``release``."""
        if partition not in self.reached:
            return
        where = TopicPartition(self._physical[partition[0]], partition[1], offset)
        self._consumer.pause([where])
        self._consumer.seek(where)
        self._held.add(partition)
        self.reached[partition] = offset

    def release(self, partition: Partition) -> None:
        """Deliver a held partition again."""
        if partition in self._held:
            self._held.discard(partition)
            self._consumer.resume([TopicPartition(self._physical[partition[0]], partition[1])])

    def positions(self) -> list[Position]:
        """Where this member stands; called now and then, it notices a partition that does not move."""
        now = time.monotonic()
        positions = []
        for assigned in self._consumer.assignment():
            partition = (logical_name(assigned.topic), assigned.partition)
            _, end = self._consumer.get_watermark_offsets(assigned, cached=True)
            reached = self.reached.get(partition, 0)
            at, since = self._moved.get(partition, (-1, now))
            if at != reached or reached >= end or partition in self._held:
                at, since = reached, now
            self._moved[partition] = (at, since)
            positions.append(Position(*partition, reached, end, now - since))
        return positions

    def close(self) -> None:
        """Wait a little until everything stands that was committed, and leave the group."""
        self._commits.settle(self._consumer)
        let_go(self._consumer)

    def _join(self) -> None:
        self.joined, self._waits_since = False, time.monotonic()
        topics = list(self._physical.values())
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._out)

    def _any_topic(self) -> str:
        return next(iter(self._physical.values()))

    def _begin_anew(self) -> None:
        self._gone(self._consumer, self._consumer.assignment())
        self._exchange()
        self._join()

    def _assigned(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        """What came back within one ``poll`` is delivered: its position is beyond what this poll returns."""
        if consumer is not self._consumer:
            return
        self.joined, self._waits_since = True, None
        self._lost.difference_update((logical_name(given.topic), given.partition) for given in partitions)

    def _revoked(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        if consumer is self._consumer:
            self._commits.ask(consumer, at_once=True)
            self._gone(consumer, partitions)

    def _out(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        """The broker has heard nothing of us for a session."""
        if consumer is self._consumer:
            self.joined, self._waits_since = False, time.monotonic()
        self._gone(consumer, partitions)

    def _gone(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        """These belong to another member already."""
        if consumer is not self._consumer:  # it was let go of
            return
        self._commits.drop((taken.topic, taken.partition) for taken in partitions)
        for taken in partitions:
            partition = (logical_name(taken.topic), taken.partition)
            self._lost.add(partition)
            self.reached.pop(partition, None)
            self._moved.pop(partition, None)
            self._held.discard(partition)
