"""A producer that another has taken over is told so by whichever call comes first, and by every later one."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from deptbus.errors import TransactionFenced
from deptbus.kafka import producer as module
from deptbus.kafka.producer import TransactionalProducer


@pytest.mark.parametrize("code", [KafkaError._FENCED, KafkaError._FATAL, KafkaError.INVALID_PRODUCER_EPOCH])
def test_whatever_says_that_it_is_fenced(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fenced:
        def __init__(self, configuration: Any) -> None:
            pass

        def produce(self, *record: Any, **more: Any) -> None:
            raise KafkaException(KafkaError(code))

        def begin_transaction(self) -> None:
            raise KafkaException(KafkaError(code))

    monkeypatch.setattr(module, "Producer", Fenced)
    producer = TransactionalProducer({}, "advance-0", 1)
    with pytest.raises(TransactionFenced):
        producer.begin()
    with pytest.raises(TransactionFenced):
        producer.send("topic", 0, b"key", b"value")
