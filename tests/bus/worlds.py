"""A broker with the small world on it: in memory, or Kafka. Tests see both through ``World``."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import ConsumerGroupTopicPartitions, Producer
from confluent_kafka.admin import AdminClient

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.catalogue import Catalogue
from deptbus.codec import Codec
from deptbus.envelope import from_headers
from deptbus.kafka.configuration import client_configuration, producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.kafka.transport import KafkaTransport
from deptbus.namespace import Namespace
from deptbus.record import Event, Record
from deptbus.settings import Settings
from deptbus.testing import MemoryBroker


class World(Protocol):
    """A broker with the small world on it."""

    catalogue: Catalogue
    codec: Codec
    namespace: Namespace

    def connect(self, owner: str, **options: Any) -> Bus: ...
    def records(self, topic: str) -> list[Record]: ...
    def events(self, topic: str) -> list[Event]: ...
    def put(self, topic: str, value: bytes | None, key: bytes | None, headers: Any, partition: int = -1) -> None: ...
    def committed(self, group: str, topic: str) -> dict[int, int]: ...


@dataclass
class MemoryWorld:
    broker: MemoryBroker
    catalogue: Catalogue = field(init=False)
    codec: Codec = field(init=False)
    namespace: Namespace = field(init=False)

    def __post_init__(self) -> None:
        self.catalogue, self.codec, self.namespace = self.broker.catalogue, self.broker.codec, self.broker.namespace

    def connect(self, owner: str, **options: Any) -> Bus:
        return self.broker.connect(owner, **options)

    def records(self, topic: str) -> list[Record]:
        return self.broker.records(topic)

    def events(self, topic: str) -> list[Event]:
        return self.broker.events(topic)

    def put(self, topic: str, value: bytes | None, key: bytes | None, headers: Any, partition: int = -1) -> None:
        self.broker.put(topic, value, key, headers, partition)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        return {
            number: offset for (name, number), offset in self.broker.committed.get(group, {}).items() if name == topic
        }


@dataclass
class KafkaWorld:
    catalogue: Catalogue
    codec: Codec
    settings: Settings
    buses: list[Bus] = field(default_factory=list)

    @property
    def namespace(self) -> Namespace:
        return self.settings.world

    def connect(self, owner: str, **options: Any) -> Bus:
        transport = options.pop("transport", None) or KafkaTransport(self.settings)
        defaults = {"namespace": self.namespace, "limits": bootstrap.limits(self.settings)}
        bus = Bus(owner, self.catalogue, self.codec, transport, **(defaults | options))
        self.buses.append(bus)
        return bus

    def records(self, topic: str) -> list[Record]:
        return list(read_topic(reader_configuration(self.settings), self.namespace.physical(topic)))

    def events(self, topic: str) -> list[Event]:
        return [
            Event(from_headers(record.headers), self.codec.decode(record.value), record)
            for record in self.records(topic)
        ]

    def put(self, topic: str, value: bytes | None, key: bytes | None, headers: Any, partition: int = -1) -> None:
        producer = Producer(producer_configuration(self.settings))
        producer.produce(self.namespace.physical(topic), value, key, partition, headers=headers)
        assert producer.flush(10) == 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        admin = AdminClient(client_configuration(self.settings))
        wanted = ConsumerGroupTopicPartitions(self.namespace.physical(group))
        found = next(iter(admin.list_consumer_group_offsets([wanted]).values())).result()
        return {
            part.partition: part.offset
            for part in found.topic_partitions
            if part.topic == self.namespace.physical(topic)
        }
