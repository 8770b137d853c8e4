"""Where a stretch of a topic begins or ends, as a person writes it. Pure."""

import re
from dataclasses import dataclass
from enum import Enum

from deptbus.clock import from_iso, iso
from deptbus.errors import SettingsError

_EVENT_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_OFFSET = re.compile(r"@(\d{1,18})")
_LAST = re.compile(r"-(\d{1,9})")

HELP = "beginning, end, -N (the last N), @OFFSET, a time (2020-01-24T08:00+08:00) or an event id"
"""What a point may be, for the help of options."""


class Kind(Enum):
    """What a point is measured by."""

    BEGINNING = "beginning"
    END = "end"
    LAST = "last"
    """The last N records of each partition."""
    OFFSET = "offset"
    TIME = "time"
    """By the timestamps of records, in milliseconds since the epoch."""
    EVENT = "event"
    """The event of an id; in other partitions than its own, what came no earlier than it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One end of a stretch."""

    kind: Kind
    number: int = 0
    """How many, the offset, or the time."""
    event_id: str = ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.LAST:
                return f"-{self.number}"
            case Kind.OFFSET:
                return f"@{self.number}"
            case Kind.TIME:
                return iso(self.number)
            case Kind.EVENT:
                return self.event_id
        return str(self.kind.value)


BEGINNING = Point(Kind.BEGINNING)
END = Point(Kind.END)


def read_point(text: str, option: str) -> Point:
    """The point that a person wrote after ``option``; ``SettingsError`` says what it may be."""
    if text in (Kind.BEGINNING.value, Kind.END.value):
        return Point(Kind(text))
    if found := _LAST.fullmatch(text):
        return Point(Kind.LAST, int(found[1]))
    if found := _OFFSET.fullmatch(text):
        return Point(Kind.OFFSET, int(found[1]))
    if _EVENT_ID.fullmatch(text):
        return Point(Kind.EVENT, event_id=text.lower())
    try:
        return Point(Kind.TIME, from_iso(text))
    except ValueError:
        raise SettingsError(f"{option} is {HELP}, not {text}; a time has a zone.") from None
