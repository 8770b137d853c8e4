"""What commanders write on a command line: levels, times, deadlines, lengths of time. Pure."""

import re

from deptbus.clock import from_iso, iso
from deptbus.errors import ActRefused
from deptbus.workflow.definition import LEVELS, split_duration

_LENGTH = re.compile(r"[1-9][0-9]*(?:m|h|d)")
_SPELLED = {"Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV", "1": "I", "2": "II", "3": "III", "4": "IV"} | dict(
    zip("一二三四", ("I", "II", "III", "IV"), strict=True)
)


def parse_level(text: str) -> str:
    """``I`` to ``IV`` of what a person writes: II, Ⅱ, 2, 二, 二级; ``ActRefused``."""
    plain = text.strip().removesuffix("级")
    level = _SPELLED.get(plain, plain.upper())
    if level not in LEVELS:
        raise ActRefused(f"{text} is no response level; write I (highest), II, III or IV.")
    return level


def parse_time(text: str, what: str) -> int:
    """An RFC 3339 time with a zone, in milliseconds; ``ActRefused`` names the option ``what``."""
    try:
        return from_iso(text.strip())
    except ValueError:
        raise ActRefused(f"{what} {text} is no time with a zone, such as 2020-01-24T12:00:00+08:00.") from None


def parse_length(text: str, what: str) -> int:
    """A length of time such as ``30m``, ``4h`` or ``2d``, in milliseconds; ``ActRefused``."""
    if not _LENGTH.fullmatch(text.strip()):
        raise ActRefused(f"{what} {text}: write a length of time such as 30m, 4h or 2d.")
    return split_duration(text.strip())[0]


def parse_deadline(text: str, present_ms: int, what: str) -> int:
    """A later deadline: an RFC 3339 time, or ``+4h`` after the present one; ``ActRefused``."""
    plain = text.strip()
    try:
        later = plain.startswith("+") and _LENGTH.fullmatch(plain[1:])
        found = present_ms + split_duration(plain[1:])[0] if later else from_iso(plain)
    except ValueError:
        raise ActRefused(f"{what} {text}: write a time such as 2020-01-24T12:00:00+08:00, or +4h.") from None
    if found <= present_ms:
        raise ActRefused(f"{what} {text} is no extension: the task has until {iso(present_ms)} already.")
    return found
