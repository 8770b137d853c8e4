"""Dead letters: what could not be decoded or handled, kept whole with the reason (I7)."""

from typing import Any

from deptbus.ids import derived_id
from deptbus.observe.counting import PROCESS
from deptbus.observe.names import DEAD_LETTERS
from deptbus.outcome import Pending
from deptbus.publishing import Publisher
from deptbus.record import Record

TYPE = "bus.DeadLettered"
TOPIC = "bus.deadletters"
OVERHEAD_BYTES = 100_000
"""Left free of the topic's limit for the letter's own fields, its headers and the batch around it."""
_MESSAGE_CHARS_MAX = 4_000
_HEADER_BYTES_MAX = 4_000


class DeadLetters:
    """Writes dead letters for one group. ``value_bytes_max`` is what the codec takes of the letter's type."""

    def __init__(self, publisher: Publisher, group: str, value_bytes_max: int) -> None:
        self._publisher = publisher
        self.group = group
        self._budget = value_bytes_max - OVERHEAD_BYTES

    def send(self, record: Record, reason: str, message: str, attempts: int) -> Pending:
        """Hand over the letter. The record's offset may be committed once it is acknowledged.

        The id follows from group and coordinates: the same record given up twice is the same letter.
        """
        PROCESS.count(DEAD_LETTERS, self.group, reason).value += 1
        prepared = self._publisher.prepare(
            TYPE,
            self._data(record, reason, message, attempts),
            subject=record.coordinates,
            id=derived_id(f"{self.group}:{record.coordinates}", self._publisher.source, TYPE, record.coordinates),
        )
        return self._publisher.send(prepared)

    def _data(self, record: Record, reason: str, message: str, attempts: int) -> dict[str, Any]:
        key, value, headers = record.key, record.value, record.headers
        size = sum(len(name) + len(content or b"") + 10 for name, content in headers) + len(key or b"")
        truncated = False
        if size > self._budget:  # headers and keys of megabytes: their heads tell enough
            truncated = True
            headers = [
                (name[:200], None if content is None else content[:_HEADER_BYTES_MAX])
                for name, content in headers[: self._budget // (2 * _HEADER_BYTES_MAX)]
            ]
            key = None if key is None else key[:_HEADER_BYTES_MAX]
            size = self._budget // 2 + _HEADER_BYTES_MAX
        if value is not None and size + len(value) > self._budget:
            truncated = True
            value = value[: self._budget - size]
        return {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": max(0, record.timestamp_ms),
            "key": key,
            "value": value,
            "headers": [{"name": name, "value": content} for name, content in headers],
            "group": self.group,
            "reason": reason,
            "message": message[:_MESSAGE_CHARS_MAX],
            "attempts": attempts,
            "truncated": truncated,
        }
