"""The life of a task on the bus's side: asked for, told anew, cancelled, escalated, reassigned, extended.

A deadline is missed only when a tick says so.
"""

from typing import Any

from deptbus.clock import iso
from deptbus.errors import DefinitionError
from deptbus.workflow import early
from deptbus.workflow.change import Change
from deptbus.workflow.definition import Responsibility, Rung
from deptbus.workflow.pack import CompiledStep, Pack
from deptbus.workflow.state import Instance, Task

TASKS_MAX = 1_000
"""Tasks open in one instance at most; what is asked for beyond is recorded and not asked."""
FEW = 200
"""So many tasks fit into a record whatever they say."""
TEXTS_MAX = 500_000
"""Characters that more tasks may have in all, in subjects and contexts: a state must fit into a record."""

_NEW: Task = {
    "id": "", "request": "", "state": "requested", "attempt": 1, "rung": 0, "late": False,
    "acknowledged_at": None, "paused_at": None, "ordered_at": None,
}  # fmt: skip
"""What every task says that is asked for the first time."""

REPEAT = "repeat_"
"""Timers of repeating steps are named after the step with this beginning."""


def next_rung(pack: Pack, task: Task) -> tuple[int, int] | None:
    """When the next rung of a task's ladder is due and which it is; None while its clock stands or at the top."""
    if task["paused_at"] is not None:
        return None
    step = pack.steps.get(task["step"])
    waits = () if step is None else step.waits
    for index in range(task["rung"], len(waits)):
        missed, after = waits[index]
        if missed == "acknowledge_by" and task["acknowledged_at"] is not None:
            continue
        try:
            return pack.deadline(task[missed], after), index
        except DefinitionError:  # a year that the calendar does not have: rather too early than never
            return task[missed], index
    return None


def find(instance: Instance, task_id: str) -> Task | None:
    """The open task of that id, or whose latest request has it."""
    tasks: list[Task] = instance["tasks"]
    for task in tasks:
        if task["id"] == task_id or task["request"] == task_id:
            return task
    return None


def ask_one(change: Change, step: CompiledStep, region: str | None) -> bool:
    """Ask for a task in a region where none is open for the subject; whether one is open then."""
    instance = change.instance
    if step.only_one:
        name, subject = step.step, change.subject
        for other in instance["tasks"]:
            if other["step"] == name and other["subject"] == subject and other["region"] == region:
                change.timeline("already_asked", task=other)
                return True
    if len(instance["tasks"]) >= TASKS_MAX:
        change.timeline("not_asked", rule=step.step, reason=f"{TASKS_MAX} tasks are open")
        return False
    if len(instance["tasks"]) >= FEW and sum(_characters(task) for task in instance["tasks"]) >= TEXTS_MAX:
        change.timeline("not_asked", rule=step.step, reason=f"open tasks say more than {TEXTS_MAX} characters")
        return False
    line = change.responsible(step.role, region)
    if line is None:
        change.timeline(
            "not_asked", rule=step.step, reason=f"nobody is responsible as {step.role}", region=region or ""
        )
        return False
    acknowledge_by = change.deadline(change.at, step.acknowledge_by, step.step)
    complete_by = change.deadline(change.at, step.complete_by, step.step)
    if acknowledge_by is None or complete_by is None:
        return False
    asked = change.own("asked")
    asked[step.step] = asked.get(step.step, 0) + 1
    if (over := early.ended(change, step, region)) is not None:
        early.end(change, step, line.department, over)
        return bool(over["what"] != "cancelled")
    task: Task = {
        **_NEW,
        "step": step.step,
        "subject": change.subject,
        "role": step.role,
        "department": line.department,
        "unit": line.unit.zh,
        "region": region,
        "requested_at": change.at,
        "acknowledge_by": acknowledge_by,
        "complete_by": complete_by,
        "escalations": [],
        "basis": step.basis,
        "cause": change.cause,
        "context": _context(change, step),
    }
    _request(change, task)
    change.store(task)
    return True


def _characters(task: Task) -> int:
    return len(task["subject"]) + sum(map(len, task["context"].values()))


def _context(change: Change, step: CompiledStep) -> dict[str, str]:
    return {name: change.text(text) for name, text in step.context}


def _request(change: Change, task: Task) -> None:
    """Put out the request of a task that was made for it, and let it have its id."""
    instance = change.instance
    data: dict[str, Any] = {
        **change.pack.steps[task["step"]].named,
        "task": task["id"],
        "instance": instance["instance"],
        "workflow": instance["workflow"],
        "department": task["department"],
        "unit": task["unit"],
        "role": task["role"],
        "region": task["region"],
        "subject": task["subject"],
        "basis": task["basis"],
        "requested_at": change.at,
        "acknowledge_by": task["acknowledge_by"],
        "complete_by": task["complete_by"],
        "attempt": task["attempt"],
        "cause": task["cause"],
        "context": task["context"],
    }
    task["request"] = change.emit("workflow.tasks", "workflow.TaskRequested", data, basis=task["basis"])
    if not data["task"]:
        data["task"] = task["id"] = task["request"]
    change.timeline(
        "task_requested" if task["attempt"] == 1 else "task_requested_again",
        task=task,
        attempt=str(task["attempt"]),
        acknowledge_by=iso(task["acknowledge_by"]),
        complete_by=iso(task["complete_by"]),
    )


def cancel(change: Change, task: Task, reason: str, basis: str | None = None) -> None:
    """The task is no longer asked for."""
    basis = basis or change.basis or task["basis"]
    data = {
        "task": task["id"],
        "instance": change.instance["instance"],
        "step": task["step"],
        "department": task["department"],
        "reason": reason,
        "basis": basis,
    }
    change.end(task, "cancelled")
    change.emit("workflow.tasks", "workflow.TaskCancelled", data, basis=basis)
    change.timeline("cancelled", task=task, basis=basis, reason=reason)


def tell_anew(change: Change, task: Task, reason: str) -> None:
    """What the task is about may have moved: tell whoever has it, where that changes anything; the deadlines stay."""
    change.subject = task["subject"]
    context = _context(change, change.pack.steps[task["step"]])
    if context == task["context"]:
        return
    data = {
        "task": task["id"],
        "instance": change.instance["instance"],
        "step": task["step"],
        "department": task["department"],
        "region": task["region"],
        "subject": task["subject"],
        "context": context,
        "reason": reason,
        "basis": task["basis"],
    }
    change.emit("workflow.tasks", "workflow.TaskRetargeted", data, basis=task["basis"])
    change.timeline("retargeted", task=task, reason=reason)
    change.store({**task, "context": context})


def escalate(change: Change, task: Task, index: int, due: int) -> None:
    """A deadline was missed: climb to rung ``index`` of the ladder."""
    rung = change.pack.steps[task["step"]].ladder[index]
    climb(change, {**task, "rung": index + 1}, rung, rung.at, due)


def climb(change: Change, task: Task, rung: Rung, missed: str, due: int) -> None:
    """Tell the rung's role what was missed, and do what the rung says."""
    instance = change.instance
    line = change.responsible(rung.to, task["region"])
    if line is None:
        change.timeline("nobody_responsible", task=task, missed=missed, due=iso(due), role=rung.to)
        if rung.retry:
            ask_again(change, task)
        else:
            change.store(task)
        return
    data = {
        "task": task["id"],
        "instance": instance["instance"],
        "step": task["step"],
        "department": task["department"],
        "missed": missed,
        "due": due,
        "rung": len(task["escalations"]) + 1,
        "to_role": rung.to,
        "to_department": line.department,
        "basis": line.basis,
    }
    escalation = change.emit("workflow.tasks", "workflow.TaskEscalated", data, basis=line.basis)
    change.count("escalations")
    change.timeline("escalated", task=task, basis=line.basis, missed=missed, due=iso(due), to=line.department)
    stands = {"id": escalation, "missed": missed, "due": due, "to_department": line.department}
    task = {**task, "escalations": [*task["escalations"], stands]}
    if rung.reassign:
        reassign(change, task, line, f"{missed} by {task['department']}")
    elif rung.retry:
        ask_again(change, task)
    else:
        change.store(task)


def ask_again(change: Change, task: Task) -> None:
    """Ask the responsible department once more; the deadlines stay."""
    task = {**task, "attempt": task["attempt"] + 1, "state": "requested"}
    _request(change, task)
    change.store(task)


def reassign(change: Change, task: Task, line: Responsibility, reason: str) -> None:
    """Make another department responsible, and ask it; it has its own time to acknowledge, and no more to complete."""
    data = {
        "task": task["id"],
        "instance": change.instance["instance"],
        "step": task["step"],
        "from_department": task["department"],
        "to_department": line.department,
        "unit": line.unit.zh,
        "reason": reason,
        "basis": line.basis,
    }
    acknowledge_in = change.pack.steps[task["step"]].acknowledge_by
    acknowledge_by = change.deadline(change.at, acknowledge_in, task["step"])
    change.emit("workflow.tasks", "workflow.TaskReassigned", data, basis=line.basis)
    detail = {"to": line.department, "unit": line.unit.zh, "reason": reason}
    change.timeline("reassigned", task=task, basis=line.basis, **detail)
    task = {
        **task,
        "department": line.department,
        "unit": line.unit.zh,
        "state": "requested",
        "attempt": task["attempt"] + 1,
        "acknowledge_by": task["complete_by"] if acknowledge_by is None else acknowledge_by,
        "acknowledged_at": None,
        "late": False,
    }
    _request(change, task)
    change.store(task)


def extend(change: Change, task: Task, acknowledge_by: int, complete_by: int, reason: str) -> None:
    """Give a task other deadlines."""
    task = {**task, "acknowledge_by": acknowledge_by, "complete_by": complete_by}
    data = {
        "task": task["id"],
        "instance": change.instance["instance"],
        "department": task["department"],
        "acknowledge_by": acknowledge_by,
        "complete_by": complete_by,
        "reason": reason,
        "basis": change.basis or task["basis"],
    }
    change.emit("workflow.tasks", "workflow.TaskExtended", data)
    change.timeline("extended", task=task, reason=reason, complete_by=iso(complete_by))
    change.store(task)
