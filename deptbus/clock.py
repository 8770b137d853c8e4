"""Time comes in as an argument: everything that needs the hour takes a ``Clock``.

Times are integers, milliseconds since 1970-01-01T00:00:00Z, everywhere in the library; ISO 8601 only at the edges.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

Clock = Callable[[], int]
"""Answers the present time in milliseconds since the epoch."""


EARLIEST_MS = 0
LATEST_MS = 253_402_214_399_999
"""The end of 30 December 9999, UTC, which every zone can write as RFC 3339: nothing is dated before 1970 or after."""

PROGRESS, REPORTED = "bus.progress", "bus.ProgressReported"
"""The topic and the event that say how far the time of a worker has come."""
CLOCK, ANNOUNCED = "bus.clock", "bus.StepAnnounced"
"""The topic and the event that say how far an exercise's own time may come."""


def system_clock() -> int:
    """The machine's own clock."""
    return time.time_ns() // 1_000_000


def iso(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: ``2020-01-20T16:00:00.000Z``."""
    seconds, milliseconds = divmod(time_ms, 1000)  # no float ever rounds them
    return _iso_second(seconds) + _FRACTIONS[milliseconds]


_FRACTIONS = tuple(f".{milliseconds:03d}Z" for milliseconds in range(1000))


@lru_cache(maxsize=4_096)  # events come many in a second, and deadlines are shared
def _iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]


BEIJING = timezone(timedelta(hours=8))
"""China Standard Time."""


def beijing(time_ms: int) -> str:
    """China Standard Time to the minute, for people: ``2020-01-21 00:00``."""
    return datetime.fromtimestamp(time_ms / 1000, BEIJING).strftime("%Y-%m-%d %H:%M")


@lru_cache(maxsize=1024)
def from_iso(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 time; raises ``ValueError`` for anything else or without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text!r} has no time zone")
    return round(moment.timestamp() * 1000)
