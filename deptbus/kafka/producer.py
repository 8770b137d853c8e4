"""Producers: an idempotent one that answers for every record, and one of transactions."""

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from deptbus.envelope import Headers
from deptbus.errors import BusError, PublishFailed, TransactionFenced, TransactionUnclear
from deptbus.kafka.configuration import Configuration
from deptbus.namespace import Namespace
from deptbus.outcome import Outcome, Pending

# The broker or the client refuses these before anything is written. Everything else may have been written.
_NOT_WRITTEN = frozenset({
    KafkaError._QUEUE_FULL, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION,
    KafkaError._INVALID_ARG, KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD,
    KafkaError.POLICY_VIOLATION, KafkaError.TOPIC_EXCEPTION,
})  # fmt: skip

_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})


def _is_fenced(error: KafkaError) -> bool:
    """Whether a transactional producer is through for good: librdkafka calls such errors fatal."""
    return bool(error.fatal()) or error.code() in _FENCED


# poll and flush raise a fatal error of the client, besides failing every record and every later call with it.
_FATAL_IS_TOLD = contextlib.suppress(KafkaException)


class KafkaSender:
    """The sender of one process. Safe to use from several threads; nothing runs in the background."""

    def __init__(self, configuration: Configuration, namespace: Namespace, timeout_s: float) -> None:
        self._producer = Producer(configuration)
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._physical: dict[str, str] = {}

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
        pending = Pending(self, topic, event_id)
        physical = self._physical.get(topic)
        if physical is None:
            physical = self._physical[topic] = self._namespace.physical(topic)
        try:
            _produce(
                self._producer, physical, self._timeout_s,
                value=value, key=key, partition=partition, on_delivery=_answer(pending), headers=headers,
            )  # fmt: skip
        except (BufferError, KafkaException) as error:
            pending.settle(Outcome("failed", event_id, topic, reason=str(error)))
        self.poll(0)
        return pending

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""
        with _FATAL_IS_TOLD:
            self._producer.poll(timeout_s)

    def flush(self) -> None:
        """Wait until everything handed over is answered; librdkafka gives up by itself after the timeout."""
        while len(self._producer):
            with _FATAL_IS_TOLD:
                self._producer.flush()

    def waiting(self) -> int:
        """How many records are not answered yet."""
        return len(self._producer)

    def close(self) -> None:
        """Flush within the publish timeout; what is still unanswered then is answered as unknown."""
        with _FATAL_IS_TOLD:
            self._producer.flush(self._timeout_s)
        if len(self._producer):
            self._producer.purge()
            with _FATAL_IS_TOLD:
                self._producer.flush(1)


def _produce(producer: Producer, topic: str, timeout_s: float, **record: Any) -> None:
    """Produce; while the buffer is full, let answers in and try again until ``timeout_s`` have passed."""
    try:
        producer.produce(topic, **record)
    except BufferError:
        limit = time.monotonic() + timeout_s
        while True:
            producer.poll(0.05)
            try:
                producer.produce(topic, **record)
                return
            except BufferError:
                if time.monotonic() > limit:
                    raise


def _answer(pending: Pending) -> Callable[[KafkaError | None, Message], None]:
    """A delivery callback that settles ``pending``."""

    def answered(error: KafkaError | None, message: Message) -> None:
        if error is None:
            outcome = Outcome(
                "acknowledged",
                pending.event_id,
                pending.topic,
                message.partition(),
                message.offset(),
                message.timestamp()[1],
            )
        else:
            outcome = Outcome(
                "failed" if error.code() in _NOT_WRITTEN else "unknown",
                pending.event_id,
                pending.topic,
                reason=f"{error.str()} ({error.name()})",
            )
        pending.settle(outcome)

    return answered


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
    ) -> None:
        """Add a record; ``partition`` -1 leaves it to the key.

        One that is too large is ``PublishFailed`` here; what the broker refuses shows at ``commit``.
        """
        try:
            _produce(
                self._producer, topic, self._timeout_s,
                value=value, key=key, partition=partition, on_delivery=self._answered, headers=headers or [],
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

    def waiting(self) -> int:
        """How many records are not answered yet."""
        return len(self._producer)

    def commit(self) -> None:
        """Commit; returns only when the broker has it. Any doubt or refused record: ``TransactionUnclear``."""
        self._guarded("commit", lambda: self._producer.commit_transaction(self._timeout_s))

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
        self._guarded("flush", lambda: self._producer.flush(self._timeout_s))
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
