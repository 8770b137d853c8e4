"""``bus.audit`` on Kafka: one record after another, though many processes append.

There is one transactional producer for all of them, fenced by its id. Who initialises it has ended what others had
begun, and reads a log that nobody else can add to without fencing him in turn: the record that he makes of its head is
either the next one or none. So is every later record of his, without reading again, until he is fenced.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator

from confluent_kafka import KafkaError, Message

from deptbus.errors import AuditRefused, ClusterUnreachable, PublishFailed, TransactionFenced, TransactionUnclear
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.kafka.ends import bounds
from deptbus.kafka.producer import TransactionalProducer
from deptbus.operations.acts import TOPIC, Audited, Ready
from deptbus.operations.audit import Place
from deptbus.operations.chain import EMPTY, Head
from deptbus.record import Record
from deptbus.settings import Settings

TRANSACTIONAL_ID = "audit"
"""Within the namespace. Every process that appends uses it, and no other."""
LIMIT_S = 60.0
"""How long an append may be fenced by others before it is given up, in seconds."""
_LOOK_BACK = 32
"""Offsets looked at for the last record, at first: markers take every other one."""
_PAUSE_S = 0.05
_PAUSE_MAX_S = 2.0


class _Answering(TransactionalProducer):
    """Keeps the broker's time of the record that was sent last."""

    timestamp_ms = -1

    def _answered(self, error: KafkaError | None, message: Message) -> None:
        super()._answered(error, message)
        if error is None:
            self.timestamp_ms = message.timestamp()[1]


class KafkaAuditLog:
    """The log of the world that the settings name. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        read: Callable[[Record], Audited | None],
        *,
        limit_s: float = LIMIT_S,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._topic = settings.world.physical(TOPIC)
        self._id = settings.world.physical(TRANSACTIONAL_ID)
        self._sending = producer_configuration(settings)
        self._reading = reader_configuration(settings)
        self._timeout_s = settings.publish_timeout_s
        self._read = read
        self._limit_s = limit_s
        self._chance = chance
        self._lock = threading.Lock()
        self._producer: _Answering | None = None
        self._head = EMPTY
        self._next: int | None = None
        """Everything before this offset was read or written here; None before the first reading."""

    def append(self, event_id: str, make: Callable[[Head], Ready]) -> tuple[Ready, Place]:
        """As ``AuditLog.append``. ``NotFound``, ``ClusterUnreachable`` where the topic or its broker is not there."""
        with self._lock:
            limit = time.monotonic() + self._limit_s
            sent: Ready | None = None
            pause_s = _PAUSE_S
            while True:
                try:
                    producer = self._producer
                    if producer is None:
                        producer = self._take_over()
                        own = self._catch_up(event_id, limit)
                        if own is not None and sent is not None:  # its transaction's end was not clear, and was good
                            return sent, Place(own.offset, own.record.timestamp_ms)
                    sent = make(self._head)
                    return sent, self._send(producer, sent)
                except (TransactionFenced, TransactionUnclear, ClusterUnreachable) as error:
                    self._let_go()
                    if sent is None and isinstance(error, ClusterUnreachable):
                        raise
                    if time.monotonic() > limit:
                        doubt = "It is not certain that the act is on record" if sent else "The act is not on record"
                        raise AuditRefused(
                            f"{doubt}: {TOPIC} could not be appended to for {self._limit_s:.0f} s ({error}). Look for "
                            "programs that append without end, and at the brokers' logs."
                        ) from error
                except BaseException:
                    self._let_go()
                    raise
                time.sleep(pause_s * self._chance())  # so that those who fence each other do not go on in step
                pause_s = min(_PAUSE_MAX_S, 2 * pause_s)

    def records(self) -> Iterator[Record]:
        """As ``AuditLog.records``: what is committed."""
        return read_partition(self._reading, self._topic, 0)

    def close(self) -> None:
        """Let go of the broker."""
        with self._lock:
            self._let_go()

    def _take_over(self) -> _Answering:
        """A producer that has fenced all others."""
        bounds(self._reading, self._topic)  # says in words where there is no broker or no topic
        self._producer = _Answering(self._sending, self._id, self._timeout_s)
        self._producer.init()
        return self._producer

    def _send(self, producer: _Answering, ready: Ready) -> Place:
        producer.begin()
        try:
            producer.send(self._topic, 0, ready.key, ready.value, ready.headers)
            producer.commit()
        except (PublishFailed, TransactionUnclear) as error:
            if isinstance(error, TransactionUnclear) and not producer.refused:
                raise
            raise AuditRefused(f"The act is not on record, for {TOPIC} does not take it: {error}.") from error
        self._head, self._next = ready.head, producer.ends[self._topic, 0]
        return Place(self._next - 1, producer.timestamp_ms)

    def _let_go(self) -> None:
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def _catch_up(self, event_id: str, limit: float) -> Audited | None:
        """Read to the end; answers the act of this id, if it is among what was not read before."""
        low, end = self._settled(limit)
        found = None
        if self._next is None:
            self._head = self._last(low, end)
        else:
            for act in self._between(self._next, end):
                self._head = act.head
                if act.envelope.id == event_id:
                    found = act
        self._next = end
        return found

    def _settled(self, limit: float) -> tuple[int, int]:
        """The log's bounds, once no transaction is open: behind another program's there may be records unseen."""
        while True:
            low, end = bounds(self._reading, self._topic)[0]
            if end == bounds(self._reading | {"isolation.level": "read_uncommitted"}, self._topic)[0][1]:
                return low, end
            if time.monotonic() > limit:
                raise AuditRefused(
                    f"The act is not on record: a transaction that is not the recorder's is open on {TOPIC} at offset "
                    f"{end}. End the program that writes there."
                )
            time.sleep(_PAUSE_S)

    def _last(self, low: int, end: int) -> Head:
        """The head as of an offset, looked for from there backwards."""
        back = _LOOK_BACK
        while True:
            start = max(low, end - back)
            heads = [act.head for act in self._between(start, end)]
            if heads or start == low:
                return heads[-1] if heads else EMPTY
            back *= 8

    def _between(self, start: int, end: int) -> Iterator[Audited]:
        for record in read_partition(self._reading, self._topic, 0, start, end):
            act = self._read(record)
            if act is not None:
                yield act
