"""What an instance has applied, found by id and by event. Pure.

``applied`` of an instance lists ids for as long as their windows last: a hundred or more, asked about at every event.
"""

import heapq
from typing import Any

from deptbus.workflow.notes import applied_id
from deptbus.workflow.state import Entry

APPLIED_MAX = 10_000
"""How many ids an instance remembers at most; the oldest are forgotten first."""


class Applied:
    """An index of a list. It goes from state to state with what it indexes, and is made anew for any other list."""

    __slots__ = ("_events", "_expiring", "_offsets", "known")

    def __init__(self, known: list[dict[str, Any]]) -> None:
        self._index(known)

    def _index(self, known: list[dict[str, Any]]) -> None:
        self.known = known
        self._offsets = {one["id"]: one["offset"] for one in known}
        """Where the event of each id stood."""
        self._events: dict[str, int] = {}
        """How many of the ids are of an event: it is applied once by each rule."""
        for one in known:
            event = _event(one["id"])
            self._events[event] = self._events.get(event, 0) + 1
        self._expiring = [(one["until"], one["id"], one) for one in known]
        """A heap: whose window is over first."""
        heapq.heapify(self._expiring)

    def seen(self, entry: Entry) -> tuple[bool, bool]:
        """Whether the event was applied by this rule before, and whether this is the very same record of it."""
        offset = self._offsets.get(applied_id(entry))
        return offset is not None, offset == entry["event"]["offset"]

    def remember(self, entry: Entry, now: int, until: int) -> bool:
        """Add the id of an event that was not seen, and forget those whose windows are over by ``now``.

        Whether it was applied by another rule before. The list must be one that may be altered.
        """
        known, expiring = self.known, self._expiring
        while expiring and expiring[0][0] < now:
            self._forget(heapq.heappop(expiring)[2])
        if len(known) >= APPLIED_MAX:
            del known[: 1 - APPLIED_MAX]
            self._index(known)
            expiring = self._expiring
        event, mine = entry["event"], applied_id(entry)
        of = event["id"]
        acted = of in self._events
        one = {"id": mine, "offset": event["offset"], "until": until}
        known.append(one)
        heapq.heappush(expiring, (until, mine, one))
        self._offsets[mine] = event["offset"]
        self._events[of] = self._events.get(of, 0) + 1
        return acted

    def _forget(self, one: dict[str, Any]) -> None:
        self.known.remove(one)  # near its beginning, as a rule
        del self._offsets[one["id"]]
        event = _event(one["id"])
        self._events[event] -= 1
        if not self._events[event]:
            del self._events[event]


def _event(applied: str) -> str:
    """The id of the event that an applied id is of: see ``applied_id``."""
    return applied.rpartition(" ")[0]
