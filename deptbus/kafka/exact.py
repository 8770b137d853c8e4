"""Writes records at given offsets: those that somebody has seen are never somewhere else.

A broker numbers what it is given, so offsets at which there is no record must be used up. Transactions that are given
up do that, and a reader of committed records sees nothing of them: records in one take an offset each, its end takes
one. Where only one offset is to be used up, the transaction's only record is one that the broker refuses for its time,
and nothing but its end is written. Whenever a process dies, the next one gives its transaction up and goes on from the
end of the partition: whatever was used up until then lies within the same gap.
"""

import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from deptbus import failpoint
from deptbus.errors import ClusterUnreachable, TopicError, TransactionFenced
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.producer import _FATAL_IS_TOLD, TransactionalProducer, _produce_again
from deptbus.transport import Partition

REFUSED_MS = 253_402_214_399_999
"""A time that no topic takes that bounds how far its records may be ahead of the broker's clock."""
SETTINGS = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(10 * 365 * 86_400_000),
}
"""What a topic must be set to while it is written in this way."""
_FILLED_MAX = 100_000
"""Offsets used up in one transaction."""
_BUFFERED = {"queue.buffering.max.kbytes": 8 * 1024, "queue.buffering.max.messages": 20_000}
_POLL_S = 0.001
_POLL_MAX_S = 0.1

Ends = Callable[[], Mapping[Partition, int]]
"""Answers the next offset of each partition, records of open transactions included."""


class _Lane:
    """One partition that is written to."""

    __slots__ = ("_failed", "name", "next", "number", "physical")

    def __init__(self, name: str, physical: str, number: int, following: int, failed: Callable[[str], None]) -> None:
        self.name, self.physical, self.number = name, physical, number
        self.next = following
        """The offset that the next answer must bring."""
        self._failed = failed

    def answered(self, error: KafkaError | None, message: Message) -> None:
        """The delivery callback."""
        if error is not None:
            self._failed(f"a record for {self.name}[{self.number}]@{self.next} was not written: {error.str()}")
        elif message.offset() != self.next:
            self._failed(
                f"a record for {self.name}[{self.number}]@{self.next} stands at {message.offset()}: "
                "somebody else writes there"
            )
        else:
            self.next += 1


class ExactWriter:
    """Writes to partitions that nobody else writes to. One of the same ``name`` at a time: a new one fences the older.

    Every method raises ``TopicError`` once anything stands where it should not, or was refused.
    """

    def __init__(self, configuration: Configuration, name: str, ends: Ends, timeout_s: float) -> None:
        """``configuration``: a producer's; ``name``: a physical transactional id, of which two are made."""
        self._plain = Producer(configuration | _BUFFERED | {"linger.ms": 5})
        self._produce = self._plain.produce
        self._filling = TransactionalProducer(configuration, f"{name}.filling")
        self._ending = TransactionalProducer(configuration, f"{name}.ending")
        self._ends = ends
        self._timeout_s = timeout_s
        self._lanes: dict[Partition, _Lane] = {}
        self._problem = ""

    def claim(self) -> None:
        """End what an older writer of this name left open, and keep it from going on."""
        for producer in (self._filling, self._ending):
            producer.init()

    def open(self, partition: Partition, physical: str, following: int) -> None:
        """Begin with a partition whose next offset is ``following``."""
        self._lanes[partition] = _Lane(partition[0], physical, partition[1], following, self._fail)

    def send(
        self,
        partition: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
        timestamp_ms: int,
    ) -> None:
        """Hand the next record of a partition over."""
        lane = self._lanes[partition]
        try:
            self._produce(lane.physical, value, key, lane.number, lane.answered, None, timestamp_ms, headers)
        except (BufferError, KafkaException) as refused:
            try:
                _produce_again(
                    self._plain, refused, self._timeout_s,
                    lane.physical, value, key, lane.number, lane.answered, None, timestamp_ms, headers,
                )  # fmt: skip
            except (BufferError, KafkaException) as error:
                self._fail(f"a record for {lane.name}[{lane.number}] is not taken: {error}")

    def poll(self) -> None:
        """Let answers in."""
        with _FATAL_IS_TOLD:
            self._plain.poll(0)
        self._check()

    def flush(self) -> None:
        """Wait until everything handed over stands where it should."""
        while len(self._plain):
            with _FATAL_IS_TOLD:
                self._plain.flush(self._timeout_s)
        self._check()

    def skip(self, gaps: Mapping[Partition, int]) -> None:
        """Use up so many offsets of each partition; everything handed over before stands."""
        left = dict(gaps)
        while left:
            filled = {where: min(gap - 1, _FILLED_MAX) for where, gap in left.items() if gap > 1}
            if filled:
                self._give_up(self._filling, filled, 0)
                used = {where: count + 1 for where, count in filled.items()}
            else:
                self._give_up(self._ending, dict.fromkeys(left, 1), REFUSED_MS)
                used = dict.fromkeys(left, 1)
            for where, count in used.items():
                self._lanes[where].next += count
                left[where] -= count
            self._await(used)
            left = {where: gap for where, gap in left.items() if gap}

    def close(self) -> None:
        """Let go without waiting."""
        self._plain.purge()
        with _FATAL_IS_TOLD:
            self._plain.flush(0)
        self._filling.close()
        self._ending.close()

    def _give_up(self, producer: TransactionalProducer, counts: Mapping[Partition, int], timestamp_ms: int) -> None:
        """A transaction with so many records for each partition that ends in nothing."""
        try:
            producer.begin()
            for where, count in counts.items():
                lane = self._lanes[where]
                for _ in range(count):
                    producer.send(lane.physical, lane.number, None, b"", timestamp_ms=timestamp_ms)
            producer.flush()
            failpoint.hit("inside-gap")
            producer.abort()
        except TransactionFenced:
            raise TopicError("Another process restores the same archive to the same place; only one can.") from None
        failpoint.hit("after-gap")

    def _await(self, partitions: Mapping[Partition, int]) -> None:
        """Until the ends of transactions stand: the broker writes them after it has said that it will."""
        limit = time.monotonic() + self._timeout_s
        pause_s = _POLL_S
        while True:
            ends = self._ends()
            wrong = [where for where in partitions if ends[where] != self._lanes[where].next]
            if not wrong:
                return
            lane = self._lanes[wrong[0]]
            if ends[wrong[0]] > lane.next:
                self._fail(
                    f"{lane.name}[{lane.number}] ends at {ends[wrong[0]]}, not at {lane.next}: somebody writes there"
                )
                self._check()
            if time.monotonic() > limit:
                raise ClusterUnreachable(
                    f"The broker does not end a transaction in {lane.name}[{lane.number}]; try again."
                )
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _POLL_MAX_S)

    def _fail(self, problem: str) -> None:
        self._problem = self._problem or problem

    def _check(self) -> None:
        if self._problem:
            raise TopicError(f"The restore stopped, {self._problem}.")
