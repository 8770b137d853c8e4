"""The importer: publishes dated items of real data, each in the exercise step in which it falls."""

from collections.abc import Iterable

from deptbus.exercise.clock import Announcement, Report
from deptbus.exercise.link import Link
from deptbus.imports.item import Item


class Importer:
    """Plays items in the order of their dates. Not safe for threads."""

    def __init__(self, link: Link, items: Iterable[Item]) -> None:
        self._link = link
        self._items = sorted(items, key=lambda item: (item.at_ms, item.id))
        self._next = 0

    def play(self, step: Announcement) -> Report:
        """Publish what is dated before the step's end and was not published yet; wait until it is on its topics."""
        while self._next < len(self._items) and self._items[self._next].at_ms < step.ends_at:
            item = self._items[self._next]
            self._link.publish(
                item.department,
                item.type,
                item.data,
                subject=item.subject,
                region=item.region,
                legal_basis=item.basis,
                actor=item.actor,
                time_ms=item.at_ms,
                id=item.id,
            )
            self._next += 1
        outputs = self._link.flush()
        next_at = self._items[self._next].at_ms if self._next < len(self._items) else None
        return Report("importer", step.step, outputs=outputs, next_at=next_at)
