"""Acts as people read them: what has a record at its start and one at its end is one. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deptbus.clock import iso
from deptbus.operations.acts import Audited


@dataclass(slots=True)
class Trail:
    """One act: its first record, and the one that ended it."""

    start: Audited
    end: Audited | None = None

    @property
    def outcome(self) -> str:
        """``started`` where no end is on record: it goes on, or was killed."""
        return str((self.end or self.start).data["outcome"])

    @property
    def records(self) -> Iterator[Audited]:
        """The one or two."""
        yield self.start
        if self.end is not None:
            yield self.end

    def to_data(self) -> dict[str, Any]:
        """For programs."""
        start, data = self.start, self.start.data
        return {
            "number": start.head.number, "end_number": self.end and self.end.head.number, "id": start.envelope.id,
            "act": data["act"], "target": data["target"], "operator": data["operator"], "account": data["account"],
            "source": start.envelope.source, "reason": data["reason"], "basis": start.envelope.legalbasis,
            "outcome": self.outcome, "time": iso(start.envelope.time_ms),
            "end_time": self.end and iso(self.end.envelope.time_ms),
            "detail": {name: value for one in self.records for name, value in one.data["detail"].items()},
            "records": [
                {
                    "number": one.head.number, "hash": one.head.hash, "previous": one.previous, "offset": one.offset,
                    "appended": iso(max(0, one.record.timestamp_ms)),
                }
                for one in self.records
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are meant; what is empty says nothing."""

    acts: frozenset[str] = frozenset()
    """``topics.apply``, or ``topics`` for all that begins so."""
    operators: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """One of what it is done to."""

    def holds(self, act: Audited) -> bool:
        """Whether the record that starts an act is meant."""
        name = act.data["act"]
        if self.acts and name not in self.acts and name.partition(".")[0] not in self.acts:
            return False
        if self.operators and act.data["operator"] not in self.operators:
            return False
        target = act.data["target"]
        return not self.targets or target in self.targets or not self.targets.isdisjoint(target.split())


def trails(acts: Iterable[Audited], wanted: Callable[[Audited], bool], limit: int) -> list[Trail]:
    """The newest acts that are wanted, oldest first. An act is wanted for what its first record says."""
    found: dict[str, Trail] = {}
    started: dict[str, str] = {}
    for act in acts:
        event_id, cause = act.envelope.id, act.envelope.causationid
        if cause is not None and started.get(cause) == act.data["act"]:
            if cause in found:
                found[cause].end = act
            continue
        if act.data["outcome"] == "started":
            started[event_id] = act.data["act"]
        if wanted(act):
            found.pop(event_id, None)  # an order that was given again
            found[event_id] = Trail(act)
            if len(found) > limit:
                del found[next(iter(found))]
    return list(found.values())
