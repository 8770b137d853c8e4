"""Acts of operators as records of ``bus.audit``: written with their place in the chain, and read again. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from deptbus.codec import Codec
from deptbus.envelope import Envelope, Headers, Stamp, from_headers
from deptbus.errors import CodecError
from deptbus.operations.chain import Head, hash_of
from deptbus.record import Record

TYPE = "bus.ActAudited"
TOPIC = "bus.audit"

Outcome = Literal["started", "done", "failed"]


class Act(NamedTuple):
    """What goes on record."""

    id: str
    """Of the record, as an event."""
    act: str
    target: str
    operator: str
    account: str
    reason: str | None
    outcome: Outcome
    detail: Mapping[str, str]
    time_ms: int
    """When, by the recorder's clock or the exercise's; the broker adds its own."""
    start: str | None = None
    """Of the record that ends an act: the id of the one that started it."""
    basis: str | None = None
    """The legal basis."""


class Ready(NamedTuple):
    """A record of the chain that only needs to be appended."""

    key: bytes
    value: bytes
    headers: Headers
    head: Head
    """What the chain's head is once it is there."""


class ActWriter:
    """Writes acts of one source in one world."""

    def __init__(self, codec: Codec, source: str, mode: str, classification: str | None) -> None:
        self._codec = codec
        self._mode = mode
        dataschema = f"urn:deptbus:{TYPE}:v{codec.schema(TYPE).version}"
        self._stamp = Stamp(TYPE, source, dataschema, classification)

    def ready(self, act: Act, after: Head) -> Ready:
        """The record of an act that follows ``after``; ``CodecError`` where it is too large."""
        number = after.number + 1
        data = {
            "number": number, "previous": after.hash, "act": act.act, "target": act.target, "operator": act.operator,
            "account": act.account, "reason": act.reason, "outcome": act.outcome, "detail": dict(act.detail),
        }  # fmt: skip
        digits = act.id.replace("-", "")
        trace = (act.start or act.id).replace("-", "")
        headers = self._stamp.headers(
            act.id, act.time_ms, self._mode, act.target,
            causationid=act.start, legalbasis=act.basis, actor=act.operator,
            traceparent=f"00-{trace}-{digits[16:]}-01",
        )  # fmt: skip
        key, value = act.operator.encode(), self._codec.encode(TYPE, data)
        return Ready(key, value, headers, Head(number, hash_of(key, value, headers)))


class Audited(NamedTuple):
    """A record of the chain as it was read."""

    record: Record
    envelope: Envelope
    data: Mapping[str, Any]
    """As the schema says."""
    head: Head
    """The chain's head while it was the last."""

    @property
    def previous(self) -> str:
        """The hash of the record before, by its own account."""
        return str(self.data["previous"])

    @property
    def offset(self) -> int:
        """Where it stands."""
        return self.record.offset


class ActReader:
    """Reads acts. ``learn`` makes a schema id known to the codec, if it can."""

    def __init__(self, codec: Codec, learn: Callable[[int], bool] = lambda _: False) -> None:
        self._codec = codec
        self._learn = learn

    def read(self, record: Record) -> Audited | None:
        """The act of a record; None where it is none."""
        try:
            envelope = from_headers(record.headers)
            if envelope.type != TYPE:
                return None
            schema_id = self._codec.schema_id(record.value)
            if not self._codec.knows(schema_id):  # written by a newer recorder than this one
                self._learn(schema_id)
            data = self._codec.decode(record.value, TYPE)
        except CodecError:
            return None
        return Audited(record, envelope, data, Head(data["number"], hash_of(record.key, record.value, record.headers)))
