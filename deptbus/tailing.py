"""What ``deptbus tail`` does: the last events of a topic, then those that come, as lines for people or programs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from deptbus.clock import iso
from deptbus.codec import Codec
from deptbus.envelope import Envelope, from_headers
from deptbus.errors import CodecError
from deptbus.jsondata import to_json
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import BEGINNING, END, Tail, bounds
from deptbus.record import Record
from deptbus.schemas.store import SchemaStore

_MARKERS = 3
"""Offsets looked back for each record wanted: transaction markers take some."""
_WAIT_S = 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """One record, as far as it could be read. ``problem`` says why there are no data."""

    record: Record
    envelope: Envelope | None
    data: Any
    problem: str = ""

    def as_json(self) -> bytes:
        """One JSON object, without a line end."""
        envelope = self.envelope
        return orjson.dumps(
            {
                "topic": self.record.topic,
                "partition": self.record.partition,
                "offset": self.record.offset,
                "timestamp": iso(max(0, self.record.timestamp_ms)),
                "key": _text(self.record.key),
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
            envelope.type if envelope else "?",
            _printable(_text(self.record.key) or "-"),
            _printable((envelope.subject if envelope else None) or "-"),
            f"({self.problem})" if self.problem else orjson.dumps(self.data).decode(),
        )


class Reader:
    """Turns records into lines. ``learn`` makes a schema id known to the codec, if it can."""

    def __init__(self, codec: Codec, schemas: SchemaStore, learn: Callable[[int], bool]) -> None:
        self._codec = codec
        self._schemas = schemas
        self._learn = learn

    def line(self, record: Record) -> Line:
        """The line of a record; one that cannot be read says why."""
        envelope = None
        try:
            envelope = from_headers(record.headers)
            schema_id = self._codec.schema_id(record.value)
            if not self._codec.knows(schema_id):
                self._learn(schema_id)
            data = self._codec.decode(record.value, envelope.type)
        except CodecError as error:
            return Line(record, envelope, None, str(error))
        known = envelope.type in self._schemas.types()
        return Line(record, envelope, to_json(self._schemas.newest(envelope.type).schema, data) if known else data)


def follow(configuration: Configuration, topic: str, start: int | str, until_end: bool) -> Iterator[Record]:
    """Records of a physical topic. ``start``: ``beginning``, ``end``, or minus the number of the last ones wanted.

    The last ones come in order of time; what follows comes as it arrives, until the ends known at the start if
    ``until_end``.
    """
    if isinstance(start, str):
        tail = Tail(configuration, {topic: BEGINNING if start == "beginning" else END})
        ends = bounds(configuration, topic)
        back = 0
    else:
        ends = bounds(configuration, topic)
        back = -start
        tail = Tail(
            configuration,
            {topic: {p: max(low, high - back * _MARKERS) for p, (low, high) in ends.items()}},
        )
    logical_ends = {key: ends[key[1]][1] for key in tail.reached}
    try:
        if back:
            past: list[Record] = []
            while not tail.has_reached(logical_ends):
                past += tail.poll(_WAIT_S)
            past.sort(key=lambda record: record.timestamp_ms)
            yield from past[-back:]
            if until_end:
                return
        while not (until_end and tail.has_reached(logical_ends)):
            yield from tail.poll(_WAIT_S)
    finally:
        tail.close()


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    """Without what could move a terminal's cursor."""
    return "".join(character if character.isprintable() else "�" for character in text)
