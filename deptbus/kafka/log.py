"""What a stretch must know of topics on a cluster: their bounds, offsets by time, and where an event is."""

from collections.abc import Mapping
from uuid import UUID

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import read_messages
from deptbus.kafka.ends import watermarks
from deptbus.namespace import Namespace

_REPLY_S = 10.0
_EARLY_MS = 3_600_000
"""By how much a producer's clock, which a random id tells, may be ahead of the broker's, in milliseconds."""


class KafkaLog:
    """One cluster's topics within a namespace. Keeps a connection: ``close`` it."""

    def __init__(self, configuration: Configuration, namespace: Namespace) -> None:
        self._configuration = configuration
        self._namespace = namespace
        self._consumer = Consumer(configuration)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """First and next stable offset of each partition; ``NotFound``, ``ClusterUnreachable``."""
        return watermarks(self._consumer, self._namespace.physical(topic))

    def at_time(self, topic: str, time_ms: int) -> Mapping[int, int]:
        """Of each partition the first offset with that timestamp or a later one; its end where there is none."""
        bounds = self.bounds(topic)
        asked = [TopicPartition(self._namespace.physical(topic), partition, time_ms) for partition in bounds]
        try:
            found = self._consumer.offsets_for_times(asked, _REPLY_S)
        except KafkaException as error:
            raise ClusterUnreachable(
                f"The broker does not say where {topic} is at a time ({error.args[0].str()}); try again."
            ) from error
        return {
            part.partition: part.offset if part.offset >= 0 else bounds[part.partition][1]  # -1 for the end
            for part in found
        }

    def find(self, topic: str, event_id: str) -> tuple[int, int, int] | None:
        """Partition, offset and timestamp of an event; None where it is not there.

        A random id tells when it was made, and the search begins there; one that follows from another is looked for
        in the whole topic.
        """
        bounds = dict(self.bounds(topic))
        uuid = UUID(event_id)
        if uuid.version == 7:
            made = self.at_time(topic, max(0, (uuid.int >> 80) - _EARLY_MS))
            bounds = {p: (max(low, made[p]), high) for p, (low, high) in bounds.items()}
        wanted = {("ce_id", form.encode()) for form in (event_id, str(uuid), uuid.hex)}
        for messages in read_messages(self._configuration, self._namespace.physical(topic), bounds):
            for message in messages:
                if not wanted.isdisjoint(message.headers() or ()):
                    return _where(message)
        return None


def _where(message: Message) -> tuple[int, int, int]:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return partition, offset, message.timestamp()[1]
