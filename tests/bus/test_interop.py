"""Others read our messages, and we read theirs: confluent-kafka's serializers, the cloudevents library, Java's keys."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deptbus.handlers import Context
from deptbus.ids import random_id
from deptbus.partitioning import murmur2
from deptbus.record import Event
from deptbus.testing import run_until
from tests.bus.contract import CASE
from tests.bus.worlds import KafkaWorld


class Bytes:
    """A format of the cloudevents library that leaves the data as they are: they are Avro already."""

    def read(self, event_factory: Any, data: Any) -> Any:
        raise NotImplementedError("only the binary binding is used here")

    def write(self, event: Any) -> bytes:
        raise NotImplementedError("only the binary binding is used here")

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        return bytes(data)

    def read_data(self, body: Any, datacontenttype: str | None) -> Any:
        return body

    def get_content_type(self) -> str:
        return "application/avro"


@pytest.fixture
def registry(kafka_world: KafkaWorld) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": kafka_world.settings.schema_registry_url, "timeout": 20})


@pytest.fixture
def plain(kafka_world: KafkaWorld) -> Iterator[Consumer]:
    """A consumer as anybody would write it."""
    consumer = Consumer({
        "bootstrap.servers": kafka_world.settings.bootstrap_servers, "group.id": f"plain-{random_id()}",
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    yield consumer
    consumer.close()


def read_one(consumer: Consumer, topic: str) -> Message:
    consumer.subscribe([topic])
    for _ in range(300):
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            return message
    raise AssertionError(f"nothing came on {topic}")


@pytest.mark.kafka
def test_a_plain_confluent_consumer_reads_our_messages(
    kafka_world: KafkaWorld, registry: SchemaRegistryClient, plain: Consumer
) -> None:
    data = {"case": "病例-1", "count": 2, "reported": 1_579_536_000_123, "patient": {"name": "张三", "age": 40},
            "note": b"\x00\xff"}  # fmt: skip
    kafka_world.connect("ward").publish(CASE, data, subject="440100").require()
    message = read_one(plain, kafka_world.namespace.physical("ward.cases"))
    deserializer = AvroDeserializer(registry)
    context = SerializationContext(message.topic(), MessageField.VALUE, message.headers())
    found = deserializer(message.value(), context)
    assert found == data | {"reported": datetime(2020, 1, 20, 16, 0, 0, 123_000, tzinfo=UTC)}
    assert message.key() == b"440100"


@pytest.mark.kafka
def test_the_cloudevents_library_reads_our_messages(kafka_world: KafkaWorld, plain: Consumer) -> None:
    outcome = kafka_world.connect("ward").publish(
        CASE, {"case": "c1"}, subject="440100", region="440100", legal_basis="传染病防治法 第三十条", actor="李伟",
        time_ms=1_579_536_000_123, correlation_id="epidemic/440100/1",
    )  # fmt: skip
    message = read_one(plain, kafka_world.namespace.physical("ward.cases"))
    event = from_binary(
        KafkaMessage(headers=dict(message.headers()), key=message.key(), value=message.value()), Bytes(), CloudEvent
    )
    assert event.get_id() == outcome.event_id
    assert event.get_type() == CASE
    assert event.get_source() == "/departments/ward"
    assert event.get_subject() == "440100"
    assert event.get_time() == datetime(2020, 1, 20, 16, 0, 0, 123_000, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/avro"
    assert event.get_extension("legalbasis") == "传染病防治法 第三十条"
    assert event.get_extension("actor") == "李伟"
    assert event.get_extension("correlationid") == "epidemic/440100/1"
    assert kafka_world.codec.decode(event.get_data(), CASE)["case"] == "c1"


@pytest.mark.kafka
def test_we_read_what_confluents_serializer_and_the_cloudevents_library_write(
    kafka_world: KafkaWorld, registry: SchemaRegistryClient
) -> None:
    topic = kafka_world.namespace.physical("ward.cases")
    subject = registry.get_latest_version(CASE)
    serializer = AvroSerializer(
        registry,
        subject.schema.schema_str,
        conf={"auto.register.schemas": False, "use.latest.version": True,
              "subject.name.strategy": lambda *_: CASE},
    )  # fmt: skip
    value = serializer(
        {"case": "theirs", "count": 3, "reported": datetime(2020, 1, 20, 16, tzinfo=UTC), "patient": None,
         "note": None},
        SerializationContext(topic, MessageField.VALUE),
    )  # fmt: skip
    event = CloudEvent(
        {"id": random_id(), "source": "/departments/ward", "type": CASE, "specversion": "1.0",
         "time": datetime(2020, 1, 20, 16, tzinfo=UTC), "subject": "病例", "datacontenttype": "application/avro",
         "mode": "exercise", "actor": "100% 李伟"},
        value,
    )  # fmt: skip
    message = to_binary(event, Bytes(), key_mapper=lambda event: event.get_subject())
    producer = Producer({"bootstrap.servers": kafka_world.settings.bootstrap_servers})
    producer.produce(topic, message.value, message.key, headers=message.headers)
    assert producer.flush(10) == 0
    seen: list[Event] = []
    lab = kafka_world.connect("lab")

    @lab.subscribe(CASE)
    def take(event: Event, context: Context) -> None:
        seen.append(event)

    run_until(lab, lambda: seen or kafka_world.records("bus.deadletters"))
    assert seen[0].data == {"case": "theirs", "count": 3, "reported": 1_579_536_000_000, "patient": None, "note": None}
    assert seen[0].envelope.time_ms == 1_579_536_000_000
    assert (seen[0].envelope.subject, seen[0].envelope.actor) == ("病例", "100% 李伟")


def java_murmur2(data: bytes) -> int:
    """Written after org.apache.kafka.common.utils.Utils.murmur2 in its own arithmetic: signed, byte by byte."""

    def signed(value: int) -> int:
        value &= 0xFFFFFFFF
        return value - (1 << 32) if value & 0x80000000 else value

    def shifted(value: int, bits: int) -> int:  # >>>
        return (value & 0xFFFFFFFF) >> bits

    length, m, r = len(data), 0x5BD1E995, 24
    h = signed(signed(0x9747B28C) ^ length)
    for i in range(length // 4):
        k = data[i * 4] + (data[i * 4 + 1] << 8) + (data[i * 4 + 2] << 16) + (data[i * 4 + 3] << 24)
        k = signed(signed(k) * m)
        k ^= shifted(k, r)
        k = signed(signed(k) * m)
        h = signed(signed(h * m) ^ k)
    rest = length & ~3
    if length % 4 == 3:
        h ^= data[rest + 2] << 16
    if length % 4 >= 2:
        h ^= data[rest + 1] << 8
    if length % 4 >= 1:
        h ^= data[rest]
        h = signed(h * m)
    h = signed(h ^ shifted(h, 13))
    h = signed(h * m)
    return signed(h ^ shifted(h, 15))


# From Kafka's own UtilsTest.
VECTORS = {
    b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829, b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}  # fmt: skip


@pytest.mark.parametrize("key", VECTORS)
def test_murmur2_is_javas(key: bytes) -> None:
    assert java_murmur2(key) == VECTORS[key]
    assert murmur2(key) == VECTORS[key] & 0xFFFFFFFF


@pytest.mark.kafka
def test_our_producer_places_keys_where_java_does(kafka_world: KafkaWorld) -> None:
    ward = kafka_world.connect("ward")
    keys = [f"{number}-区划" for number in range(100)] + ["440100", "x"]
    pending = [ward.publish_soon(CASE, {"case": "c"}, subject=key) for key in keys]
    ward.flush()
    for key, one in zip(keys, pending, strict=True):
        assert one.outcome is not None
        assert one.outcome.partition == (java_murmur2(key.encode()) & 0x7FFFFFFF) % 4
