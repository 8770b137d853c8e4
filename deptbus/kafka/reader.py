"""What all consumers of records share."""

import logging
import time

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from deptbus.errors import ClusterUnreachable, NotFound
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.forgetting import PLACE_S, QUIET_S, is_cut_off, let_go, sees
from deptbus.record import Record
from deptbus.transport import Partition

_log = logging.getLogger("deptbus.kafka")


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

    A client that will not hear anything any more (see ``forgetting``) is exchanged inside ``poll``.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._consumer = Consumer(configuration)
        self._heard_at = time.monotonic()
        self._waits_since: float | None = None
        """Since when a member of a group waits for its place; None where it has one, or wants none."""
        self._logical = _LogicalNames()
        self.reached: dict[Partition, int] = {}
        """The next offset of each partition; at its end, markers after the last record are behind it."""

    def _records(self, count_max: int, timeout_s: float, *, headers: bool = True) -> list[Record]:
        """What is there, waiting at most ``timeout_s`` for the first; consume() waits for a full batch.

        Without ``headers`` records have none, and are taken over for less.
        """
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
                    message.key(), message.value(), (message.headers() or []) if headers else [],
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
        elif topic is not None and self._waits_in_vain() and sees(self._consumer, topic):
            _log.warning("a member of a group was given no place for %d s; another client asks: %s", PLACE_S, topic)
            self._begin_anew()
        self._heard_at = time.monotonic()

    def _waits_in_vain(self) -> bool:
        return self._waits_since is not None and time.monotonic() - self._waits_since > PLACE_S

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
