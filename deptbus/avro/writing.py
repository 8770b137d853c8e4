"""Functions that write a record as Avro binary, each made of a schema.

They take the plain data of the bus: a ``dict`` with the fields and no others, lists, strings, numbers in their range.
For anything else they raise some exception. What they do take they write as fastavro does, byte for byte.

A state is written again and again, and most of it as the last time. So there are writers that keep what they have
written of the records in a list (``keeping_writers``), and write only those anew that are others.
"""

import struct
import sys
from collections.abc import Callable
from types import NoneType
from typing import Any

from deptbus.avro.functions import Functions, Schemas, Unusual, indented
from deptbus.avro.varints import int_varint, varint

Writer = Callable[[Any], bytes]

_SMALL = 1024
"""Numbers below this one, and lengths, have their bytes in a table."""
_ZERO, _TRUE = varint(0), b"\x01"
_BYTES = tuple(map(varint, range(_SMALL)))
_PYTHON_TYPES = {
    "null": "NoneType", "boolean": "bool", "int": "int", "long": "int", "double": "float", "string": "str",
    "bytes": "bytes", "record": "dict", "map": "dict", "array": "list",
}  # fmt: skip
"""The one type whose values a branch of a union takes."""


def writer(schema: Any, header: bytes) -> Writer:
    """A function that answers ``header`` and a record after it; ``Unusual`` for a schema with parts it cannot write."""
    made: Writer = _Writing(keeping=False).writers(schema, header)()
    return made


def keeping_writers(schema: Any, header: bytes) -> Callable[[int], Writer]:
    """What makes such functions, each of which keeps the bytes of records in lists.

    A record that was written once must never be altered, but replaced, and stands in lists of one kind alone. There is
    room for so many; once it is full, those are let go of that nobody else holds, and it grows to twice what is left.
    """
    made = _Writing(keeping=True).writers(schema, header)

    def keeping(room: int) -> Writer:
        kept = _Kept(room)
        writer: Writer = made(kept=kept.get, keep=kept.keep)
        return writer

    return keeping


class _Kept(dict[int, tuple[Any, bytes]]):
    """Records by their identity, and their bytes. It holds the records, so that no other one has the same identity."""

    def __init__(self, room: int) -> None:
        self._least = self._room = room

    def keep(self, record: Any, written: bytes) -> tuple[Any, bytes]:
        if len(self) >= self._room:
            self._let_go()
        kept = self[id(record)] = record, written
        return kept

    def _let_go(self) -> None:
        """Of the records that stand in no state any more: nobody else holds them."""
        for identity in [identity for identity, kept in self.items() if _holders(kept) == _ALONE]:
            del self[identity]
        self._room = max(self._least, 2 * len(self))


def _holders(kept: tuple[Any, bytes]) -> int:
    record, _ = kept
    return sys.getrefcount(record)


_ALONE = _holders(({}, b""))
"""What is counted of a record that only the pair with its bytes holds."""


class _Writing:
    """In the text ``v`` is the value at hand, ``n`` a length; ``branch`` is what stands before a value in a union."""

    def __init__(self, *, keeping: bool) -> None:
        self._keeping = keeping
        """Whether the records of the list at hand are kept: those within another that is kept are not."""
        double = struct.Struct("<d").pack
        self._functions = Functions(
            join=b"".join, varint=varint, int_varint=int_varint, double=double, NoneType=NoneType
        )
        self._tables = {b"": self._functions.constant(_BYTES)}
        self._schemas = Schemas()

    def writers(self, schema: Any, header: bytes) -> Callable[..., Any]:
        kind, schema = self._schemas.kind(schema)
        if kind != "record":
            raise Unusual
        return self._functions.compiled(self._function(kind, schema, header))

    def _function(self, kind: str, schema: Any, branch: bytes) -> str:
        """The function that answers the bytes of a record, array, map or union of many."""
        bodies = {"record": self._record, "array": self._array, "map": self._map, "union": self._union}
        name = "d" if kind == "record" else "v"
        return self._functions.define((id(schema), branch, self._keeping), name, lambda: bodies[kind](schema, branch))

    def _parts(self, schema: Any, value: str, branch: bytes = b"") -> list[str]:
        """Expressions, evaluated in their order, that together are the bytes of a value. A second one is ``v``."""
        kind, schema = self._schemas.kind(schema)
        v = value if value == "v" else f"(v := {value})"
        match kind:
            case "null":
                return [f"{branch!r} if {value} is None else unusual()"]
            case "boolean":
                return [f"{branch + _TRUE!r} if {v} is True else {branch + _ZERO!r} if v is False else unusual()"]
            case "int" | "long":
                long = "varint(v)" if kind == "long" else "int_varint(v)"
                return [self._small(f"type({v}) is int and 0 <= v < {_SMALL}", "v", long, branch)]
            case "double":
                return [f"{_plus(branch)}double(v) if type({v}) is float else unusual()"]
            case "string":
                return [self._length(f"v := {value}.encode()", branch), "v"]
            case "bytes":
                return [f"{self._length('v', branch)} if type({v}) is bytes else unusual()", "v"]
            case "fixed":
                fits = f"type({v}) is bytes and len(v) == {int(schema['size'])}"
                return [f"{_plus(branch)}v if {fits} else unusual()"]
            case "enum":
                symbols = {symbol: branch + varint(index) for index, symbol in enumerate(schema["symbols"])}
                return [f"{self._functions.constant(symbols)}[{value}]"]
            case "union" if len(schema) == 2 and "null" in schema:
                at = schema.index("null")
                first, *second = self._parts(schema[1 - at], "v", varint(1 - at))
                return [f"{varint(at)!r} if {v} is None else {first}", *("v or b''" for _ in second)]
            case "record" | "array" | "map" | "union":
                return [f"{self._function(kind, schema, branch)}({value})"]
        raise Unusual

    def _length(self, value: str, branch: bytes) -> str:
        return self._small(f"(n := len({value})) < {_SMALL}", "n", "varint(n)", branch)

    def _small(self, small: str, name: str, other: str, branch: bytes) -> str:
        """The bytes of a number: from the table of its branch if it is small."""
        if branch not in self._tables:
            self._tables[branch] = self._functions.constant(tuple(branch + number for number in _BYTES))
        return f"({self._tables[branch]}[{name}] if {small} else {_plus(branch)}{other})"

    def _record(self, schema: Any, branch: bytes) -> list[str]:
        return [*self._checked(schema), f"return join({_tuple([repr(branch), *self._fields(schema)])})"]

    def _checked(self, schema: Any) -> list[str]:
        """Statements after which ``d`` has as many members as there are fields."""
        defaults = {field["name"]: field["default"] for field in schema["fields"] if "default" in field}
        other = f"len(d) != {len(schema['fields'])}"
        completed = [
            f"if {other}:",
            *indented([f"d = {self._functions.constant(defaults)} | d", f"if {other}: raise Unusual"]),
        ]
        return ["if type(d) is not dict: raise Unusual", *completed]

    def _fields(self, schema: Any) -> list[str]:
        return [part for field in schema["fields"] for part in self._parts(field["type"], f"d[{field['name']!r}]")]

    def _array(self, schema: Any, branch: bytes) -> list[str]:
        kind, items = self._schemas.kind(schema["items"])
        if kind == "record" and self._keeping:
            self._keeping = False
            one = [*self._checked(items), f"found[at] = keep(i, join({_tuple(self._fields(items))}))"]
            self._keeping = True
            each = [
                "found = [*map(kept, map(id, items))]",
                "if None in found:",
                *indented(["for at, i in enumerate(items):"]),
                *indented(indented(["if found[at] is not None: continue", "d = i", *one])),
                "parts += [written for _, written in found]",
            ]
        elif kind == "record":
            each = ["for d in items:", *indented([*self._checked(items), f"parts += {_tuple(self._fields(items))}"])]
        else:
            each = [f"for i in items: parts += {_tuple(self._parts(schema['items'], 'i'))}"]
        return self._block("list", branch, each)

    def _map(self, schema: Any, branch: bytes) -> list[str]:
        parts = self._parts("string", "k") + self._parts(schema["values"], "i")
        return self._block("dict", branch, [f"for k, i in items.items(): parts += {_tuple(parts)}"])

    def _block(self, python_type: str, branch: bytes, each: list[str]) -> list[str]:
        return [
            "items = v",
            f"if type(items) is not {python_type}: raise Unusual",
            f"if not items: return {branch + _ZERO!r}",
            f"parts = [{self._length('items', branch)}]",
            *each,
            f"parts.append({_ZERO!r})",
            "return join(parts)",
        ]

    def _union(self, schema: Any, branch: bytes) -> list[str]:
        """By the type of the value, where that leaves no doubt."""
        kinds = [self._schemas.kind(part)[0] for part in schema]
        types = [_PYTHON_TYPES.get(kind) for kind in kinds]
        if (
            None in types
            or len(set(types)) < len(types)
            or "float" in types[: types.index("int") if "int" in types else 0]
        ):
            raise Unusual  # a whole number would be written as the double that stands before it
        lines = []
        for index, (part, python_type) in enumerate(zip(schema, types, strict=True)):
            parts = self._parts(part, "v", branch + varint(index))
            lines.append(
                f"if type(v) is {python_type}: return {parts[0] if len(parts) == 1 else f'join({_tuple(parts)})'}"
            )
        return [*lines, "raise Unusual"]


def _tuple(parts: list[str]) -> str:
    return f"({''.join(f'{part}, ' for part in parts)})"


def _plus(branch: bytes) -> str:
    return f"{branch!r} + " if branch else ""
