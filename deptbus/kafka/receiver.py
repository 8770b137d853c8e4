"""``KafkaReceiver``: a member of a consumer group that commits by hand."""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import PASSING, Reader, logical_name
from deptbus.record import Record
from deptbus.transport import Partition, Position

# The group is being shared out anew: a partition that stays is committed afterwards, one that goes is not.
REBALANCING = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._NO_OFFSET,
        KafkaError._ASSIGNMENT_LOST,
    }
)

# The coordinator does not answer now; what is not committed then is committed once it does.
AWAY = PASSING | {KafkaError._TIMED_OUT, KafkaError._TIMED_OUT_QUEUE}


class KafkaReceiver(Reader):
    """A member of a group that commits by hand. Used from one thread at a time."""

    def __init__(self, configuration: Configuration, physical: Mapping[str, str]) -> None:
        """``physical``: logical to physical name of each topic."""
        super().__init__(configuration)
        self.joined = False
        self._physical = physical
        self._moved: dict[Partition, tuple[int, float]] = {}
        self._held: set[Partition] = set()
        self._lost: set[Partition] = set()
        """What was taken away during the present ``poll``."""
        self._due: dict[Partition, int] = {}
        self._consumer.subscribe(
            list(physical.values()), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self, count_max: int, timeout_s: float) -> list[Record]:
        """The next records; none of a partition that was taken away meanwhile."""
        if self._due:
            self._commit_due()
        self._lost.clear()
        records = self._records(count_max, timeout_s)
        if not self._lost:
            return records
        for partition in self._lost:
            self.reached.pop(partition, None)
        return [record for record in records if (record.topic, record.partition) not in self._lost]

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit and wait for the answer. What falls into a rebalance, or finds no broker, a later ``poll`` commits.

        Partitions that now belong to another member are left out: it handles their records again.
        """
        self._due.update({partition: offset for partition, offset in offsets.items() if partition in self.reached})
        if self._due:
            self._commit_due()

    def _commit_due(self) -> None:
        wanted = [
            TopicPartition(self._physical[topic], partition, offset) for (topic, partition), offset in self._due.items()
        ]
        try:
            self._consumer.commit(offsets=wanted, asynchronous=False)
        except KafkaException as error:
            refused = error.args[0]
            if refused.code() not in REBALANCING | AWAY and not refused.retriable():
                raise ClusterUnreachable(f"Offsets could not be committed: {refused.str()}") from error
        else:
            self._due.clear()

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
        """Commit what a rebalance has put off, and leave the group."""
        if self._due:
            self._commit_due()
        super().close()

    def _assigned(self, _: Consumer, partitions: Iterable[TopicPartition]) -> None:
        """What came back within one ``poll`` is delivered: its position is beyond what this poll returns."""
        self.joined = True
        self._lost.difference_update((logical_name(given.topic), given.partition) for given in partitions)

    def _revoked(self, _: Consumer, partitions: Iterable[TopicPartition]) -> None:
        if self._due:
            self._commit_due()
        for taken in partitions:
            partition = (logical_name(taken.topic), taken.partition)
            self._lost.add(partition)
            self.reached.pop(partition, None)
            self._due.pop(partition, None)
            self._moved.pop(partition, None)
            self._held.discard(partition)
