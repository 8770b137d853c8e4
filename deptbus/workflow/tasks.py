"""The life of a task: asked for, acknowledged, declined, completed, cancelled, escalated, reassigned, extended.

Lateness is decided by the time of the answer alone. A deadline is missed only when a tick says so; an answer that
was in time and arrives after that withdraws the escalation (I5).
"""

from typing import Any

from deptbus.clock import iso
from deptbus.workflow.change import Change
from deptbus.workflow.definition import Responsibility, Rung
from deptbus.workflow.pack import CompiledStep, Pack
from deptbus.workflow.state import Instance, Task

TASKS_MAX = 1_000
"""Tasks open in one instance at most; what is asked for beyond is recorded and not asked."""

REPEAT = "repeat_"
"""Timers of repeating steps are named after the step with this beginning."""


def next_rung(pack: Pack, task: Task) -> tuple[int, int] | None:
    """When the next rung of a task's ladder is due and which it is; None while its clock stands or at the top."""
    if task["paused_at"] is not None:
        return None
    ladder = pack.steps[task["step"]].ladder
    for index in range(task["rung"], len(ladder)):
        rung = ladder[index]
        if rung.at == "acknowledge_by" and task["acknowledged_at"] is not None:
            continue
        return pack.deadline(task[rung.at], rung.after), index
    return None


def find(instance: Instance, task_id: str) -> Task | None:
    """The open task of that id, or whose latest request has it."""
    tasks: list[Task] = instance["tasks"]
    for task in tasks:
        if task_id in (task["id"], task["request"]):
            return task
    return None


def ask(change: Change, name: str) -> None:
    """A step's trigger came: ask for its task where its guard holds and none is open for the subject."""
    step = change.pack.steps[name]
    if step.every is not None and change.has_timer(REPEAT + name):
        return
    if not change.holds(step.when, name):
        return
    if step.every is not None:
        change.set_timer(REPEAT + name, change.pack.deadline(change.at, step.every), change.cause, change.subject)
    _ask_once(change, step)


def repeat(change: Change, name: str, due: int) -> None:
    """A repeating step fell due again."""
    step = change.pack.steps[name]
    assert step.every is not None
    if not change.holds(step.repeat_while, name):
        change.drop_timer(REPEAT + name)
        return
    change.set_timer(REPEAT + name, change.pack.deadline(due, step.every), change.cause, change.subject)
    _ask_once(change, step)


def _ask_once(change: Change, step: CompiledStep) -> None:
    instance = change.instance
    if step.only_one:
        for other in instance["tasks"]:
            if other["step"] == step.step and other["subject"] == change.subject:
                change.timeline("already_asked", task=other)
                return
    if len(instance["tasks"]) >= TASKS_MAX:
        change.timeline("not_asked", rule=step.step, reason=f"{TASKS_MAX} tasks are open")
        return
    line = change.pack.responsible(step.role, instance["region"] or "", instance["level"])
    task: Task = {
        "id": "",
        "step": step.step,
        "subject": change.subject,
        "role": step.role,
        "department": line.department,
        "unit": line.unit.zh,
        "region": instance["region"],
        "state": "requested",
        "attempt": 1,
        "requested_at": change.at,
        "acknowledge_by": change.pack.deadline(change.at, step.acknowledge_by),
        "complete_by": change.pack.deadline(change.at, step.complete_by),
        "acknowledged_at": None,
        "paused_at": None,
        "rung": 0,
        "escalations": [],
        "late": False,
        "basis": step.basis,
        "cause": change.cause,
        "context": {name: change.text(text) for name, text in step.context},
        "request": "",
    }
    instance["asked"][step.step] = instance["asked"].get(step.step, 0) + 1
    task["id"] = _request(change, task, line)
    task["request"] = task["id"]
    change.store(task)


def _request(change: Change, task: Task, line: Responsibility) -> str:
    """Put out the request; answers its id."""
    instance = change.instance
    step = change.pack.steps[task["step"]]
    data: dict[str, Any] = {
        "task": task["id"],
        "instance": instance["instance"],
        "workflow": instance["workflow"],
        "step": task["step"],
        "title_zh": step.titles.zh,
        "title_en": step.titles.en,
        "department": task["department"],
        "unit": line.unit.zh,
        "role": task["role"],
        "region": task["region"],
        "subject": task["subject"],
        "basis": task["basis"],
        "requested_at": change.at,
        "acknowledge_by": task["acknowledge_by"],
        "complete_by": task["complete_by"],
        "completes_with": sorted(step.completed_by),
        "attempt": task["attempt"],
        "cause": task["cause"],
        "context": task["context"],
    }
    request = change.emit("workflow.tasks", "workflow.TaskRequested", data, basis=task["basis"])
    if not data["task"]:
        data["task"] = request
        task = {**task, "id": request}
    change.timeline(
        "task_requested" if task["attempt"] == 1 else "task_requested_again",
        task=task,
        attempt=str(task["attempt"]),
        acknowledge_by=iso(task["acknowledge_by"]),
        complete_by=iso(task["complete_by"]),
    )
    return request


def acknowledge(change: Change, task: Task, state: str = "acknowledged") -> Task:
    """The department has seen the task (or says more); answers the changed task."""
    task = {**task, "state": state}
    if task["acknowledged_at"] is None:
        late = change.at > task["acknowledge_by"]
        task |= {"acknowledged_at": change.at, "late": late}
        if late:
            change.count("acknowledged_late")
        else:
            task = _withdraw(change, task, "acknowledge_by", change.at)
    change.store(task)
    return task


def answered(change: Change, task: Task, disposition: str) -> None:
    """The department acknowledges, accepts or reports progress."""
    first = task["acknowledged_at"] is None
    task = acknowledge(change, task, disposition)
    late = "_late" if first and task["late"] else ""
    change.timeline(disposition + late, task=task)


def complete(change: Change, task: Task) -> None:
    """The task is done."""
    if task["acknowledged_at"] is None:
        task = acknowledge(change, task)
    late = change.at > task["complete_by"]
    if late:
        change.count("completed_late")
    else:
        task = _withdraw(change, task, "complete_by", change.at)
    change.end(task, "completed")
    done = change.instance["done"]
    done[task["step"]] = done.get(task["step"], 0) + 1
    change.timeline("completed_late" if late else "completed", task=task)
    change.trigger(f"completed:{task['step']}", task["subject"])


def decline(change: Change, task: Task) -> None:
    """The department will not take the task on: the ladder says who does, or the task is over."""
    on_decline = change.pack.steps[task["step"]].on_decline
    if task["acknowledged_at"] is None:
        task = acknowledge(change, task)
    if task["attempt"] > len(on_decline):
        refuse(change, task)
        return
    change.timeline("declined", task=task)
    _climb(change, task, on_decline[task["attempt"] - 1], "declined", change.at)


def refuse(change: Change, task: Task) -> None:
    """The task is over because the answer is no."""
    if task["acknowledged_at"] is None:
        task = acknowledge(change, task)
    change.end(task, "declined")
    change.timeline("declined", task=task, over="true")
    change.trigger(f"declined:{task['step']}", task["subject"])


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


def escalate(change: Change, task: Task, index: int, due: int) -> None:
    """A deadline was missed: climb to rung ``index`` of the ladder."""
    rung = change.pack.steps[task["step"]].ladder[index]
    _climb(change, {**task, "rung": index + 1}, rung, rung.at, due)


def _climb(change: Change, task: Task, rung: Rung, missed: str, due: int) -> None:
    instance = change.instance
    line = change.pack.responsible(rung.to, instance["region"] or "", instance["level"])
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
    step = change.pack.steps[task["step"]]
    line = change.pack.responsible(step.role, change.instance["region"] or "", change.instance["level"])
    task = {**task, "attempt": task["attempt"] + 1, "state": "requested"}
    task["request"] = _request(change, task, line)
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
    change.emit("workflow.tasks", "workflow.TaskReassigned", data, basis=line.basis)
    change.timeline("reassigned", task=task, basis=line.basis, to=line.department, reason=reason)
    task = {
        **task,
        "department": line.department,
        "unit": line.unit.zh,
        "state": "requested",
        "attempt": task["attempt"] + 1,
        "acknowledge_by": change.pack.deadline(change.at, change.pack.steps[task["step"]].acknowledge_by),
        "acknowledged_at": None,
        "late": False,
    }
    task["request"] = _request(change, task, line)
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


def stop_clock(change: Change, task: Task, basis: str) -> None:
    """From now on the task's deadlines wait."""
    if task["paused_at"] is None:
        change.timeline("clock_stopped", task=task, basis=basis)
        change.store({**task, "paused_at": change.at})


def start_clock(change: Change, task: Task, basis: str) -> None:
    """The task's deadlines run again, later by as long as they stood."""
    if task["paused_at"] is None:
        return
    stood = max(0, change.at - task["paused_at"])
    change.timeline("clock_started", task=task, basis=basis, stood_ms=str(stood))
    running = {**task, "paused_at": None}
    acknowledge_by = task["acknowledge_by"] + (stood if task["acknowledged_at"] is None else 0)
    extend(change, running, acknowledge_by, task["complete_by"] + stood, "the clock stood still")


def _withdraw(change: Change, task: Task, missed: str, at: int) -> Task:
    """Withdraw the escalations for a deadline that was met after all; answers the changed task."""
    kept = []
    for escalation in task["escalations"]:
        # What had passed stays passed, though a new department or an order has moved the deadline since.
        if escalation["missed"] != missed or at > min(task[missed], escalation["due"]):
            kept.append(escalation)
            continue
        data = {
            "task": task["id"],
            "instance": change.instance["instance"],
            "department": task["department"],
            "to_department": escalation["to_department"],
            "escalation": escalation["id"],
            "reason": f"answered at {iso(at)}, in time",
        }
        change.emit("workflow.tasks", "workflow.EscalationWithdrawn", data)
        change.count("escalations", -1)
        change.timeline("escalation_withdrawn", task=task, escalation=escalation["id"])
    return task if len(kept) == len(task["escalations"]) else {**task, "escalations": kept}
