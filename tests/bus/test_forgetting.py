"""A client that will hear nothing any more is told from any other, and exchanged: what was read goes on."""

import pytest
from confluent_kafka import Consumer

from deptbus.errors import TransactionUnclear
from deptbus.kafka import forgetting, producer, reader
from deptbus.kafka.configuration import consumer_configuration, producer_configuration, reader_configuration
from deptbus.kafka.consumer import BEGINNING, Tail
from deptbus.kafka.forgetting import is_cut_off
from deptbus.kafka.producer import KafkaSender, TransactionalProducer
from deptbus.kafka.receiver import KafkaReceiver
from deptbus.settings import Settings
from deptbus.testing import wait_until
from tests.bus.test_member import Reading
from tests.bus.worlds import KafkaWorld

pytestmark = pytest.mark.kafka

TOPIC = "ward.cases"
NOBODY = {"bootstrap.servers": "127.0.0.1:9"}
"""Where no broker answers."""


@pytest.fixture
def settings(kafka_world: KafkaWorld) -> Settings:
    publish(kafka_world.settings, "0", "1", "2", "3")
    return kafka_world.settings


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> list[Consumer]:
    """Clients that find themselves cut off when they look, which they do whenever nothing comes."""
    due: list[Consumer] = []
    monkeypatch.setattr(reader, "QUIET_S", 0.0)
    monkeypatch.setattr(reader, "is_cut_off", lambda client, *_: client in due)
    return due


def publish(settings: Settings, *values: str) -> None:
    sender = KafkaSender(producer_configuration(settings), settings.world, 30)
    for value in values:
        sender.send(TOPIC, b"k", value.encode(), [], value, partition=0)
    sender.flush()
    sender.close()


def test_who_alone_does_not_see_the_broker_is_cut_off(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_SEE_S", 1.0)
    configuration, topic = reader_configuration(settings), settings.world.physical(TOPIC)
    sees, forgot = Consumer(configuration), Consumer(configuration | NOBODY)
    assert not is_cut_off(sees, configuration, topic)
    assert is_cut_off(forgot, configuration, topic)
    assert not is_cut_off(forgot, configuration | NOBODY, topic), "the broker is away"
    assert not is_cut_off(sees, configuration, settings.world.physical("no.topic")), "nobody sees that"
    for client in (sees, forgot):
        client.close()


def test_a_tail_goes_on_where_it_was(settings: Settings, forgetful: list[Consumer]) -> None:
    tail, values = Tail(reader_configuration(settings), {settings.world.physical(TOPIC): BEGINNING}), []

    def read(count: int) -> None:
        wait_until(lambda: values.extend(record.value for record in tail.poll(0.05)) or len(values) == count)

    read(4)
    before = tail._consumer
    forgetful.append(before)
    wait_until(lambda: tail.poll(0.05) or tail._consumer is not before)
    publish(settings, "4", "5")
    read(6)
    assert values == [b"0", b"1", b"2", b"3", b"4", b"5"]
    tail.close()


def test_a_receiver_goes_on_from_what_is_committed(settings: Settings, forgetful: list[Consumer]) -> None:
    physical = settings.world.physical
    receiver = KafkaReceiver(consumer_configuration(settings, physical("lab")), {TOPIC: physical(TOPIC)})
    values: list[bytes | None] = []

    def read(count: int) -> None:
        wait_until(lambda: values.extend(one.value for one in receiver.poll(10, 0.05)) or len(values) == count)

    read(4)
    receiver.commit({(TOPIC, 0): 3})
    wait_until(lambda: receiver.poll(10, 0.05) or not receiver._commits._due)
    forgetful.append(receiver._consumer)
    read(5)
    assert values[4:] == [b"3"]
    receiver.commit({(TOPIC, 0): 4})
    receiver.close()
    again = KafkaReceiver(consumer_configuration(settings, physical("lab")), {TOPIC: physical(TOPIC)})
    publish(settings, "4")
    values.clear()
    wait_until(lambda: values.extend(one.value for one in again.poll(10, 0.05)) or values)
    assert values == [b"4"], "what was committed last stood when it left"
    again.close()


def test_a_member_joins_anew(settings: Settings, forgetful: list[Consumer]) -> None:
    reading = Reading(settings, "a")
    wait_until(lambda: reading.poll() or len(reading.records) == 4)
    reading.commit(2)
    forgetful.append(reading.member._consumer)
    wait_until(lambda: reading.poll() or len(reading.records) == 6)
    assert [told for told, _ in reading.told] == ["given", "taken", "given"]
    assert reading.values()[4:] == [b"2", b"3"]
    reading.member.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member looks at once whether it waits for its place in vain."""
    monkeypatch.setattr(reader, "QUIET_S", 0.0)
    monkeypatch.setattr(reader, "PLACE_S", 1.0)


@pytest.mark.usefixtures("impatient")
def test_a_receiver_that_never_asked_for_its_place_asks_anew(settings: Settings) -> None:
    physical = settings.world.physical
    receiver = KafkaReceiver(consumer_configuration(settings, physical("lab")), {TOPIC: physical(TOPIC)})
    before = receiver._consumer
    before.unsubscribe()  # as librdkafka does not join where the answer about its topics is lost
    assert not receiver.joined
    values: list[bytes | None] = []
    wait_until(lambda: values.extend(one.value for one in receiver.poll(10, 0.05)) or len(values) == 4)
    now = receiver._consumer
    assert now is not before
    assert receiver.joined
    receiver.poll(10, 1.1)
    assert receiver._consumer is now, "it has its place"
    receiver.close()


@pytest.mark.usefixtures("impatient")
def test_a_member_that_never_asked_for_its_place_asks_anew(settings: Settings) -> None:
    reading = Reading(settings, "a")
    reading.member._consumer.unsubscribe()
    wait_until(lambda: reading.poll() or len(reading.records) == 4)
    assert [told for told, _ in reading.told] == ["taken", "given"]
    reading.member.close()


def test_a_transaction_whose_records_nobody_answers_is_unclear(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a partition that a client takes to be without a leader; whoever wrote begins anew with another."""
    monkeypatch.setattr(producer, "QUIET_S", 0.5)
    name = settings.world.physical("lab")
    writer = TransactionalProducer(producer_configuration(settings), name, 30)
    writer.init()
    writer.begin()
    writer.send(settings.world.physical(TOPIC), 0, b"k", b"4")
    writer.flush()
    writer.send(settings.world.physical("no.topic"), 0, b"k", b"5")
    with pytest.raises(TransactionUnclear, match="remaining"):
        writer.commit()
    writer.close()
    again = TransactionalProducer(producer_configuration(settings), name, 30)
    again.init()
    again.close()
