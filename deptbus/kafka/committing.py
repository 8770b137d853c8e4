"""Offsets on their way to a group: asked for without waiting, answered inside ``poll``, kept until they stand.

Nobody waits for an answer: librdkafka may never give one (see ``forgetting``), and a member that waits does not poll.
"""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from deptbus.kafka.reader import PASSING

Place = tuple[str, int]
"""A physical topic and a partition."""

SETTLE_S = 5.0
"""How long a member that leaves waits until what it has committed stands, in seconds."""

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


class Commits:
    """What one member commits. ``answered`` is the client's ``on_commit``."""

    def __init__(self) -> None:
        self._due: dict[Place, int] = {}
        """What does not stand yet."""
        self._asked: dict[Place, int] = {}
        """What of it is asked for and not answered."""
        self._refused: KafkaError | None = None

    def add(self, offsets: Mapping[Place, int]) -> None:
        """Everything before these offsets is handled."""
        self._due.update(offsets)

    def drop(self, places: Iterable[Place]) -> None:
        """These are somebody else's now."""
        for place in places:
            self._due.pop(place, None)
            self._asked.pop(place, None)

    def ask(self, consumer: Consumer, *, at_once: bool = False) -> KafkaError | None:
        """Ask for what does not stand; what was refused before, where that does not pass by itself.

        One at a time, so that none comes behind a later one, unless there is no time for that.
        """
        refused, self._refused = self._refused, None
        if refused is None and self._due and (at_once or not self._asked):
            self._asked = self._due.copy()
            try:
                consumer.commit(offsets=[TopicPartition(*place, at) for place, at in self._due.items()])
            except KafkaException as error:
                self._asked.clear()
                refused = _lasting(error.args[0])
        return refused

    def answered(self, error: KafkaError | None, partitions: Iterable[TopicPartition]) -> None:
        """Take in an answer; an error is of all partitions, whichever are named."""
        if error is not None:
            self._asked.clear()
        for partition in partitions:
            place, offset = (partition.topic, partition.partition), partition.offset
            if self._asked.get(place) == offset:
                del self._asked[place]
            refused = partition.error or error
            if refused is not None:
                self._refused = self._refused or _lasting(refused)
            elif self._due.get(place) == offset:
                del self._due[place]

    def settle(self, consumer: Consumer) -> None:
        """Wait a little until everything stands. What comes meanwhile is delivered to whoever is next."""
        limit = time.monotonic() + SETTLE_S
        while self._due and self.ask(consumer) is None and time.monotonic() < limit:
            consumer.poll(0.05)


def _lasting(error: KafkaError) -> KafkaError | None:
    """The error, where it does not pass by itself."""
    return None if error.retriable() or error.code() in REBALANCING | AWAY else error
