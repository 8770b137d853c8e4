"""What ``advance`` puts out: a value for a topic, with all that its envelope needs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from deptbus.codec import Encode


class Snapshot:
    """The value of a snapshot, encoded once, when its bytes are first wanted; then the data are let go of."""

    __slots__ = ("_data", "_encode", "_value", "type")

    def __init__(self, event_type: str, data: Mapping[str, Any], encode: Encode) -> None:
        self.type = event_type
        self._data: Mapping[str, Any] | None = data
        self._encode = encode
        self._value = b""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and (self.type, self.value) == (other.type, other.value)

    __hash__ = None  # type: ignore[assignment]  # what is equal by its value has no other identity

    @property
    def value(self) -> bytes:
        """The framed value; raises as the codec does."""
        if self._data is not None:
            self._value = self._encode(self.type, self._data)
            self._data = None
        return self._value


class Output(NamedTuple):
    """One event to be written in the transaction of its journal entry."""

    topic: str
    """Logical name: ``workflow.tasks``, ``.instances``, ``.timeline``, ``.events`` or ``.journal``."""
    key: str
    """The record's key."""
    type: str
    id: str
    """Derived from its cause; a snapshot's from the offset that it names."""
    time_ms: int
    data: dict[str, Any]
    subject: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    legalbasis: str | None = None
    region: str | None = None
    elsewhere: bool = False
    """Whether it goes to the partition of its key, and not to that of its journal entry."""
    snapshot: Snapshot | None = None
    """The value, where the partition keeps it as well."""

    def value(self, encode: Encode) -> bytes:
        """The framed value."""
        return encode(self.type, self.data) if self.snapshot is None else self.snapshot.value
