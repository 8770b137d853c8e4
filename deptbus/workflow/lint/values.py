"""What values an expression can have, given what its variables can be. Sound: what is left out cannot happen. Pure.

A ``Value`` is a range of numbers, a set of strings, booleans or null, or ``ANY``. Where an expression has no value at
all, at an overflow or a missing field, nothing is said.
"""

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import Final, NamedTuple

from deptbus.workflow.syntax import Call, Constant, Name, Node, Opaque


class Range(NamedTuple):
    """Numbers from ``low`` to ``high``, both included; infinite where there is no bound."""

    low: float
    high: float


class Any(NamedTuple):
    """Nothing is known."""


Value = Range | frozenset[str | bool | bytes | None] | Any
ANY: Final = Any()
BOTH: Final[Value] = frozenset({True, False})
NUMBER: Final = Range(-math.inf, math.inf)
COUNT: Final = Range(0, math.inf)
Known = Mapping[str, Value]
"""What is known of variables by name; of others nothing."""

STRINGS_MAX = 16
"""A set of more strings than this counts as any."""
_MIRRORED = {"_<_": "_>_", "_>_": "_<_", "_<=_": "_>=_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
_OPPOSITE = {"_<_": "_>=_", "_>_": "_<=_", "_<=_": "_>_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}


def can_be(node: Node, known: Known, truth: bool) -> bool:
    """Whether a condition can turn out as ``truth``."""
    value = values(node, known)
    return not isinstance(value, frozenset) or truth in value


def values(node: Node, known: Known) -> Value:
    """All that an expression can be."""
    match node:
        case Constant(value):
            return constant(value)
        case Name(name):
            return known.get(name, ANY)
        case Call("_&&_", (left, right)):
            return _conjunction(left, right, known, True)
        case Call("_||_", (left, right)):
            return _conjunction(left, right, known, False)
        case Call("!_", (only,)):
            return _negated(values(only, known))
        case Call("_?_:_", (condition, then, otherwise)):
            return _either(condition, then, otherwise, known)
        case Call(function, (left, right)) if function in _OPPOSITE:
            return _compared(function, left, right, known)
        case Call(function, arguments) if function in _ARITHMETIC:
            return _ARITHMETIC[function](*(values(argument, known) for argument in arguments))
        case Call("size", _):
            return COUNT
    return ANY


def constant(value: float | str | bytes | None) -> Value:
    """The value of a literal."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Range(value, value)
    return frozenset({value})


def assume(node: Node, truth: bool, known: Known) -> Known | None:
    """What is known besides where a condition turns out as ``truth``; None where it cannot."""
    match node:
        case Call("_&&_" | "_||_" as operator, (left, right)) if truth == (operator == "_&&_"):
            narrowed = assume(left, truth, known)
            return None if narrowed is None else assume(right, truth, narrowed)
        case Call("!_", (only,)):
            return assume(only, not truth, known)
    if not can_be(node, known, truth):
        return None
    match node:
        case Name(name):
            return {**known, name: frozenset({truth})}
        case Call(function, (left, right)) if function in _OPPOSITE:
            held = function if truth else _OPPOSITE[function]
            narrowed = dict(known)
            for this, sign, other in ((left, held, right), (right, _MIRRORED[held], left)):
                if isinstance(this, Name):
                    fitting = _fitting(values(this, known), sign, values(other, known))
                    if fitting is None:
                        return None
                    narrowed[this.name] = fitting
            return narrowed
    return known


def join(first: Value, second: Value) -> Value:
    """What can be either."""
    if isinstance(first, Range) and isinstance(second, Range):
        return Range(min(first.low, second.low), max(first.high, second.high))
    if isinstance(first, frozenset) and isinstance(second, frozenset) and len(first | second) <= STRINGS_MAX:
        return first | second
    return ANY


def _conjunction(left: Node, right: Node, known: Known, sign: bool) -> Value:
    """``left && right`` where ``sign``; else ``left || right``, which is the same with everything turned about."""
    found: set[bool] = set()
    if can_be(left, known, not sign) or can_be(right, known, not sign):
        found.add(not sign)
    narrowed = assume(left, sign, known)
    if narrowed is not None and can_be(right, narrowed, sign):
        found.add(sign)
    return frozenset(found)


def _negated(value: Value) -> Value:
    return frozenset(not one for one in value) if isinstance(value, frozenset) else BOTH


def _either(condition: Node, then: Node, otherwise: Node, known: Known) -> Value:
    where, else_ = assume(condition, True, known), assume(condition, False, known)
    if where is None:
        return values(otherwise, known)
    if else_ is None:
        return values(then, known)
    return join(values(then, where), values(otherwise, else_))


def _compared(function: str, left: Node, right: Node, known: Known) -> Value:
    if left == right and _is_one_value(left):
        return frozenset({function in {"_==_", "_<=_", "_>=_"}})
    one, other = values(left, known), values(right, known)
    found = set()
    if _fitting(one, function, other) is not None:
        found.add(True)
    if _fitting(one, _OPPOSITE[function], other) is not None:
        found.add(False)
    return frozenset(found)


def _is_one_value(node: Node) -> bool:
    """Whether a part is the same wherever it stands, and equal to itself; a field may be NaN."""
    match node:
        case Name(name):
            return not name.startswith("event.")
        case Call(_, arguments):
            return all(map(_is_one_value, arguments))
    return not isinstance(node, Opaque)


def _fitting(value: Value, sign: str, other: Value) -> Value | None:
    """What of ``value`` can stand in a comparison with ``other``; None where nothing can.

    Bounds stay included even where the comparison excludes them, but for whole numbers: there is no telling which
    numbers are whole, so only a single one is excluded.
    """
    if isinstance(value, Range) and isinstance(other, Range):
        low, high = value
        if sign in {"_<_", "_<=_", "_==_"}:
            high = min(high, other.high)
        if sign in {"_>_", "_>=_", "_==_"}:
            low = max(low, other.low)
        strict = sign in {"_<_", "_>_"} and not (value.low < other.high if sign == "_<_" else value.high > other.low)
        only = value.low == value.high == other.low == other.high
        return None if low > high or strict or (sign == "_!=_" and only) else Range(low, high)
    if isinstance(value, frozenset) and isinstance(other, frozenset):
        if sign == "_==_":
            return value & other or None
        if sign == "_!=_" and len(other) == 1:
            return value - other or None
    elif sign == "_==_" and isinstance(value, Any):
        return other
    return value


def _sum(one: Value, other: Value) -> Value:
    if isinstance(one, Range) and isinstance(other, Range):
        return Range(one.low + other.low, one.high + other.high)
    if isinstance(one, frozenset) and isinstance(other, frozenset) and len(one) * len(other) <= STRINGS_MAX:
        pairs = list(product(one, other))
        if all(isinstance(left, str) and isinstance(right, str) for left, right in pairs):
            return frozenset(f"{left!s}{right!s}" for left, right in pairs)
    return ANY


def _negative(one: Value) -> Value:
    return Range(-one.high, -one.low) if isinstance(one, Range) else ANY


def _product(one: Value, other: Value) -> Value:
    if not isinstance(one, Range) or not isinstance(other, Range):
        return ANY
    corners = [0 if 0 in pair else pair[0] * pair[1] for pair in product(one, other)]
    return Range(min(corners), max(corners))


def _greatest(*parts: Value) -> Value:
    ranges = [part for part in parts if isinstance(part, Range)]
    if len(ranges) < len(parts):
        return Range(max((part.low for part in ranges), default=-math.inf), math.inf)
    return Range(max(part.low for part in ranges), max(part.high for part in ranges))


def _least(*parts: Value) -> Value:
    return _negative(_greatest(*map(_negative, parts)))


_ARITHMETIC: Mapping[str, Callable[..., Value]] = {
    "_+_": _sum,
    "_-_": lambda one, other: _sum(one, _negative(other)),
    "-_": _negative,
    "_*_": _product,
    "max": _greatest,
    "min": _least,
}
