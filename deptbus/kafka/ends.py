"""Where topics begin and end now, as an isolation lets it be seen."""

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from deptbus.errors import ClusterUnreachable, NotFound
from deptbus.kafka.configuration import Configuration
from deptbus.transport import Partition

_REPLY_S = 10.0
"""How long a broker may take to answer a question about a topic, in seconds."""
_ELECTION_S = 0.05
"""How long to wait before asking again for a leader, in seconds."""
_ELECTING = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._UNKNOWN_PARTITION}
)
"""The last is librdkafka's word for a partition without a leader."""


def watermarks(consumer: Consumer, topic: str, only: int | None = None) -> dict[int, tuple[int, int]]:
    """First and next stable offset of each partition, or of one; raises ``NotFound`` or ``ClusterUnreachable``."""
    limit = time.monotonic() + _REPLY_S
    while True:
        try:
            found = consumer.list_topics(topic, _REPLY_S).topics[topic]
            if found.error is not None and found.error.code() not in _ELECTING:
                raise NotFound(f"The topic {topic} is not there. Run `deptbus topics apply`.")
            return {
                partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), _REPLY_S)
                for partition in (sorted(found.partitions) if only is None else (only,))
            }
        except KafkaException as error:
            # A topic that is new, or whose broker is restarting, has no leader for a moment.
            if error.args[0].code() not in _ELECTING or time.monotonic() > limit:
                raise ClusterUnreachable(
                    f"The broker does not say where {topic} ends ({error.args[0].str()}). Start it with "
                    "`deptbus up`, or set BUS_BOOTSTRAP_SERVERS."
                ) from error
            time.sleep(_ELECTION_S)


def bounds(configuration: Configuration, topic: str) -> dict[int, tuple[int, int]]:
    """First and next stable offset of each partition of a physical topic; raises as ``watermarks``."""
    return bounds_of(configuration, [topic])[topic]


def bounds_of(configuration: Configuration, topics: Iterable[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """The bounds of several physical topics, by topic and partition; raises as ``watermarks``."""
    consumer = Consumer(configuration)
    try:
        return {topic: watermarks(consumer, topic) for topic in topics}
    finally:
        consumer.close()


def ends_of(configuration: Configuration, topics: Mapping[str, int | None]) -> dict[Partition, int]:
    """The next offset, as ``configuration`` isolates, of one partition of each physical topic, or of all (None).

    By physical topic and partition; raises as ``watermarks``.
    """
    consumer = Consumer(configuration)
    try:
        return {
            (topic, partition): high
            for topic, only in topics.items()
            for partition, (_, high) in watermarks(consumer, topic, only).items()
        }
    finally:
        consumer.close()


def end_offsets(configuration: Configuration, topic: str) -> dict[int, int]:
    """The next stable offset of each partition of a physical topic: how far a reader can come now."""
    return {partition: high for partition, (_, high) in bounds(configuration, topic).items()}
