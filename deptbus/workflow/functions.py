"""What translated expressions call: CEL's operators and functions, where the answer is sure. Pure.

Each raises ``Unsure`` for arguments of which CEL's answer is an error, or is not certain to be Python's.
"""

import re
from typing import Any, NoReturn

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
NUL = "\0"
_SPACE = " \t\n\v\f\r"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_EXACT = 2.0**53


class Unsure(Exception):
    """Whether there is a value, and which, the library has to say."""


def unsure() -> NoReturn:
    """To be used in an expression."""
    raise Unsure


def plain(value: Any) -> Any:
    """A value of CEL type ``dyn``, which is any of the plain ones here."""
    kind = value.__class__
    if kind is str and NUL not in value:
        return value
    if value is None or kind is bool or kind is float or (kind is int and INT_MIN <= value <= INT_MAX):
        return value
    raise Unsure


def equal(one: Any, other: Any) -> bool:
    """``==`` of which one side is ``dyn``."""
    if one is None or other is None:
        return one is other
    if one.__class__ is not other.__class__:
        raise Unsure
    return bool(one == other)


def as_(kind: type, value: Any) -> Any:
    """A ``dyn`` that must be of this type here."""
    if value.__class__ is not kind:
        raise Unsure
    return value


def divided(one: int, other: int) -> int:
    """``/`` of whole numbers: towards zero."""
    if other == 0 or (one == INT_MIN and other == -1):
        raise Unsure
    return one // other if (one < 0) == (other < 0) else -(-one // other)


def remainder(one: int, other: int) -> int:
    """``%``: with the sign of the first."""
    if other == 0 or (one == INT_MIN and other == -1):
        raise Unsure
    return abs(one) % abs(other) * (-1 if one < 0 else 1)


def quotient(one: float, other: float) -> float:
    """``/`` of decimals."""
    if other == 0:
        raise Unsure
    return one / other


def text(value: Any) -> str:
    """``string(dyn)``."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    raise Unsure


def whole(value: Any) -> int:
    """``int(x)`` of text or of a decimal."""
    if value.__class__ is str and _NUMBER.fullmatch(value):
        return int(value)
    if value.__class__ is float and -_EXACT < value < _EXACT:
        return int(value)
    raise Unsure


def trim(value: str) -> str:
    """Without the white space around it."""
    value = value.strip(_SPACE)
    if value and not (_visible(value[0]) and _visible(value[-1])):
        raise Unsure
    return value


def _visible(character: str) -> bool:
    return " " < character < "\x7f" or character.isalnum()


def split(value: str, by: str) -> list[str]:
    """The parts between the separators."""
    if not by:
        raise Unsure
    return value.split(by)


def replace(value: str, old: str, new: str) -> str:
    """All of one text by another."""
    if not old:
        raise Unsure
    return value.replace(old, new)


def substring(value: str, begin: int, end: int) -> str:
    """By positions of code points. The library has no part that ends where the whole text does."""
    if not 0 <= begin <= end < len(value):
        raise Unsure
    return value[begin:end]


def rest(value: str, begin: int) -> str:
    """``substring`` to the end."""
    if not 0 <= begin <= len(value):
        raise Unsure
    return value[begin:]


def lower_ascii(value: str) -> str:
    """Letters of ASCII only."""
    if not value.isascii():
        raise Unsure
    return value.lower()


def upper_ascii(value: str) -> str:
    """Letters of ASCII only."""
    if not value.isascii():
        raise Unsure
    return value.upper()


def city(region: str) -> str:
    """The first four digits and ``00``."""
    return substring(region, 0, 4) + "00"


def province(region: str) -> str:
    """The first two digits and ``0000``."""
    return substring(region, 0, 2) + "0000"


def covers(region: str, other: str) -> bool:
    """Whether the first region contains the other, by the digits that say something."""
    if len(region) == 6:
        if region.endswith("000000"):
            region = ""
        elif region.endswith("0000"):
            region = region[:2]
        elif region.endswith("00"):
            region = region[:4]
    return other.startswith(region)
