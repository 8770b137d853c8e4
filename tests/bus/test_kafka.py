"""The bus on Kafka: the contract, and what only a broker shows."""

from unittest.mock import patch

import pytest
from confluent_kafka import Message, TopicPartition

from deptbus.errors import NotFound, TransactionFenced
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import BEGINNING, END, Tail, read_partition, read_topic
from deptbus.kafka.ends import end_offsets
from deptbus.kafka.producer import KafkaSender, TransactionalProducer
from deptbus.kafka.transport import KafkaTransport
from deptbus.outcome import Outcome
from deptbus.record import Record
from deptbus.testing import wait_until
from deptbus.transport import Position
from tests.bus.contract import BusContract
from tests.bus.worlds import KafkaWorld

pytestmark = pytest.mark.kafka


class TestKafka(BusContract):
    @pytest.fixture
    def world(self, kafka_world: KafkaWorld) -> KafkaWorld:
        return kafka_world


class TestReaders:
    def test_a_log_that_ends_in_markers_is_read_to_its_end(self, kafka_world: KafkaWorld) -> None:
        settings = kafka_world.settings
        topic = settings.world.physical("ward.cases")
        configuration = reader_configuration(settings)
        tail = Tail(configuration, {topic: END})
        producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        producer.init()
        for keep in (True, False, True, False):
            producer.begin()
            for number in range(10):
                producer.send(topic, 0, b"k", f"{keep}-{number}".encode())
            wait_until(lambda: producer.poll() or producer.waiting() == 0)
            producer.commit() if keep else producer.abort()
        values = [record.value for record in read_partition(configuration, topic, 0)]
        assert values == [f"True-{n}".encode() for n in range(10)] * 2
        assert len(list(read_topic(configuration, topic))) == 20
        assert end_offsets(configuration, topic)[0] == 44
        assert [r.offset for r in read_partition(configuration, topic, 0, 3, 6)] == [3, 4, 5]
        assert list(read_partition(configuration, topic, 1)) == []
        seen = []
        wait_until(lambda: seen.extend(tail.poll(0.1)) or tail.has_reached({("ward.cases", 0): 44}))
        assert len(seen) == 20
        tail.close()
        producer.close()

    def test_an_open_transaction_hides_what_follows(self, kafka_world: KafkaWorld) -> None:
        settings = kafka_world.settings
        topic = settings.world.physical("ward.cases")
        producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        producer.init()
        producer.begin()
        producer.send(topic, 0, b"k", b"open")
        plain = KafkaSender(producer_configuration(settings), settings.world, 30)
        wait_until(lambda: producer.poll() or producer.waiting() == 0)
        plain.send("ward.cases", b"k", b"after", [], "id", partition=0).result().require()
        assert list(read_partition(reader_configuration(settings), topic, 0)) == []
        producer.commit()
        values = [record.value for record in read_partition(reader_configuration(settings), topic, 0)]
        assert values == [b"open", b"after"]
        producer.close()
        plain.close()

    def test_a_producer_fenced_by_its_successor_cannot_commit(self, kafka_world: KafkaWorld) -> None:
        settings = kafka_world.settings
        topic = settings.world.physical("ward.cases")
        first = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        first.init()
        first.begin()
        first.send(topic, 0, b"k", b"first")
        second = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        second.init()
        with pytest.raises(TransactionFenced, match="could not commit"):
            first.commit()
        second.begin()
        second.send(topic, 0, b"k", b"second")
        second.commit()
        assert [r.value for r in read_partition(reader_configuration(settings), topic, 0)] == [b"second"]
        first.close()
        second.close()

    def test_a_topic_that_is_not_there_is_named(self, kafka_world: KafkaWorld) -> None:
        configuration = reader_configuration(kafka_world.settings)
        with pytest.raises(NotFound, match=r"no\.such is not there"):
            list(read_topic(configuration, "no.such"))
        with pytest.raises(NotFound, match=r"no\.such is not there"):
            Tail(configuration, {"no.such": BEGINNING})


class TestReceiver:
    def test_a_position_that_stands_still_before_records_is_noticed(self, kafka_world: KafkaWorld) -> None:
        settings = kafka_world.settings
        topic = settings.world.physical("ward.cases")
        producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        producer.init()
        producer.begin()
        producer.send(topic, 0, b"k", b"never committed")
        wait_until(lambda: producer.poll() or producer.waiting() == 0)
        receiver = KafkaTransport(settings).receiver("lab", ["ward.cases"])

        def stalled() -> list[Position]:
            assert receiver.poll(10, 0.05) == []
            return [position for position in receiver.positions() if position.stalled_s > 0.2]

        wait_until(stalled)
        (position,) = stalled()
        assert (position.topic, position.partition, position.reached, position.lag) == ("ward.cases", 0, 0, 1)
        producer.abort()
        wait_until(lambda: not stalled())
        receiver.close()
        producer.close()

    @pytest.mark.parametrize("comes_back", [False, True])
    def test_what_is_taken_away_during_a_poll_is_not_delivered(self, kafka_world: KafkaWorld, comes_back: bool) -> None:
        settings = kafka_world.settings
        receiver = KafkaTransport(settings).receiver("lab", ["ward.cases"])
        ward = kafka_world.connect("ward")
        ward.publish("ward.CaseReported", {"case": "c1"}, subject="c1").require()
        ask = receiver._messages

        def taken_away(count_max: int, timeout_s: float) -> list[Message]:
            found = ask(count_max, timeout_s)
            parts = [TopicPartition(message.topic(), message.partition()) for message in found]
            receiver._revoked(receiver._consumer, parts)
            if comes_back:
                receiver._assigned(receiver._consumer, parts)
            polled.extend(message for message in found if message.error() is None)
            return found

        polled: list[Message] = []
        delivered: list[Record] = []
        with patch.object(receiver, "_messages", taken_away):
            wait_until(lambda: delivered.extend(receiver.poll(10, 0.1)) or polled)
        assert [record.offset for record in delivered] == ([0] if comes_back else [])
        assert (("ward.cases", polled[0].partition()) in receiver.reached) is comes_back
        receiver.close()


class TestOutcomes:
    def test_topics_of_many_producers_are_answered_by_one_flush(
        self, kafka_world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deptbus.kafka.producer.LINE_TOPICS_MAX", 1)
        sender = KafkaSender(producer_configuration(kafka_world.settings), kafka_world.settings.world, 30)
        topics = ["ward.cases", "lab.investigations", "lab.notes"] * 100
        pending = [sender.send(topic, b"k", b"v", [], str(number)) for number, topic in enumerate(topics)]
        sender.flush()
        assert sender.waiting() == 0
        assert all(one.outcome and one.outcome.acknowledged for one in pending)
        assert len(sender._lines) == 3
        for topic in set(topics):
            offsets = [one.outcome.offset for one in pending if one.topic == topic and one.outcome]
            assert offsets == sorted(offsets)
        alone = sender.send("lab.notes", b"k", b"v", [], "alone")
        assert alone.result().acknowledged
        sender.close()

    def test_without_a_broker_the_outcome_is_unknown_and_never_silence(self, kafka_world: KafkaWorld) -> None:
        away = kafka_world.settings.model_copy(update={"bootstrap_servers": "127.0.0.1:1", "publish_timeout_s": 0.5})
        sender = KafkaSender(producer_configuration(away), away.world, 0.5)
        assert sender.send("ward.cases", b"k", b"v", [], "id").result().state == "unknown"
        sender.close()

    def test_a_full_buffer_is_waited_for(self, kafka_world: KafkaWorld) -> None:
        small = kafka_world.settings.model_copy(update={"publish_buffer_max": 10})
        sender = KafkaSender(producer_configuration(small), small.world, 30)
        pending = [sender.send("ward.cases", b"k", b"v", [], str(n)) for n in range(500)]
        sender.flush()
        assert all(one.outcome and one.outcome.acknowledged for one in pending)
        sender.close()

    @pytest.mark.parametrize("together", [1, 1_000])
    def test_who_goes_on_publishing_learns_of_answers_without_asking(
        self, kafka_world: KafkaWorld, together: int
    ) -> None:
        sender = KafkaSender(producer_configuration(kafka_world.settings), kafka_world.settings.world, 30)
        told: list[Outcome] = []
        sender.send("ward.cases", b"k", b"v", [], "first").when_settled(told.append)

        def learned() -> bool:
            for _ in range(together):
                sender.send("ward.cases", b"k", b"v", [], "later")
            return bool(told)

        wait_until(learned)
        assert [(one.state, one.event_id) for one in told] == [("acknowledged", "first")]
        sender.close()

    def test_what_is_unanswered_at_the_end_is_settled(self, kafka_world: KafkaWorld) -> None:
        away = kafka_world.settings.model_copy(update={"bootstrap_servers": "127.0.0.1:1", "publish_timeout_s": 60})
        sender = KafkaSender(producer_configuration(away), away.world, 0.1)
        pending = sender.send("ward.cases", b"k", b"v", [], "id")
        sender.close()
        assert pending.outcome is not None
        assert pending.outcome.state == "unknown"

    def test_an_unknown_topic_is_failed(self, kafka_world: KafkaWorld) -> None:
        sender = KafkaSender(producer_configuration(kafka_world.settings), kafka_world.settings.world, 30)
        assert sender.send("no.such", b"k", b"v", [], "id").result().state == "failed"
        sender.close()
