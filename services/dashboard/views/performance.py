"""How each department did against its deadlines, over all incidents that somebody may see. Drawn of their records.

A task that was given to another department counts for both: each had a time of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from deptbus.desk.afteraction import AfterAction, TaskRecord
from deptbus.desk.refused import Missing
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.views.incident import record_of

CLOSED_MAX = 50_000
"""Closed incidents whose figures are remembered."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A task while one department was responsible for it. Times are milliseconds since the epoch."""

    department: str
    asked_at: int
    acknowledged_at: int | None = None
    acknowledged_late: bool = False
    completed_at: int | None = None
    completed_late: bool = False
    declined: bool = False
    missed: bool = False
    """Whether its time to complete is over and it was never done."""


@dataclass(slots=True)
class _Sum:
    asked: int = 0
    acknowledged_late: int = 0
    completed: int = 0
    completed_late: int = 0
    declined: int = 0
    missed: int = 0
    acknowledge_ms: list[int] = field(default_factory=list)
    complete_ms: list[int] = field(default_factory=list)


_CLOSED: WeakKeyDictionary[Look, dict[tuple[str, int], tuple[Duty, ...]]] = WeakKeyDictionary()
"""By instance and when it changed last."""


def performance(look: Look, person: Person, from_ms: int | None = None, to_ms: int | None = None) -> dict[str, Any]:
    """What was asked from a time on and before another, by department; medians count from when it was asked."""
    found: list[Duty] = []
    incidents = 0
    for line in map(orjson.loads, look.store.lines()):
        over = line["closed_at"]
        if (to_ms is not None and line["opened_at"] >= to_ms) or (from_ms is not None and over and over < from_ms):
            continue
        if person.sees(line["departments"]):
            incidents += 1
            found += _of_line(look, person, line)
    within = [
        duty
        for duty in found
        if (from_ms is None or duty.asked_at >= from_ms) and (to_ms is None or duty.asked_at < to_ms)
    ]
    return {"now": look.now().at_ms, "incidents": incidents, "departments": summed(within)}


def _of_line(look: Look, person: Person, line: dict[str, Any]) -> tuple[Duty, ...]:
    """What was asked in an instance; of one that is closed, and changes no more, it is drawn once."""
    known = _CLOSED.setdefault(look, {})
    name = line["instance"], line["changed_at"]
    if name in known:
        return known[name]
    try:
        found = tuple(duties(record_of(look, person, line["instance"])))
    except Missing:  # the database is just being filled anew
        return ()
    if line["status"] == "closed" and len(known) < CLOSED_MAX:
        known[name] = found
    return found


def duties(record: AfterAction) -> Iterator[Duty]:
    """What every department was asked in an incident, and what it did."""
    for task in record.tasks:
        yield from _of_task(task, record.as_of)


def summed(found: Iterable[Duty]) -> list[dict[str, Any]]:
    """The figures of each department, in the order of their ids."""
    sums: dict[str, _Sum] = {}
    for duty in found:
        of = sums.setdefault(duty.department, _Sum())
        of.asked += 1
        of.acknowledged_late += duty.acknowledged_late
        of.completed += duty.completed_at is not None
        of.completed_late += duty.completed_late
        of.declined += duty.declined
        of.missed += duty.missed
        if duty.acknowledged_at is not None:
            of.acknowledge_ms.append(duty.acknowledged_at - duty.asked_at)
        if duty.completed_at is not None:
            of.complete_ms.append(duty.completed_at - duty.asked_at)
    return [
        {
            "department": department,
            "asked": of.asked,
            "acknowledged_late": of.acknowledged_late,
            "completed": of.completed,
            "completed_late": of.completed_late,
            "declined": of.declined,
            "missed": of.missed,
            "median_acknowledge_ms": _median(of.acknowledge_ms),
            "median_complete_ms": _median(of.complete_ms),
        }
        for department, of in sorted(sums.items())
    ]


def _of_task(task: TaskRecord, as_of: int) -> Iterator[Duty]:
    declined = {answer["department"] for answer in task.answers if answer["disposition"] == "declined"}
    asked_at = task.requested_at
    for moved in task.reassigned:
        department = moved["from_department"]
        seen = [
            answer["at"]
            for answer in task.answers
            if answer["department"] == department and asked_at <= answer["at"] <= moved["at"]
        ]
        yield Duty(
            department,
            asked_at,
            acknowledged_at=min(seen, default=None),
            acknowledged_late=bool(moved["acknowledged_late"]),
            declined=department in declined,
        )
        asked_at = moved["at"]
    completed = task.outcome == "completed"
    until = as_of if task.ended_at is None else task.ended_at
    yield Duty(
        task.department,
        asked_at,
        acknowledged_at=task.acknowledged_at,
        acknowledged_late=task.acknowledged_late,
        completed_at=task.ended_at if completed else None,
        completed_late=task.completed_late,
        declined=task.department in declined,
        missed=not completed and task.paused_at is None and until > task.complete_by,
    )


def _median(lengths_ms: list[int]) -> int | None:
    return round(median(lengths_ms)) if lengths_ms else None
