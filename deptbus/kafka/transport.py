"""Kafka as a transport of the bus."""

from collections.abc import Iterable

from deptbus.kafka.configuration import consumer_configuration, producer_configuration
from deptbus.kafka.producer import KafkaSender
from deptbus.kafka.receiver import KafkaReceiver
from deptbus.settings import Settings


class KafkaTransport:
    """Makes senders and receivers in the namespace that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def sender(self) -> KafkaSender:
        """A new idempotent producer."""
        return KafkaSender(
            producer_configuration(self._settings), self._settings.world, self._settings.publish_timeout_s
        )

    def receiver(self, group: str, topics: Iterable[str]) -> KafkaReceiver:
        """A new member of ``group``."""
        world = self._settings.world
        return KafkaReceiver(
            consumer_configuration(self._settings, world.physical(group)),
            {topic: world.physical(topic) for topic in topics},
        )
