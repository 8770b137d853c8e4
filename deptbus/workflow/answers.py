"""The life of a task on the department's side: acknowledged, taken on, declined, completed.

Lateness is decided by the time of the answer alone; an answer that was in time and arrives after the tick that says
that the deadline was missed withdraws the escalation (I5).
"""

from deptbus.clock import iso
from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.state import Task

_RANK = {state: rank for rank, state in enumerate(("requested", "acknowledged", "accepted", "committed", "progressed"))}
"""Accepting says that an answer follows, committing is binding (EDXL-RM); answers overtake each other on the way."""


def furthest(state: str, said: str) -> str:
    """The state of a task of which a department says more."""
    return said if _RANK.get(said, 0) > _RANK.get(state, 0) else state


def acknowledge(change: Change, task: Task, state: str = "acknowledged") -> Task:
    """The department has seen the task (or says more); answers the changed task.

    Of answers that overtook one another the furthest says how it stands, the earliest when it was first seen.
    """
    seen_at = task["acknowledged_at"]
    task = {**task, "state": furthest(task["state"], state)}
    if seen_at is None or change.at < seen_at:
        late = change.at > task["acknowledge_by"]
        if late != task["late"]:
            change.count("acknowledged_late", 1 if late else -1)
        task["acknowledged_at"], task["late"] = change.at, late
        if not late:
            task = _withdraw(change, task, "acknowledge_by", change.at)
    change.store(task)
    return task


def answered(change: Change, task: Task, disposition: str) -> None:
    """The department acknowledges, accepts, commits itself or reports progress."""
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
    done = change.own("done")
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
    change.timeline("declined", task=task, **_broken(task))
    tasks.climb(change, task, on_decline[task["attempt"] - 1], "declined", change.at)


def refuse(change: Change, task: Task) -> None:
    """The task is over because the answer is no."""
    if task["acknowledged_at"] is None:
        task = acknowledge(change, task)
    change.end(task, "declined")
    change.timeline("declined", task=task, over="true", **_broken(task))
    change.trigger(f"declined:{task['step']}", task["subject"])


def _broken(task: Task) -> dict[str, str]:
    """What the record says of a department that declines what it was bound to do."""
    return {"after": task["state"]} if task["state"] in ("committed", "progressed") else {}


def _withdraw(change: Change, task: Task, missed: str, at: int) -> Task:
    """Withdraw the escalations for a deadline that was met after all; answers the changed task."""
    if not task["escalations"]:
        return task
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
