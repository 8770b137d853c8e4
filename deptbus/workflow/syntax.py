"""The tree of a checked expression, and the names that it reads; from the checker's ``cel.expr.CheckedExpr``. Pure.

Only the checker knows which dots belong to a name and which are selections, so its compiled form is read and not the
text. Of protobuf's wire format just what this needs.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_CHECKED, _REFERENCES, _EXPR = 2, 2, 4
"""Fields of the Any and of the CheckedExpr in it."""
_CONSTANT, _CALL, _LIST, _COMPREHENSION = 3, 6, 7, 9


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: bool | int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Name:
    """A declared variable, such as ``facts.cases``."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator by CEL's name for it (``_&&_``, ``_<_``); a method's target is its first argument."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list, written out. Equal to nothing but itself."""

    elements: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """``exists``, ``all``, ``map`` or ``filter`` over a list. Equal to nothing but itself."""

    macro: str
    over: "Node"
    variable: str
    body: "Node"


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """Anything else: a selection of a value, a map, another macro. Equal to nothing but itself."""


Node = Constant | Name | Call | Items | Macro | Opaque


def tree(checked: bytes) -> Node:
    """The tree of a serialized checked expression."""
    for message in fields(checked, _CHECKED):
        references = dict(_references(message))
        for expression in fields(message, _EXPR):
            return _node(expression, references)
    return Opaque()


def names(checked: bytes) -> set[str]:
    """The variables that the checker has resolved, and those that comprehensions declare."""
    return {name for message in fields(checked, _CHECKED) for _, name in _references(message)}


def text(node: Node) -> str:
    """A part of an expression, to be named in a sentence."""
    match node:
        case Constant(value):
            return json.dumps(value, ensure_ascii=False) if not isinstance(value, bytes) else repr(value)
        case Name(name):
            return name
        case Call("!_" | "-_" as function, (only,)):
            return f"{function[0]}{text(only)}"
        case Call(function, (left, right)) if function.startswith("_") and function.endswith("_"):
            return f"{text(left)} {function.strip('_')} {text(right)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(text, arguments))})"
    return "…"


def _references(message: bytes) -> Iterator[tuple[int, str]]:
    for entry in fields(message, _REFERENCES):
        number = next((value for tag, value in numbers(entry) if tag == 1), 0)
        for reference in fields(entry, 2):
            for name in fields(reference, 1):
                if not any(True for _ in fields(reference, 3)):  # else it is an overload of a function
                    yield number, name.decode()


def _node(expression: bytes, references: dict[int, str]) -> Node:
    number = next((value for tag, value in numbers(expression) if tag == 2), 0)
    if number in references:
        return Name(references[number])
    for constant in fields(expression, _CONSTANT):
        return _constant(constant)
    for call in fields(expression, _CALL):
        function = next(fields(call, 2)).decode()
        parts = [*fields(call, 1), *fields(call, 3)]
        return Call(function, tuple(_node(part, references) for part in parts))
    for items in fields(expression, _LIST):
        return Items(tuple(_node(element, references) for element in fields(items, 1)))
    for comprehension in fields(expression, _COMPREHENSION):
        return _macro(comprehension, references)
    return Opaque()


def _macro(message: bytes, references: dict[int, str]) -> Node:
    """The macro that the parser has written out as a loop: see the CEL specification, "Macros"."""
    variable, accumulated = (next(fields(message, number), b"").decode() for number in (1, 3))
    over, begin, step, result = (_node(next(fields(message, number), b""), references) for number in (2, 4, 6, 7))
    so_far = Name(accumulated)
    if result != so_far:
        return Opaque()
    match begin, step:
        case Constant(False), Call("_||_", (first, body)) if first == so_far:
            return Macro("exists", over, variable, body)
        case Constant(True), Call("_&&_", (first, body)) if first == so_far:
            return Macro("all", over, variable, body)
        case Items(()), Call("_+_", (first, Items((body,)))) if first == so_far:
            return Macro("map", over, variable, body)
        case Items(()), Call("_?_:_", (body, Call("_+_", (first, Items((Name(kept),)))), other)) if (
            first == other == so_far and kept == variable
        ):
            return Macro("filter", over, variable, body)
    return Opaque()


def _constant(message: bytes) -> Node:
    for tag, value in numbers(message):
        if tag == 1:
            return Constant(None)
        if tag == 2:
            return Constant(bool(value))
        return Constant(value - (1 << 64) if tag == 3 and value >> 63 else value)
    for double in fields(message, 5):
        return Constant(struct.unpack("<d", double)[0])
    for string in fields(message, 6):
        return Constant(string.decode())
    for raw in fields(message, 7):
        return Constant(raw)
    return Opaque()


def fields(message: bytes, number: int) -> Iterator[bytes]:
    """The length-delimited and fixed fields with a number in a protobuf message."""
    for tag, value in _read(message):
        if tag == number and isinstance(value, bytes):
            yield value


def numbers(message: bytes) -> Iterator[tuple[int, int]]:
    """The varint fields of a protobuf message: number and value."""
    for tag, value in _read(message):
        if isinstance(value, int):
            yield tag, value


def _read(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        length = 8 if kind == 1 else 4
        if kind == 2:
            length, at = _varint(message, at)
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
