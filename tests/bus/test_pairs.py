"""Keys and values of very many records, read together: where a reader has come when the end is told in between."""

from typing import Any, NamedTuple

import pytest
from confluent_kafka import KafkaError

from deptbus.kafka.consumer import Tail

TOPIC = "workflow.instances"


class Message(NamedTuple):
    """What librdkafka hands out."""

    at: int
    content: bytes | None = b"value"
    code: int | None = None

    def error(self) -> KafkaError | None:
        """What it says instead of a record."""
        return None if self.code is None else KafkaError(self.code)

    def topic(self) -> str:
        """Where it lies."""
        return TOPIC

    def partition(self) -> int:
        """Of which there is one."""
        return 0

    def offset(self) -> int:
        """Where it lies there."""
        return self.at

    def key(self) -> bytes:
        """Tells the records apart."""
        return b"%d" % self.at

    def value(self) -> bytes | None:
        """None for a tombstone."""
        return self.content


EOF = KafkaError._PARTITION_EOF


@pytest.mark.parametrize(
    ("messages", "reached"),
    [
        ([Message(3), Message(4)], 5),
        ([Message(3), Message(7, code=EOF)], 7),
        ([Message(3), Message(4, None), Message(6), Message(9)], 10),
        ([Message(7, code=EOF)], 7),
        ([], 3),
    ],
)
def test_the_position_is_behind_what_was_read_and_at_the_end_behind_its_markers(
    messages: list[Message], reached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = Tail({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0}, {TOPIC: {0: 3}})

    def given(count_max: int, timeout_s: float) -> list[Any]:
        return list(messages)

    monkeypatch.setattr(tail, "_messages", given)
    try:
        pairs = tail.pairs(0, 10, 9)
        assert [int(key) for key, _ in pairs] == [
            m.at for m in messages if m.error() is None and m.content and m.at < 9
        ]
        assert tail.reached == {(TOPIC, 0): reached}
    finally:
        tail.close()
