"""Producers: an idempotent one that answers for every record, and one of transactions."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from deptbus.envelope import Headers
from deptbus.errors import BusError, PublishFailed, TransactionFenced, TransactionUnclear
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.forgetting import QUIET_S
from deptbus.namespace import Namespace
from deptbus.observe.counting import PROCESS, Measure
from deptbus.observe.names import NOT_PUBLISHED, UNANSWERED
from deptbus.outcome import Outcome, Pending

# The broker or the client refuses these before anything is written. Everything else may have been written.
_NOT_WRITTEN = frozenset({
    KafkaError._QUEUE_FULL, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION,
    KafkaError._INVALID_ARG, KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD,
    KafkaError.POLICY_VIOLATION, KafkaError.TOPIC_EXCEPTION,
})  # fmt: skip

_FENCED = frozenset({
    KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError._FATAL,  # every call after the one that was told why
})  # fmt: skip


def _is_fenced(error: KafkaError) -> bool:
    """Whether a transactional producer is through for good: librdkafka calls such errors fatal."""
    return bool(error.fatal()) or error.code() in _FENCED


# poll and flush raise a fatal error of the client, besides failing every record and every later call with it.
_FATAL_IS_TOLD = contextlib.suppress(KafkaException)


_LOOK_S = 0.001
"""While records are handed over without a pause, answers are let in so often; less often, with each record."""

LINE_TOPICS_MAX = 100
"""Topics of one producer: finding one of 1,000 took as long as all else that handing a record over takes."""


class _Pending(Pending):
    """A ``Pending`` that librdkafka answers itself, as the delivery callback: one object per record, and no other."""

    __slots__ = ()

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        """What an acknowledged record's outcome says is made when somebody asks."""
        if error is None:  # as settle, without the place
            self._partition = message.partition()
            self._timestamp_ms = message.timestamp()[1]
            self._answer = message.offset()
            if self._when_settled is not None:
                self._when_settled(self._outcome(self._answer))
        else:
            state: Literal["failed", "unknown"] = "failed" if error.code() in _NOT_WRITTEN else "unknown"
            self.refused(state, f"{error.str()} ({error.name()})")

    def refused(self, state: Literal["failed", "unknown"], reason: str) -> None:
        """It is not acknowledged, and will not be."""
        PROCESS.count(NOT_PUBLISHED, self.topic, state).value += 1
        self.settle(Outcome(state, self.event_id, self.topic, reason=reason))


class _Line:
    """One producer of a sender, and the topics that go through it."""

    __slots__ = ("look_at", "poll_answers", "produce", "producer", "topics")

    def __init__(self, configuration: Configuration) -> None:
        self.producer = Producer(configuration)
        self.produce, self.poll_answers = self.producer.produce, self.producer.poll
        self.look_at = 0.0
        """When a record that is handed over is to let answers in again, by the monotonic clock."""
        self.topics = 0

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""
        with _FATAL_IS_TOLD:
            self.poll_answers(timeout_s)

    def flush(self) -> None:
        """Wait until everything handed over is answered; librdkafka gives up by itself after the timeout."""
        while len(self.producer):
            with _FATAL_IS_TOLD:
                self.producer.flush()

    def close(self, timeout_s: float) -> None:
        """Flush; what is still unanswered after ``timeout_s`` is answered as unknown."""
        with _FATAL_IS_TOLD:
            self.producer.flush(timeout_s)
        if len(self.producer):
            self.producer.purge()
            with _FATAL_IS_TOLD:
                self.producer.flush(1)


class KafkaSender:
    """The sender of one process. Safe to use from several threads; nothing runs in the background.

    Each ``LINE_TOPICS_MAX`` topics have a producer of their own, with its own buffer: librdkafka finds a topic by going
    through all that the producer knows, for every record.
    """

    def __init__(self, configuration: Configuration, namespace: Namespace, timeout_s: float) -> None:
        self._configuration = configuration
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._lines = [_Line(configuration)]
        self._routes: dict[str, tuple[_Line, str]] = {}
        """By logical topic name the line and the physical name."""
        self._routing = threading.Lock()
        self._forget = PROCESS.ask(lambda: [Measure(UNANSWERED, (), self.waiting())])

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        event_id: str,
        partition: int = -1,
    ) -> Pending:
        """Hand over a record without waiting. A full buffer is waited for, at most the publish timeout.

        ``partition`` -1 leaves it to the key.
        """
        line, physical = self._routes.get(topic) or self._route(topic)
        pending = _Pending(line, topic, event_id)
        try:
            line.produce(physical, value, key, partition, pending, None, 0, headers)
        except (BufferError, KafkaException) as refused:
            try:
                _produce_again(
                    line.producer, refused, self._timeout_s, physical, value, key, partition, pending, None, 0, headers
                )  # fmt: skip
            except (BufferError, KafkaException) as error:
                pending.refused("failed", str(error))
        now = monotonic()
        if now >= line.look_at:
            line.look_at = now + _LOOK_S
            line.poll(0)
        return pending

    def _route(self, topic: str) -> tuple[_Line, str]:
        with self._routing:
            if topic not in self._routes:
                if self._lines[-1].topics == LINE_TOPICS_MAX:
                    self._lines.append(_Line(self._configuration))
                self._lines[-1].topics += 1
                self._routes[topic] = self._lines[-1], self._namespace.physical(topic)
            return self._routes[topic]

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""
        for line in self._lines:
            line.poll(timeout_s / len(self._lines))

    def flush(self) -> None:
        """Wait until everything handed over is answered; librdkafka gives up by itself after the timeout."""
        for line in self._lines:
            line.flush()

    def waiting(self) -> int:
        """How many records are not answered yet."""
        return sum(len(line.producer) for line in self._lines)

    def close(self) -> None:
        """Flush within the publish timeout; what is still unanswered then is answered as unknown."""
        self._forget()
        limit = time.monotonic() + self._timeout_s
        for line in self._lines:
            line.close(max(0.0, limit - time.monotonic()))


def _produce_again(producer: Producer, refused: BufferError | KafkaException, timeout_s: float, *record: Any) -> None:
    """While the buffer is full, let answers in and try again until ``timeout_s`` have passed; else raise."""
    limit = time.monotonic() + timeout_s
    while isinstance(refused, BufferError) and time.monotonic() <= limit:
        producer.poll(0.05)
        try:
            producer.produce(*record)
            return
        except BufferError as error:
            refused = error
    raise refused


class TransactionalProducer:
    """One producer of transactions. Its calls block: from one thread at a time, an executor's if need be.

    ``transactional_id`` and topics are physical names. Initialising fences an older producer of the same id.
    After ``TransactionUnclear`` and ``TransactionFenced`` only ``close`` may be called.
    """

    def __init__(self, configuration: Configuration, transactional_id: str, timeout_s: float = 30) -> None:
        self._producer = Producer(
            configuration
            | {
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(timeout_s * 1000),
                "message.timeout.ms": int(timeout_s * 1000),
            }
        )
        self._produce = self._producer.produce
        self.transactional_id = transactional_id
        self.ends: dict[tuple[str, int], int] = {}
        """The offset after the last record written to each physical topic and partition."""
        self._timeout_s = timeout_s
        self._error: KafkaError | None = None

    def init(self) -> None:
        """Register, ending what an older producer of this id has left open."""
        # Connected first: librdkafka looks for the coordinator again only after half a second.
        self._guarded("connect", lambda: self._producer.list_topics(timeout=self._timeout_s))
        self._guarded("be initialised", lambda: self._producer.init_transactions(self._timeout_s))

    def begin(self) -> None:
        """Open a transaction."""
        self._error = None
        self._guarded("begin", self._producer.begin_transaction)

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        timestamp_ms: int = 0,
    ) -> None:
        """Add a record; ``partition`` -1 leaves it to the key, ``timestamp_ms`` 0 is now.

        One that is too large is ``PublishFailed`` here; what the broker refuses shows at ``commit``.
        """
        try:
            try:
                self._produce(topic, value, key, partition, self._answered, None, timestamp_ms, headers or [])
            except BufferError as full:
                _produce_again(
                    self._producer, full, self._timeout_s,
                    topic, value, key, partition, self._answered, None, timestamp_ms, headers or [],
                )  # fmt: skip
        except KafkaException as error:
            kind: type[BusError] = PublishFailed if error.args[0].code() in _NOT_WRITTEN else TransactionUnclear
            if _is_fenced(error.args[0]):
                kind = TransactionFenced
            raise kind(f"{self.transactional_id} cannot send to {topic}: {error.args[0].str()}") from error
        except BufferError as error:
            raise TransactionUnclear(f"{self.transactional_id} cannot send to {topic}: {error}") from error

    def poll(self) -> None:
        """Let answers in; long transactions call it now and then."""
        with _FATAL_IS_TOLD:
            self._producer.poll(0)

    def flush(self) -> None:
        """Wait until everything handed over is answered; what was refused makes the transaction one to abort."""
        self._guarded("flush", lambda: self._producer.flush(self._timeout_s))

    def waiting(self) -> int:
        """How many records are not answered yet."""
        return len(self._producer)

    @property
    def refused(self) -> str:
        """Why a record of the last transaction will be refused however often it is sent; empty where none is."""
        return self._error.str() if self._error is not None and self._error.code() in _NOT_WRITTEN else ""

    def commit(self) -> None:
        """Commit; returns only when the broker has it. Any doubt or refused record: ``TransactionUnclear``.

        Doubt is also that none of its records was answered for ``QUIET_S``: a client that was told of a partition
        without a leader may wait for ever (see docs/decisions/0028), and nothing is committed before all are answered.
        """
        self._guarded("commit", self._commit)

    def _commit(self) -> None:
        """As librdkafka; what is not over in time is gone on with, as long as something comes of it."""
        limit = time.monotonic() + self._timeout_s
        waiting = len(self._producer)
        while True:
            try:
                self._producer.commit_transaction(max(0.0, min(QUIET_S, limit - time.monotonic())))
            except KafkaException as error:
                before, waiting = waiting, len(self._producer)
                late = error.args[0].code() == KafkaError._TIMED_OUT and error.args[0].retriable()
                if not late or (waiting and waiting >= before) or time.monotonic() >= limit:
                    raise
            else:
                return

    def abort(self) -> None:
        """Give the open transaction up; ``TransactionUnclear`` when even that has no clear end."""
        self._guarded("abort", lambda: self._producer.abort_transaction(self._timeout_s))

    def void(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Have the broker end in these partitions whatever a transaction of this id has left open, as given up.

        Takes a transaction of its own, whose records nobody sees either.
        """
        self.begin()
        for topic, partition in partitions:
            self.send(topic, partition, None, None)
        self.flush()
        self.abort()
        self.ends.clear()

    def close(self) -> None:
        """Let go without waiting; the next ``init`` of this id, or the broker, ends an open transaction."""
        self._producer.purge()
        with _FATAL_IS_TOLD:
            self._producer.flush(0)

    def _answered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.ends[message.topic(), message.partition()] = message.offset() + 1
        elif self._error is None:
            self._error = error

    def _guarded(self, what: str, call: Callable[[], object]) -> None:
        try:
            call()
        except KafkaException as error:
            if _is_fenced(error.args[0]):
                raise TransactionFenced(
                    f"{self.transactional_id} could not {what}: another process has taken it over, or it stood "
                    f"still for longer than a transaction may take ({error.args[0].str()})."
                ) from error
            first = f"; first refused record: {self._error.str()}" if self._error else ""
            raise TransactionUnclear(
                f"{self.transactional_id} could not {what}: {error.args[0].str()}{first}"
            ) from error
