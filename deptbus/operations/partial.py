"""Reads as much of an Avro value as can be read, and says where it breaks: for people who look at dead letters. Pure.

Slow and careful where the codec is quick: every count is held against the bytes that are left.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ITEMS_MAX = 10_000
"""Items of one array or map that are read at most."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What could be read. ``problem`` is empty where all of it could."""

    data: Any
    path: str
    """The field at which it breaks."""
    at: int
    """The byte at which that field begins to be unreadable, from the value's first."""
    problem: str


class _BrokenError(Exception):
    """What is wrong."""


class _GoneError(Exception):
    """Where it breaks; passes through the readers around it."""

    def __init__(self, path: str, at: int, problem: str) -> None:
        super().__init__(problem)
        self.path, self.at, self.problem = path, at, problem


def read_partially(schema: Any, value: bytes, start: int) -> Partial:
    """Read a value of a self-contained schema from byte ``start`` on."""
    walk = _Walk(value, start)
    root: dict[str, Any] = {}
    try:
        walk.read(schema, "", root, "")
    except _GoneError as gone:
        return Partial(root.get(""), gone.path or "the record", gone.at, gone.problem)
    left = len(value) - walk.at
    return Partial(root[""], "", walk.at, f"{left} bytes follow the record" if left else "")


class _Walk:
    def __init__(self, value: bytes, start: int) -> None:
        self.value = value
        self.at = start
        self._named: dict[str, Any] = {}

    def read(self, schema: Any, path: str, into: Any, key: Any) -> None:
        """Read one value into ``into[key]``; containers are put there before they are filled."""
        at = self.at
        try:
            self._read(schema, path, into, key)
        except (_BrokenError, UnicodeDecodeError, struct.error) as error:
            raise _GoneError(path, at, _words(error)) from None

    def _read(self, schema: Any, path: str, into: Any, key: Any) -> None:
        if isinstance(schema, str) and schema in self._named:
            schema = self._named[schema]
        if isinstance(schema, list):
            index = self._long()
            if not 0 <= index < len(schema):
                raise _BrokenError(f"there is no branch {index} of the union")
            self._read(schema[index], path, into, key)
            return
        kind = schema["type"] if isinstance(schema, Mapping) else schema
        if isinstance(kind, (Mapping, list)):
            self._read(kind, path, into, key)
            return
        if isinstance(schema, Mapping) and "name" in schema:
            self._named[schema["name"]] = schema
        if kind in ("record", "error"):
            record: dict[str, Any] = {}
            into[key] = record
            for field in schema["fields"]:
                self.read(field["type"], f"{path}.{field['name']}".lstrip("."), record, field["name"])
        elif kind in ("array", "map"):
            self._items(schema, kind, path, into, key)
        else:
            into[key] = self._plain(kind, schema)

    def _items(self, schema: Mapping[str, Any], kind: str, path: str, into: Any, key: Any) -> None:
        found: Any = {} if kind == "map" else []
        into[key] = found
        while (count := self._long()) != 0:
            if count < 0:
                count = -count
                self._long()
            if count > len(self.value) - self.at or len(found) + count > _ITEMS_MAX:
                raise _BrokenError(f"it claims {count} items, more than can be there")
            for _ in range(count):
                if kind == "map":
                    name = self._bytes().decode()
                    self.read(schema["values"], f"{path}.{name}", found, name)
                else:
                    found.append(None)
                    self.read(schema["items"], f"{path}[{len(found) - 1}]", found, len(found) - 1)

    def _plain(self, kind: str, schema: Any) -> Any:
        match kind:
            case "null":
                return None
            case "boolean":
                return self._take(1) != b"\0"
            case "int" | "long":
                return self._long()
            case "float":
                return struct.unpack("<f", self._take(4))[0]
            case "double":
                return struct.unpack("<d", self._take(8))[0]
            case "bytes":
                return self._bytes()
            case "string":
                return self._bytes().decode()
            case "fixed":
                return self._take(int(schema["size"]))
            case "enum":
                index = self._long()
                if not 0 <= index < len(schema["symbols"]):
                    raise _BrokenError(f"there is no symbol {index}")
                return schema["symbols"][index]
        raise _BrokenError(f"the schema has a type {kind} that is not known")

    def _bytes(self) -> bytes:
        length = self._long()
        if length < 0:
            raise _BrokenError(f"its length is {length}")
        return self._take(length)

    def _take(self, count: int) -> bytes:
        if count > len(self.value) - self.at:
            raise _BrokenError(f"it takes {count} bytes and {len(self.value) - self.at} are left")
        self.at += count
        return self.value[self.at - count : self.at]

    def _long(self) -> int:
        found = shift = 0
        while True:
            byte = self._take(1)[0]
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found >> 1 ^ -(found & 1)
            if shift > 63:
                raise _BrokenError("a number has more than 64 bits")


def _words(error: Exception) -> str:
    return f"it is no UTF-8 ({error.reason})" if isinstance(error, UnicodeDecodeError) else str(error)
