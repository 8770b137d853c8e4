"""A record as an archive holds it, and the blocks of Avro that many of them make. Pure."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import fastavro

from deptbus.envelope import Headers
from deptbus.operations.archive.varints import write_long
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


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(part) for part in schema]
    if isinstance(schema, Mapping):
        return {name: _without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return schema


# The records of a block are the items of an array: one call of fastavro writes or reads them all.
_RECORD = fastavro.parse_schema(_without_logical_types(SCHEMA), named_schemas={})
_MANY = fastavro.parse_schema({"type": "array", "items": _without_logical_types(SCHEMA)}, named_schemas={})


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


def encode(topic: str, partition: int, entries: Sequence[Entry]) -> bytes:
    """The content of one block, at least one record, not yet compressed."""
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out,
        _MANY,
        [
            {
                "topic": topic,
                "partition": partition,
                "offset": offset,
                "timestamp": timestamp_ms,
                "timestamp_type": TIMESTAMP_TYPES[timestamp_type],
                "key": key,
                "value": value,
                "headers": [{"name": name, "value": content} for name, content in headers],
                "schema": schema,
            }
            for offset, timestamp_ms, timestamp_type, key, value, headers, schema in entries
        ],
    )
    return out.getvalue()[len(write_long(len(entries))) : -1]


def decode(topic: str, partition: int, count: int, content: bytes) -> list[Entry]:
    """The records of a block; raises what fastavro raises, ``ForeignRecord``, ``ValueError`` for bytes left over."""
    source = io.BytesIO(write_long(count) + content + b"\0")
    found = fastavro.schemaless_reader(source, _MANY, None)
    if source.read(1):
        raise ValueError("bytes follow the last record")
    return [_entry(topic, partition, data) for data in found]


def decode_what_can_be(topic: str, partition: int, count: int, content: bytes) -> list[Entry]:
    """The records from the start of a broken block, up to the first that cannot be read."""
    source = io.BytesIO(content)
    found: list[Entry] = []
    while len(found) < count:
        try:
            data = fastavro.schemaless_reader(source, _RECORD, None)
            found.append(_entry(topic, partition, data))
        except Exception:  # all kinds come
            break
    return found


def _entry(topic: str, partition: int, data: Mapping[str, Any]) -> Entry:
    if data["topic"] != topic or data["partition"] != partition:
        raise ForeignRecord(f"a record of {data['topic']}[{data['partition']}]")
    return Entry(
        data["offset"],
        data["timestamp"],
        TIMESTAMP_TYPES.index(data["timestamp_type"]),
        data["key"],
        data["value"],
        [(header["name"], header["value"]) for header in data["headers"]],
        data["schema"],
    )
