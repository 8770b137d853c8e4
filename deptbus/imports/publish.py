"""Publishes what was imported, each event as the department that is its source, on that department's own topic."""

from collections.abc import Callable, Iterable, Mapping

from deptbus.bus import Bus
from deptbus.imports.item import Item
from deptbus.outcome import Outcome


def publish(
    items: Iterable[Item], buses: Mapping[str, Bus], advance: Callable[[], None] = lambda: None
) -> list[Outcome]:
    """The outcome of each event, in order, once all are answered; ``advance`` is called for each one answered.

    ``buses`` holds the connection of every department that is a source. Ids are derived, so after a failure the
    same import is simply run again.
    """
    pending = []
    for item in items:
        answer = buses[item.department].publish_soon(
            item.type,
            item.data,
            subject=item.subject,
            region=item.region,
            legal_basis=item.basis,
            actor=item.actor,
            time_ms=item.at_ms,
            id=item.id,
            mode=item.mode,
        )
        answer.when_settled(lambda _: advance())
        pending.append(answer)
    for bus in buses.values():
        bus.flush()
    return [answer.result() for answer in pending]
