"""Functions that read a record from Avro binary, each made of a schema.

They take the bytes that writers usually write: arrays and maps in blocks without sizes, indexes of one byte. For
anything else, and for bytes that end early, they raise some exception. What they do take they read as fastavro does.
Where every item of an array takes at least a byte, none does more work than the bytes are long.
"""

import struct
from collections.abc import Callable
from typing import Any

from deptbus.avro.functions import Functions, Schemas, Unusual, indented
from deptbus.avro.varints import read_length, read_varint

Reader = Callable[[bytes], dict[str, Any]]

_LENGTHS = tuple(byte >> 1 if byte < 128 and not byte & 1 else -1 for byte in range(256))
"""By the byte: the length that it alone spells, -1 for none."""
_NUMBERS = tuple(byte >> 1 ^ -(byte & 1) if byte < 128 else None for byte in range(256))
"""By the byte: the number that it alone spells."""


def reader(schema: Any, start: int) -> Reader:
    """A function that reads a record from byte ``start`` to the end; ``Unusual`` for a schema that it cannot read."""
    return _Reading().reader(schema, start)


class _Reading:
    """In the text ``v`` are all the bytes, ``p`` is where to go on, ``n`` a length or a number."""

    def __init__(self) -> None:
        self._functions = Functions(
            read_varint=read_varint,
            read_length=read_length,
            LENGTHS=_LENGTHS,
            NUMBERS=_NUMBERS,
            double=struct.Struct("<d").unpack_from,
        )
        self._schemas = Schemas()
        self._count = 0

    def reader(self, schema: Any, start: int) -> Reader:
        kind, schema = self._schemas.kind(schema)
        if kind != "record":
            raise Unusual
        lines, record = self._record(schema)
        body = [f"p = {start}", *lines, "if p != len(v): raise Unusual", f"return {record}"]
        made: Reader = self._functions.compiled(self._functions.define("", "v", lambda: body))()
        return made

    def _lines(self, schema: Any, target: str) -> list[str]:
        """Statements that read one value into the variable ``target``."""
        kind, schema = self._schemas.kind(schema)
        match kind:
            case "null":
                return [f"{target} = None"]
            case "boolean":
                return [f"{target} = v[p] != 0", "p += 1"]
            case "int" | "long":
                return [
                    f"{target} = NUMBERS[v[p]]",
                    f"if {target} is None: {target}, p = read_varint(v, p)",
                    "else: p += 1",
                ]
            case "double":
                return [f"{target} = double(v, p)[0]", "p += 8"]
            case "string":
                return [*_LENGTH, f"{target} = v[p:(p := p + n)].decode()"]
            case "bytes":
                return [*_LENGTH, f"{target} = v[p:(p := p + n)]"]
            case "fixed":
                size = int(schema["size"])
                return [f"{target} = v[p:(p := p + {size})]", f"if len({target}) != {size}: raise Unusual"]
            case "enum" if len(schema["symbols"]) <= 64:
                symbols = {index << 1: symbol for index, symbol in enumerate(schema["symbols"])}
                return [f"{target} = {self._functions.constant(symbols)}[v[p]]", "p += 1"]
            case "union" if len(schema) <= 64:
                lines = ["n = v[p]", "p += 1"]
                for index, part in enumerate(schema):
                    lines += [f"{'elif' if index else 'if'} n == {index << 1}:", *indented(self._lines(part, target))]
                return [*lines, "else: raise Unusual"]
            case "record" | "array" | "map":
                return [f"{target}, p = {self._function(kind, schema)}(v, p)"]
        raise Unusual

    def _function(self, kind: str, schema: Any) -> str:
        """The function that answers a record, array or map, and where it ends."""
        return self._functions.define(id(schema), "v, p", lambda: self._body(kind, schema))

    def _body(self, kind: str, schema: Any) -> list[str]:
        if kind == "record":
            lines, record = self._record(schema)
            return [*lines, f"return {record}, p"]
        if kind == "map":
            each = [*self._lines("string", "k"), *self._lines(schema["values"], "a"), "found[k] = a"]
            return _blocks("{}", each)
        item, inner = self._schemas.kind(schema["items"])
        if item == "record":
            lines, record = self._record(inner)
            return _blocks("[]", [*lines, f"found.append({record})"])
        return _blocks("[]", [*self._lines(schema["items"], "a"), "found.append(a)"])

    def _record(self, schema: Any) -> tuple[list[str], str]:
        """Statements that read the fields, and the expression of the record."""
        lines, members = [], []
        for index, field in enumerate(schema["fields"]):
            lines += self._lines(field["type"], f"a{index}")
            members.append(f"{field['name']!r}: a{index}")
        return lines, f"{{{', '.join(members)}}}"


_LENGTH = ["n = LENGTHS[v[p]]", "if n < 0: n, p = read_length(v, p)", "else: p += 1"]


def _blocks(empty: str, each: list[str]) -> list[str]:
    return [
        f"found = {empty}",
        *_LENGTH,
        "while n:",
        *indented(["for _ in range(n):", *indented(each), *_LENGTH]),
        "return found, p",
    ]
