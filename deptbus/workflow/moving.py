"""What a move to another pack changes in an instance, told for people and programs. Pure; computed by ``migration``."""

from typing import Any

from deptbus.errors import DefinitionError
from deptbus.workflow.diff import ladder_differences
from deptbus.workflow.migration import Move
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Task
from deptbus.workflow.tasks import REPEAT

_TOLD = frozenset({"migrated", "extended"})
"""Kinds of timeline records that the report says in its own parts."""


def told(move: Move, before: Pack, after: Pack) -> dict[str, Any]:
    """A move as a report: tasks with deadlines old and new, timers, facts added, ladders, and what follows at once.

    Times are milliseconds since the epoch. Of an instance that cannot move only ``refused`` says something.
    """
    report = {
        "instance": move.before["instance"],
        "from_version": before.version,
        "version": after.version,
        "refused": list(move.refused),
    }
    if move.refused:
        return report | {"tasks": [], "timers": [], "facts_added": {}, "ladders": [], "follows": []}
    left = {task["id"]: task for task in move.after["tasks"]}
    tasks: list[Task] = move.before["tasks"]
    return report | {
        "tasks": [_task(task, left.get(task["id"]), move, after) for task in tasks],
        "timers": [_timer(timer, before, after) for timer in move.before["timers"]],
        "facts_added": {name: value for name, value in move.after["facts"].items() if name not in move.before["facts"]},
        "ladders": _ladders({task["step"] for task in tasks}, before, after),
        "follows": _follows(move),
    }


def _task(task: Task, left: Task | None, move: Move, after: Pack) -> dict[str, Any]:
    """A task that was open; ``left`` is what the move made of it, None where it is over."""
    step = after.steps[task["step"]]
    region = task["region"] or move.before["region"] or ""
    try:
        line = after.responsible(step.role, region, move.after["level"])
        now = {"department": line.department, "unit": line.unit.zh, "unit_en": line.unit.en}
    except DefinitionError:
        now = None
    same = now is not None and (now["department"], now["unit"]) == (task["department"], task["unit"])
    return {
        "task": task["id"],
        "step": task["step"],
        "title_zh": step.titles.zh,
        "title_en": step.titles.en,
        "region": task["region"],
        "subject": task["subject"],
        "department": task["department"],
        "unit": task["unit"],
        "would_be_asked_now": None if same else now,
        "acknowledge_by": {"old": task["acknowledge_by"], "new": (left or task)["acknowledge_by"]},
        "complete_by": {"old": task["complete_by"], "new": (left or task)["complete_by"]},
        "ends": left is None,
    }


def _timer(timer: dict[str, Any], before: Pack, after: Pack) -> dict[str, Any]:
    """A timer that runs stays due; the next time it is started it runs by the new pack."""
    name = timer["name"]
    if name.startswith(REPEAT):
        step = name.removeprefix(REPEAT)
        durations = before.steps[step].every, after.steps[step].every
    else:
        durations = before.timers[name].after, after.timers[name].after
    return {"timer": name, "due": timer["due"], "after": {"old": durations[0], "new": durations[1]}}


def _ladders(steps: set[str], before: Pack, after: Pack) -> list[dict[str, Any]]:
    """The ladders of open tasks that differ."""
    found = []
    for step in sorted(steps):
        old, new = before.steps[step], after.steps[step]
        changes = list(ladder_differences((*old.ladder, *old.on_decline), (*new.ladder, *new.on_decline)))
        if changes:
            found.append({"step": step, "changes": [change._asdict() for change in changes]})
    return found


def _follows(move: Move) -> list[dict[str, Any]]:
    """What happens besides: levels, tasks asked for or cancelled, the end."""
    return [
        {name: output.data[name] for name in ("kind", "rule", "task", "department", "detail")}
        for output in move.outputs
        if output.type == "workflow.TimelineRecorded" and output.data["kind"] not in _TOLD
    ]
