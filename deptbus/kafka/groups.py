"""Where a consumer group begins that has never committed anything."""

from collections.abc import Iterable

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import watermarks

_REPLY_S = 10.0
"""How long the group's coordinator may take to answer, in seconds."""


def begin_at_end(configuration: Configuration, topics: Iterable[str]) -> None:
    """Commit the present ends of physical topics for a group, wherever it has no offset yet.

    Only then does the group lose nothing that comes after its first start, whatever happens to its first members.
    ``configuration`` names the group. Raises ``NotFound`` for a topic that is not there, ``ClusterUnreachable``.
    """
    consumer = Consumer(configuration)
    try:
        ends = {
            (topic, partition): high for topic in topics for partition, (_, high) in watermarks(consumer, topic).items()
        }
        known = consumer.committed([TopicPartition(*where) for where in ends], _REPLY_S)
        fresh = [
            TopicPartition(part.topic, part.partition, ends[part.topic, part.partition])
            for part in known
            if part.offset == OFFSET_INVALID
        ]
        if fresh:
            consumer.commit(offsets=fresh, asynchronous=False)
    except KafkaException as error:
        raise ClusterUnreachable(
            f"The group {configuration['group.id']} cannot be told where to begin ({error.args[0].str()}); "
            "start the broker, or stop what else runs under that group while new topics are added to it."
        ) from error
    finally:
        consumer.close()
