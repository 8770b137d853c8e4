"""A producer that another has taken over is told so by whichever call comes first, and by every later one."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from deptbus.errors import TransactionFenced
from deptbus.kafka.producer import TransactionalProducer


@pytest.mark.parametrize("code", [KafkaError._FENCED, KafkaError._FATAL, KafkaError.INVALID_PRODUCER_EPOCH])
def test_whatever_says_that_it_is_fenced(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    producer = TransactionalProducer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, "advance-0", 1)

    class Fenced:
        def produce(self, *record: Any, **more: Any) -> None:
            raise KafkaException(KafkaError(code))

        def begin_transaction(self) -> None:
            raise KafkaException(KafkaError(code))

    monkeypatch.setattr(producer, "_producer", Fenced())
    with pytest.raises(TransactionFenced):
        producer.begin()
    with pytest.raises(TransactionFenced):
        producer.send("topic", 0, b"key", b"value")
