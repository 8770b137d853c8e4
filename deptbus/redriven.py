"""The headers of a record that was sent again for one group, and what readers make of them. Pure.

A topic is shared by all who read it; what one group gave up and gets again is nothing new to the others. So a redriven
record names the group that it is for, and every other reader passes over it.
"""

from collections.abc import Iterable, Sequence

from deptbus.clock import from_iso, iso
from deptbus.envelope import Headers
from deptbus.record import Record

FOR = "ce_redrivenfor"
"""The group that gave the record up. Always the first header, so that a reader need not look for it."""
OF = "ce_redriveof"
"""The id of the dead letter that it was sent again from."""
COUNT = "ce_redrivecount"
"""How often it has been sent again by now."""
ARRIVAL = "ce_redrivearrival"
"""When its first copy reached the topic, by the topic's own time."""
_OWN = frozenset({FOR, OF, COUNT, ARRIVAL})

AnyHeaders = Sequence[tuple[str, bytes | None]]


def redriven_for(headers: AnyHeaders) -> str | None:
    """The group that a record was sent again for; None for every other record."""
    if headers and headers[0][0] == FOR:
        return (headers[0][1] or b"").decode("utf-8", "replace")
    return None


def is_for(headers: AnyHeaders, group: str) -> bool:
    """Whether a record concerns a group: all do but those that were sent again for another."""
    return not headers or headers[0][0] != FOR or redriven_for(headers) == group


def arrival_ms(record: Record) -> int:
    """When a record reached its topic; of one that was sent again, when its first copy did."""
    if redriven_for(record.headers) is None:
        return record.timestamp_ms
    arrived = _time(record.headers, ARRIVAL)
    return record.timestamp_ms if arrived is None else min(arrived, record.timestamp_ms)


def letter_of(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """The dead letter that a record was sent again from."""
    return next((value.decode("utf-8", "replace") for name, value in headers if name == OF and value), None)


def count_of(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """How often a record has been sent again."""
    text = next((value for name, value in headers if name == COUNT and value), b"0")
    return int(text) if text.isdigit() else 0


def stamp(headers: Headers, group: str, letter: str, count: int, arrived_ms: int) -> Headers:
    """A record's headers when it is sent again: its own, with these before them in place of earlier ones."""
    earlier = _time(headers, ARRIVAL)
    return [
        (FOR, group.encode()),
        (OF, letter.encode()),
        (COUNT, str(count).encode()),
        (ARRIVAL, iso(arrived_ms if earlier is None else earlier).encode()),
        *((name, value) for name, value in headers if name not in _OWN),
    ]


def _time(headers: Iterable[tuple[str, bytes | None]], wanted: str) -> int | None:
    text = next((value for name, value in headers if name == wanted and value), None)
    try:
        return None if text is None else from_iso(text.decode())
    except ValueError:
        return None
