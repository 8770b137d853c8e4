"""The clock of a step's tasks stands still from one event to another, in whatever order the two come. Pure."""

from typing import NamedTuple

from deptbus.workflow import early, tasks
from deptbus.workflow.change import Change
from deptbus.workflow.pack import ClockStop, CompiledStep
from deptbus.workflow.regions import overlap
from deptbus.workflow.state import Task


def turn(change: Change, stop: ClockStop, region: str | None) -> None:
    """An event stops or starts the clock of a step's open tasks, and of those asked for later as of an earlier time."""
    step = change.pack.steps[stop.step]
    concerned = [
        (task, _stood(change, step, task))
        for task in change.instance["tasks"]
        if task["step"] == stop.step
        and (step.for_regions is None or not region or overlap(task["region"] or "", region))
    ]
    early.remember(change, "started" if stop.starts else "stopped", [stop.step], "", region)
    for task, before in concerned:
        _turned(change, task, before, _stood(change, step, task), stop.basis)


def stood_since(change: Change, task: Task) -> int:
    """By how much a task's deadlines are later for stops that ended after what is at hand happened, in milliseconds."""
    stops, _ = _stops(change, change.pack.steps[task["step"]], task)
    return _length([(since, until) for since, until in stops if until > change.dated[0]])


class _Stood(NamedTuple):
    """For how long a task's clock has stood, in milliseconds."""

    total: int
    since_ordered: int
    """By stops that ended after a commander last gave an order about the task: the order knew of the others."""
    paused_at: int | None
    """Since when it stands now."""


def _stood(change: Change, step: CompiledStep, task: Task) -> _Stood:
    stops, paused_at = _stops(change, step, task)
    later = [(since, until) for since, until in stops if until > (task["ordered_at"] or 0)]
    return _Stood(_length(stops), _length(later), paused_at)


def _length(stops: list[tuple[int, int]]) -> int:
    return sum(until - since for since, until in stops)


def _stops(change: Change, step: CompiledStep, task: Task) -> tuple[list[tuple[int, int]], int | None]:
    """From when until when a task's clock has stood, and since when it stands now."""
    since = (task["requested_at"], "")
    marks = [(each["at"], each["what"]) for each in early.about(change, step, since, task["region"])]
    stops, paused_at = [], None
    if not any(at == task["paused_at"] for at, _ in marks):
        paused_at = task["paused_at"]  # by a stop that is forgotten already
    for at, what in marks:
        if what == "stopped" and paused_at is None:
            paused_at = at
        elif what == "started" and paused_at is not None:
            stops.append((paused_at, at))
            paused_at = None
    return stops, paused_at


def _turned(change: Change, task: Task, before: _Stood, after: _Stood, basis: str) -> None:
    """What has changed for a task: since when it stands, and by how much its deadlines are later."""
    paused_at, longer = after.paused_at, after.total - before.total
    if paused_at is not None and task["paused_at"] is None:
        change.timeline("clock_stopped", task=task, basis=basis)
    elif paused_at is None and (task["paused_at"] is not None or longer):
        change.timeline("clock_started", task=task, basis=basis, stood_ms=str(longer))
    turned = {**task, "paused_at": paused_at}
    acknowledge_by = task["acknowledge_by"] + (longer if task["acknowledged_at"] is None else 0)
    complete_by = task["complete_by"] + after.since_ordered - before.since_ordered
    if (acknowledge_by, complete_by) != (task["acknowledge_by"], task["complete_by"]):
        tasks.extend(change, turned, acknowledge_by, complete_by, "the clock stood still")
    elif paused_at != task["paused_at"]:
        change.store(turned)
