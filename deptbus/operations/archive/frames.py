"""Writes the schema ids of another registry into the frames of values, and of values within values. Pure.

An entry of the journal holds the event that it is about, framed as it came; a dead letter may hold one too. What
follows a frame stays byte for byte as it was.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from deptbus.codec import Codec
from deptbus.errors import CodecError
from deptbus.operations.archive.schemas import FRAME_BYTES
from deptbus.operations.archive.varints import read_long

_FIXED_BYTES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_FRAME = struct.Struct(">bI")


class Frames:
    """``ids``: the new ids by the old ones; ``codec`` knows the schemas by the old ones."""

    def __init__(self, ids: Mapping[int, int], codec: Codec, schemas: Mapping[int, Mapping[str, Any]]) -> None:
        self._new = {_FRAME.pack(0, old): _FRAME.pack(0, new) for old, new in ids.items()}
        self._same = all(old == new for old, new in ids.items())
        self._codec = codec
        self._holding = {_FRAME.pack(0, number): schema for number, schema in schemas.items() if _has_bytes(schema, {})}

    def rewritten(self, value: bytes | None) -> bytes | None:
        """The value as the other registry's readers read it; one that is not framed, or by an unknown id, as it is."""
        if self._same or value is None:
            return value
        new = self._new.get(value[:FRAME_BYTES])
        if new is None:
            return value
        schema = self._holding.get(value[:FRAME_BYTES])
        if schema is None:
            return new + value[FRAME_BYTES:]
        found = bytearray(value)
        for start, end in self._inner(schema, value):
            found[start:end] = self.rewritten(value[start:end]) or b""
        found[:FRAME_BYTES] = new
        return bytes(found)

    def _inner(self, schema: Mapping[str, Any], value: bytes) -> list[tuple[int, int]]:
        """Where whole framed values stand within one."""
        try:
            fields = list(_Walk(value).bytes_in(schema))
        except (ValueError, IndexError, KeyError):
            return []  # not of this schema; nobody can read it, and nothing in it is changed
        return [(start, end) for start, end in fields if self._is_value(value[start:end])]

    def _is_value(self, content: bytes) -> bool:
        if content[:FRAME_BYTES] not in self._new:
            return False
        try:
            self._codec.decode(content)
        except CodecError:
            return False
        return True


def _has_bytes(schema: Any, seen: dict[str, Any]) -> bool:
    if isinstance(schema, list):
        return any(_has_bytes(branch, seen) for branch in schema)
    if isinstance(schema, str):
        return schema == "bytes"
    name = schema.get("name")
    if name in seen:
        return False
    if name:
        seen[name] = schema
    if "fields" in schema:
        return any(_has_bytes(field["type"], seen) for field in schema["fields"])
    return any(_has_bytes(schema[part], seen) for part in ("type", "items", "values") if part in schema)


class _Walk:
    """Goes through Avro binary by its schema."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._at = FRAME_BYTES
        self._named: dict[str, Any] = {}

    def bytes_in(self, schema: Any, namespace: str = "") -> Iterator[tuple[int, int]]:  # noqa: PLR0912  # a kind of type each
        """Where the contents of fields of type bytes stand."""
        if isinstance(schema, list):
            yield from self.bytes_in(schema[self._long()], namespace)
            return
        kind = schema if isinstance(schema, str) else schema["type"]
        if not isinstance(kind, str):
            yield from self.bytes_in(kind, namespace)
            return
        if isinstance(schema, dict) and "name" in schema:
            name = schema["name"] if "." in schema["name"] else f"{schema.get('namespace', namespace)}.{schema['name']}"
            self._named[name] = schema
            namespace = name.rpartition(".")[0]
        if kind in _FIXED_BYTES:
            self._at += _FIXED_BYTES[kind]
        elif kind in ("int", "long", "enum"):
            self._long()
        elif kind in ("string", "bytes"):
            length = self._length()
            start, self._at = self._at, self._at + length
            if kind == "bytes":
                yield start, self._at
        elif kind == "fixed":
            self._at += schema["size"]
        elif kind in ("array", "map"):
            for _ in self._items():
                if kind == "map":
                    self._at += self._length()
                yield from self.bytes_in(schema["items" if kind == "array" else "values"], namespace)
        elif kind in ("record", "error"):
            for field in schema["fields"]:
                yield from self.bytes_in(field["type"], namespace)
        else:
            yield from self.bytes_in(self._named[kind if "." in kind else f"{namespace}.{kind}"], namespace)
        if self._at > len(self._value):
            raise ValueError("the value is cut off")

    def _long(self) -> int:
        number, self._at = read_long(self._value, self._at)
        return number

    def _length(self) -> int:
        length = self._long()
        if length < 0:
            raise ValueError("a length is negative")
        return length

    def _items(self) -> Iterator[None]:
        while count := self._long():
            if count < 0:
                count = -count
                self._long()
            for _ in range(count):
                yield
