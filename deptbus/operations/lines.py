"""One record as people and programs read it: its envelope, its data decoded, and no personal data unless asked for.

What lies undecoded in the data is decoded too: the event in an entry of the journal, the value of a dead letter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from deptbus.clock import iso
from deptbus.codec import Codec
from deptbus.envelope import Envelope, from_headers
from deptbus.errors import CodecError, SettingsError
from deptbus.jsondata import to_json
from deptbus.operations.filters import Filter
from deptbus.operations.masking import HIDDEN, Masker
from deptbus.record import Record
from deptbus.schemas.store import SchemaStore

_APPENDED = "workflow.EntryAppended"
_KEY = "workflow.KeyChanged"
_DEAD = "bus.DeadLettered"
_PACK_ENTRY = "activation"
"""The entry whose body is no event."""
_ACTOR = "ce_actor"
_WIDE_SPACE = "\u3000"
"""It stands in Chinese text and is as wide as a character; only its category is no printable one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record, as far as it could be read. ``problem`` says why there are no data."""

    record: Record
    key: str | None
    envelope: Envelope | None
    data: Any
    problem: str = ""

    def as_json(self) -> bytes:
        """One JSON object, without a line end."""
        record, envelope = self.record, self.envelope
        return orjson.dumps(
            {
                "id": envelope and envelope.id,
                "type": envelope and envelope.type,
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "timestamp": iso(max(0, record.timestamp_ms)),
                "key": self.key,
                "envelope": envelope
                and {name: value for name, value in envelope._asdict().items() if value is not None},
                "data": self.data,
                "problem": self.problem or None,
            }
        )

    def as_text(self) -> tuple[str, str, str, str, str]:
        """Time, type, key, subject and data."""
        envelope = self.envelope
        return (
            iso(envelope.time_ms if envelope else max(0, self.record.timestamp_ms)),
            _printable(envelope.type) if envelope else "?",
            _printable(self.key or "-"),
            _printable((envelope.subject if envelope else None) or "-"),
            f"({_printable(self.problem)})" if self.problem else _printable(orjson.dumps(self.data).decode()),
        )


class Reader:
    """Turns records into lines. ``learn`` makes a schema id known to the codec, if it can.

    ``keyed_by_actor``: whether the records' keys name officers. ``unmasked``: whether personal data are shown.
    """

    def __init__(
        self,
        codec: Codec,
        schemas: SchemaStore,
        learn: Callable[[int], bool],
        *,
        meant: Filter | None = None,
        keyed_by_actor: bool = False,
        unmasked: bool = False,
    ) -> None:
        self._codec = codec
        self._schemas = schemas
        self._known = frozenset(schemas.types())
        self._learn = learn
        self._meant = meant or Filter()
        self._keyed_by_actor = keyed_by_actor
        self._unmasked = unmasked
        self._maskers: dict[str, Masker] = {}

    def check(self, types: Iterable[str]) -> None:
        """Whether what is meant can be found among events of these types; ``SettingsError`` says what cannot."""
        kinds = sorted(types)
        if strange := sorted(self._meant.types.difference(kinds)):
            raise SettingsError(f"There is no {strange[0]} on this topic; it carries {', '.join(kinds)}.")
        chosen = sorted(self._meant.types) or kinds
        for comparison in self._meant.where:
            name = ".".join(comparison.path)
            if not any(comparison.path[0] in self._fields(kind) for kind in chosen):
                raise SettingsError(f"--where: no event of {', '.join(chosen)} has a field {name}.")
            if not self._unmasked and any(self._masker(kind).hides(comparison.path) for kind in chosen):
                raise SettingsError(f"--where: {name} is personal; to look for it say why: --unmask REASON.")

    def line(self, record: Record) -> Line | None:
        """The line of a record; one that cannot be read says why. None where the record is not meant."""
        envelope = None
        key = _text(record.key)
        if self._keyed_by_actor and not self._unmasked:
            key = HIDDEN
        try:
            envelope = from_headers(record.headers)
            if not self._meant.envelope(envelope):
                return None
            envelope = envelope if self._unmasked else _without_actor(envelope)
            data = self._opened(envelope.type, self._decode(record.value, envelope.type))
        except CodecError as error:  # nothing that was asked of its fields can be told
            meant = not self._meant.where and (envelope is not None or self._meant.empty)
            return Line(record, key, envelope, None, str(error)) if meant else None
        if not self._meant.data(data):
            return None
        return Line(record, key, envelope, self._shown(envelope.type, data))

    def _decode(self, value: bytes | None, event_type: str | None = None) -> dict[str, Any]:
        schema_id = self._codec.schema_id(value)
        if not self._codec.knows(schema_id):
            self._learn(schema_id)
        return self._codec.decode(value, event_type)

    def _opened(self, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
        """The data with what lies undecoded in them, masked."""
        if event_type == _APPENDED:
            data = data | {"entry": self._entry(data["entry"])}
        elif event_type == _KEY:
            data = data | {"parked": [self._entry(entry) for entry in data["parked"]]}
        elif event_type == _DEAD:
            data = data | {"value": self._within(data["value"]), "headers": [self._header(h) for h in data["headers"]]}
        return data if self._unmasked else self._masker(event_type)(data)

    def _entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        return entry if entry["kind"] == _PACK_ENTRY else entry | {"body": self._within(entry["body"])}

    def _within(self, value: bytes | None) -> Any:
        """A value that lies in another: as JSON, or where it cannot be decoded its bytes, which may say anything."""
        if value is None:
            return None
        try:
            data = self._decode(value)
            event_type = self._codec.type_of(value)
        except CodecError:
            return value if self._unmasked else HIDDEN
        return self._shown(event_type, self._opened(event_type, data))

    def _header(self, header: dict[str, Any]) -> dict[str, Any]:
        return header if self._unmasked or header["name"] != _ACTOR else header | {"value": HIDDEN}

    def _shown(self, event_type: str, data: Any) -> Any:
        known = event_type in self._known
        return to_json(
            self._schemas.newest(event_type).schema if known else self._codec.schema(event_type).parsed, data
        )

    def _masker(self, event_type: str) -> Masker:
        masker = self._maskers.get(event_type)
        if masker is None:
            schemas = [self._codec.schema(event_type).parsed]
            if event_type in self._known:
                schemas += [file.schema for file in self._schemas.versions(event_type)]
            masker = self._maskers[event_type] = Masker(schemas)
        return masker

    def _fields(self, event_type: str) -> set[str]:
        return {field["name"] for field in self._codec.schema(event_type).parsed["fields"]}


def _without_actor(envelope: Envelope) -> Envelope:
    """The schemas mark the actor as personal where they repeat the envelope."""
    return envelope if envelope.actor is None else envelope._replace(actor=HIDDEN)


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    """Without what could move a terminal's cursor or turn its text around."""
    return "".join(character if character.isprintable() or character == _WIDE_SPACE else "�" for character in text)
