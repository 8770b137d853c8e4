"""What travels: a record as Kafka holds it, and an event as a handler sees it."""

from typing import Any, NamedTuple

from deptbus.envelope import Envelope, Headers


class Record(NamedTuple):
    """One Kafka record, not decoded. ``topic`` is the logical name; ``timestamp_ms`` the broker's or producer's."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def coordinates(self) -> str:
        """``topic[partition]@offset``, for messages."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Event(NamedTuple):
    """A decoded event: its envelope, its data as the Avro record's dict, and the record it came in."""

    envelope: Envelope
    data: dict[str, Any]
    record: Record
