"""Avro values in Confluent framing: a zero byte, the schema id in four bytes, then Avro binary.

Pure: schemas come in parsed with their registry ids; nothing is looked up. Bytes are not trusted: sizes are
checked first, whatever the decoder throws becomes a ``CodecError``, and all bytes must have been consumed. Bytes that
spell a value in an unusual way (a negative union index) are read as the value they spell.

Functions made of the schemas (``deptbus.avro``) write and read what is as usual. What they do not take is judged by
fastavro: it writes or reads it, or says what is wrong.
"""

import io
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import fastavro

from deptbus.avro.functions import Unusual
from deptbus.avro.reading import reader
from deptbus.avro.writing import keeping_writers, writer
from deptbus.errors import CodecError

Schema = Mapping[str, Any]
Encode = Callable[[str, Mapping[str, Any]], bytes]
"""Event type and data to the framed value."""
_HEADER = struct.Struct(">bI")


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema version and the id under which the registry knows it."""

    id: int
    type: str
    version: int
    parsed: Schema
    """As ``fastavro.parse_schema`` returns it, self-contained."""


class Codec:
    """Encodes by event type with its newest version; decodes by schema id.

    ``schemas`` holds every version that this process may meet; the newest of a type writes, and a value written
    with an older or newer one is resolved to it. More can be added with ``add`` when a new id is met. ``larger``
    holds the event types that may take more than ``value_bytes_max``, with their limits in bytes.
    """

    def __init__(
        self,
        schemas: Iterable[RegisteredSchema],
        value_bytes_max: int = 1_000_000,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self._newest: dict[str, RegisteredSchema] = {}
        self._by_id: dict[int, RegisteredSchema] = {}
        self._value_bytes_max = value_bytes_max
        self._larger = dict(larger or {})
        # By event type, what writes its values, and their limit; by header, what reads, the schema and the limit.
        # All are made when first needed.
        self._writing: dict[str, tuple[Callable[[Any], bytes], int]] = {}
        self._writing_again: dict[str, Callable[[int], Callable[[Any], bytes]]] = {}
        """What makes those that keep bytes."""
        self._reading: dict[bytes, tuple[Callable[[bytes], dict[str, Any]], RegisteredSchema, int]] = {}
        for schema in schemas:
            _refuse_bombs(schema)
            self._by_id[schema.id] = schema
            if schema.type not in self._newest or self._newest[schema.type].version < schema.version:
                self._newest[schema.type] = schema

    def add(self, schema: RegisteredSchema) -> None:
        """Make a foreign version known: it can be read, and never becomes the one that writes."""
        _refuse_bombs(schema)
        self._by_id.setdefault(schema.id, schema)
        self._newest.setdefault(schema.type, schema)

    def schema(self, event_type: str) -> RegisteredSchema:
        """The version that writes ``event_type``; ``CodecError`` (``unknown_type``) if there is none."""
        try:
            return self._newest[event_type]
        except KeyError:
            raise CodecError(
                "unknown_type",
                f"no schema of {event_type} is known; add schemas/ and run `deptbus schemas register`",
            ) from None

    def value_bytes_max(self, event_type: str) -> int:
        """The limit of a type's framed values, in bytes."""
        return self._larger.get(event_type, self._value_bytes_max)

    def encode(self, event_type: str, data: Mapping[str, Any]) -> bytes:
        """The framed value. ``CodecError`` with reason ``invalid`` or ``too_large``."""
        try:
            write, limit = self._writing[event_type]
        except KeyError:
            write, limit = self._writing[event_type] = self._writes(event_type)
        return self._encoded(event_type, write, limit, data)

    def keeping(self, event_type: str, room: int) -> Encode:
        """As ``encode``, for states of ``event_type``, of which most is as it was when they were encoded last.

        The bytes of the records in their lists are kept: such a record must never be altered, but replaced, and stands
        in lists of one kind alone. There is ``room`` for so many; once it is full, those are let go of that nobody else
        holds, and it grows to twice what is left. For one thread at a time.
        """
        write: Callable[[Any], bytes] | None = None
        limit = self.value_bytes_max(event_type)

        def encode(other: str, data: Mapping[str, Any]) -> bytes:
            nonlocal write
            if other != event_type:
                return self.encode(other, data)
            if write is None:  # it takes 25 ms to make the first of its kind, and who restores has no time for it
                write = self._writes_again(event_type)(room)
            return self._encoded(other, write, limit, data)

        return encode

    def _encoded(self, event_type: str, write: Callable[[Any], bytes], limit: int, data: Mapping[str, Any]) -> bytes:
        try:
            value = write(data)
        except Exception:  # all kinds come
            value = _write(self._newest[event_type], data)
        if len(value) > limit:
            raise CodecError("too_large", f"{event_type} takes {len(value)} bytes; {limit} are allowed")
        return value

    def _writes(self, event_type: str) -> tuple[Callable[[Any], bytes], int]:
        schema = self.schema(event_type)
        try:
            write = writer(schema.parsed, _HEADER.pack(0, schema.id))
        except (Unusual, RecursionError):
            write = partial(_write, schema)
        return write, self.value_bytes_max(event_type)

    def _writes_again(self, event_type: str) -> Callable[[int], Callable[[Any], bytes]]:
        if event_type not in self._writing_again:
            self._writing_again[event_type] = _keeping(self.schema(event_type))
        return self._writing_again[event_type]

    def schema_id(self, value: bytes | None) -> int:
        """The id in a framed value. ``CodecError``: ``framing`` (too short), ``bad_magic``."""
        if value is None or len(value) < _HEADER.size:
            raise CodecError("framing", "the value is empty or shorter than its five-byte header")
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != 0:
            raise CodecError("bad_magic", f"the value begins with byte {magic & 0xFF}, not 0: it is not framed Avro")
        return int(schema_id)

    def knows(self, schema_id: int) -> bool:
        """Whether a value with this id can be decoded."""
        return schema_id in self._by_id

    def type_of(self, value: bytes | None) -> str:
        """The event type of a framed value. ``CodecError``: those of ``schema_id``, ``unknown_schema``."""
        schema_id = self.schema_id(value)
        if schema_id not in self._by_id:
            raise CodecError("unknown_schema", f"the schema id {schema_id} is not known to the registry")
        return self._by_id[schema_id].type

    def decode(self, value: bytes | None, event_type: str | None = None) -> dict[str, Any]:
        """The record in a framed value, as the newest version known here sees it.

        ``event_type`` is what the envelope says; a value of another type is refused. ``CodecError`` reasons:
        those of ``schema_id``, ``unknown_schema``, ``wrong_type``, ``too_large``, ``undecodable``, ``trailing``.
        """
        header = b"" if value is None else value[: _HEADER.size]
        try:
            read, writer_schema, limit = self._reading[header]
        except KeyError:
            read, writer_schema, limit = self._reading[header] = self._reads(self.schema_id(value))
        assert value is not None
        if event_type is not None and writer_schema.type != event_type:
            raise CodecError("wrong_type", f"the envelope says {event_type}, the value is a {writer_schema.type}")
        if len(value) > limit:
            raise CodecError("too_large", f"the value has {len(value)} bytes; {limit} are allowed")
        try:
            return read(value)
        except Exception:  # truncated varints, bad union indexes, bad UTF-8: all kinds come
            return _read(writer_schema, self._newest[writer_schema.type], value)

    def _reads(self, schema_id: int) -> tuple[Callable[[bytes], dict[str, Any]], RegisteredSchema, int]:
        schema = self._by_id.get(schema_id)
        if schema is None:
            raise CodecError("unknown_schema", f"the schema id {schema_id} is not known to the registry")
        newest = self._newest[schema.type]
        try:
            read = reader(schema.parsed, _HEADER.size) if newest.id == schema.id else partial(_read, schema, newest)
        except (Unusual, RecursionError):
            read = partial(_read, schema, newest)
        return read, schema, self.value_bytes_max(schema.type)


def _keeping(schema: RegisteredSchema) -> Callable[[int], Callable[[Any], bytes]]:
    """What makes writers that keep the bytes of so many records."""
    try:
        return keeping_writers(schema.parsed, _HEADER.pack(0, schema.id))
    except (Unusual, RecursionError):
        return lambda _: partial(_write, schema)


def _write(schema: RegisteredSchema, data: Mapping[str, Any]) -> bytes:
    """The framed value by fastavro; ``CodecError`` (``invalid``) says what does not fit."""
    out = io.BytesIO()
    out.write(_HEADER.pack(0, schema.id))
    try:
        fastavro.schemaless_writer(out, schema.parsed, data, strict_allow_default=True)
    except Exception as error:  # fastavro raises many kinds for data that does not fit
        raise CodecError("invalid", f"the data do not fit {schema.type} v{schema.version}: {error}") from error
    return out.getvalue()


def _read(schema: RegisteredSchema, newest: RegisteredSchema, value: bytes) -> dict[str, Any]:
    """The record by fastavro, as the newest version sees it; ``CodecError``: ``undecodable``, ``trailing``."""
    source = io.BytesIO(value)
    source.seek(_HEADER.size)
    try:
        data: dict[str, Any] = fastavro.schemaless_reader(
            source, schema.parsed, None if newest.id == schema.id else newest.parsed
        )
    except Exception as error:
        raise CodecError("undecodable", f"the value is not a {schema.type} v{schema.version}: {error!r}") from error
    if source.tell() != len(value):
        raise CodecError("trailing", f"{len(value) - source.tell()} bytes follow the {schema.type}") from None
    return data


def _refuse_bombs(schema: RegisteredSchema) -> None:
    """``CodecError`` (``unsafe_schema``) for a schema under which few bytes can ask for endless memory or depth.

    An array of items that take no bytes may claim any count; a type that contains itself nests as deep as the
    value is long, and the decoder recurses without a guard.
    """
    try:
        _bytes_min(schema.parsed, {}, ())
    except _UnboundedError as error:
        raise CodecError("unsafe_schema", f"{schema.type} v{schema.version} is not read: {error}") from None


class _UnboundedError(Exception):
    """Where a schema has no bound."""


def _bytes_min(schema: Any, named: dict[str, Any], path: tuple[str, ...]) -> int:
    """The least bytes that a value takes; raises ``_UnboundedError`` for arrays of nothing and for recursion."""
    if isinstance(schema, list):
        return 1 + min((_bytes_min(branch, named, path) for branch in schema), default=0)
    if isinstance(schema, str):
        if schema in path:
            raise _UnboundedError(f"{schema} contains itself")
        if schema in named:
            return _bytes_min(named[schema], named, path)
        return {"null": 0, "float": 4, "double": 8}.get(schema, 1)
    kind = schema["type"]
    if kind in {"record", "error"}:
        named[schema["name"]] = schema
        inner = (*path, schema["name"])
        return sum(_bytes_min(field["type"], named, inner) for field in schema["fields"])
    if kind == "array":
        if _bytes_min(schema["items"], named, path) == 0:
            raise _UnboundedError("an array of items that take no bytes")
        return 1
    if kind == "map":
        _bytes_min(schema["values"], named, path)
        return 1
    if kind in {"enum", "fixed"}:
        named[schema["name"]] = schema
        return int(schema.get("size", 1))
    return _bytes_min(kind, named, path)
