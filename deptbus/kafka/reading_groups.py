"""Which consumer groups read a topic: those that have committed a position in it."""

from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.namespace import Namespace

_REPLY_S = 10.0


def groups_reading(configuration: Configuration, namespace: Namespace, topic: str) -> list[str]:
    """The groups of a namespace, by their logical names, that have a position in a topic; ``ClusterUnreachable``."""
    client = AdminClient(configuration)
    physical = namespace.physical(topic)
    try:
        listed = client.list_consumer_groups(request_timeout=_REPLY_S).result(2 * _REPLY_S)
        names = [group.group_id for group in listed.valid if namespace.owns(group.group_id)]
        # One request takes one group.
        asked: dict[str, Future[Any]] = {}
        for name in names:
            asked |= client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)], request_timeout=_REPLY_S)
        found = [
            name
            for name, future in asked.items()
            if any(part.topic == physical and part.offset >= 0 for part in future.result(2 * _REPLY_S).topic_partitions)
        ]
    except KafkaException as error:
        raise ClusterUnreachable(
            f"The broker does not say which groups read {topic} ({error.args[0].str()})."
        ) from error
    return sorted(namespace.logical(name) for name in found)
