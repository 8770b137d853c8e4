"""A record as an archive holds it, and the blocks of Avro that many of them make. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from deptbus.envelope import Headers
from deptbus.operations.archive.varints import read_long, write_long
from deptbus.record import Record

TIMESTAMP_TYPES = ("NoTimestamp", "CreateTime", "LogAppendTime")
"""In the order of Kafka's own numbers for them."""

SCHEMA: Mapping[str, Any] = {
    "type": "record",
    "name": "ArchivedRecord",
    "namespace": "deptbus.archive",
    "doc": "One record of a topic, whole.",
    "fields": [
        {"name": "topic", "type": "string", "doc": "Its name, without a namespace's prefix."},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "timestamp_type", "type": {"type": "enum", "name": "TimestampType", "symbols": [*TIMESTAMP_TYPES]}},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"], "doc": "As it was, framing included."},
        {
            "name": "headers",
            "doc": "In their order; the envelope is among them.",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Header",
                    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": ["null", "bytes"]}],
                },
            },
        },
        {
            "name": "schema",
            "type": ["null", "string"],
            "doc": "The CRC-64-AVRO fingerprint of the schema that wrote the value; null where it is not known.",
        },
    ],
}


_NULL, _THERE = b"\0", b"\2"
"""The branches of a union with null."""
_KINDS = [write_long(number) for number in range(len(TIMESTAMP_TYPES))]
_SMALL = [write_long(number) for number in range(1_024)]
_NAMES_MAX = 10_000


class Entry(NamedTuple):
    """One record of a partition. Header values may be null."""

    offset: int
    timestamp_ms: int
    timestamp_type: int
    """Its place in ``TIMESTAMP_TYPES``."""
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    schema: str | None
    """The fingerprint of the schema that wrote the value."""

    def record(self, topic: str, partition: int) -> Record:
        """The same, as it is read from a topic."""
        headers: Headers = self.headers  # type: ignore[assignment]  # Kafka lets a header be null; the envelope's are not
        return Record(topic, partition, self.offset, self.timestamp_ms, self.key, self.value, headers)


class ForeignRecord(Exception):
    """A record stands in a file of another partition."""


class _Names(dict[str, bytes]):
    """Names of headers as they are written; there are few, and each is made once."""

    def __missing__(self, name: str) -> bytes:
        if len(self) >= _NAMES_MAX:
            self.clear()
        made = self[name] = _bytes(name.encode())
        return made


_names = _Names()


def content(entry: Entry) -> bytes:
    """Key, value and headers as they stand in a block."""
    _, _, _, key, value, headers, _ = entry
    parts = [_NULL if key is None else _THERE + _bytes(key), _NULL if value is None else _THERE + _bytes(value)]
    if headers:
        names, small = _names, _SMALL
        parts.append(_length(len(headers)))
        for name, told in headers:
            parts.append(names[name])
            if told is None:
                parts.append(_NULL)
            else:
                size = len(told)
                parts += (_THERE, small[size] if size < 1_024 else write_long(size), told)
    parts.append(_NULL)
    return b"".join(parts)


def encode(topic: str, partition: int, entries: Sequence[Entry], contents: Sequence[bytes]) -> bytes:
    """The records of one block, not yet compressed; ``contents`` are those of the entries."""
    place = _bytes(topic.encode()) + write_long(partition)
    parts: list[bytes] = []
    for entry, held in zip(entries, contents, strict=True):
        offset, timestamp_ms, kind, _, _, _, schema = entry
        parts += (place, write_long(offset), write_long(timestamp_ms), _KINDS[kind], held)
        parts.append(_NULL if schema is None else _THERE + _bytes(schema.encode()))
    return b"".join(parts)


def decode(topic: str, partition: int, count: int, block: bytes) -> list[Entry]:
    """The records of a block; raises ``ForeignRecord``, or whatever comes where something else stands there."""
    found, position = _decoded(topic, partition, count, block)
    if len(found) != count or position != len(block):
        raise ValueError("they do not end where the block ends")
    return found


def decode_what_can_be(topic: str, partition: int, count: int, block: bytes) -> list[Entry]:
    """The records from the start of a broken block, up to the first that cannot be read."""
    found: list[Entry] = []
    position = 0
    while len(found) < count:
        try:
            more, position = _decoded(topic, partition, 1, block, position)
        except (ForeignRecord, ValueError, IndexError):
            break
        if position > len(block):
            break
        found += more
    return found


def _decoded(topic: str, partition: int, count: int, block: bytes, start: int = 0) -> tuple[list[Entry], int]:
    """So many records and the position behind them. Lengths that lead past the end show in that position."""
    place = _bytes(topic.encode()) + write_long(partition)
    names: dict[bytes, str] = {}
    found = []
    at = start
    for _ in range(count):
        if not block.startswith(place, at):
            raise ForeignRecord("one is not of this partition, or none")
        offset, at = read_long(block, at + len(place))
        timestamp_ms, at = read_long(block, at)
        kind, at = read_long(block, at)
        if not 0 <= kind < len(TIMESTAMP_TYPES):
            raise ValueError("a kind of timestamp is none")
        key, at = _optional(block, at)
        value, at = _optional(block, at)
        headers, at = _headers(block, at, names)
        schema, at = _optional(block, at)
        found.append(
            Entry(offset, timestamp_ms, kind, key, value, headers, None if schema is None else schema.decode())
        )
    return found, at


def _headers(block: bytes, at: int, names: dict[bytes, str]) -> tuple[list[tuple[str, bytes | None]], int]:
    """Headers and the position behind; lengths of one byte, as nearly all are, are read here: there are many."""
    found: list[tuple[str, bytes | None]] = []
    many, at = read_long(block, at)
    if not many:
        return found, at
    for _ in range(many):
        size = block[at]
        if size < 0x80:
            start, end = at + 1, at + 1 + (size >> 1)
        else:
            size, start = read_long(block, at)
            end = start + size
        name = block[start:end]
        if name not in names:
            names[name] = name.decode()
        size = block[end + 1]
        if block[end] == 2 and size < 0x80 and not size & 1:
            at = end + 2 + (size >> 1)
            found.append((names[name], block[end + 2 : at]))
        else:
            told, at = _optional(block, end)
            found.append((names[name], told))
    if block[at]:
        raise ValueError("headers do not end")
    return found, at + 1


def _optional(block: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes or null, and the position behind."""
    branch = block[at]
    if branch == 0:
        return None, at + 1
    if branch != 2:
        raise ValueError("a union has no such branch")
    size = block[at + 1]
    if size < 0x80:
        if size & 1:
            raise ValueError("a length is negative")
        start, end = at + 2, at + 2 + (size >> 1)
    else:
        length, start = read_long(block, at + 1)
        if length < 0:
            raise ValueError("a length is negative")
        end = start + length
    return block[start:end], end


def _length(size: int) -> bytes:
    return _SMALL[size] if size < len(_SMALL) else write_long(size)


def _bytes(held: bytes) -> bytes:
    return _length(len(held)) + held
