"""What commanders order: a response level, another responsible department, other deadlines, one command, the end.

The event's data name the ``act`` and what it concerns; each act is recorded with its basis like any other event.
"""

from deptbus.clock import EARLIEST_MS, LATEST_MS
from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.command import set_level
from deptbus.workflow.merging import ask_to_merge, split_off
from deptbus.workflow.notes import TEXT_MAX
from deptbus.workflow.pack import RANK
from deptbus.workflow.state import Task


def obey(change: Change) -> None:
    """Carry out a directive; one that cannot be carried out is recorded as such."""
    data = change.event
    assert data is not None
    act, reason = str(data.get("act")), (data.get("reason") or "")[:TEXT_MAX]
    task = tasks.find(change.instance, data.get("task") or "")
    if act == "open" and change.before.open is None:
        change.timeline("ordered", act=act, reason=reason)
    elif act == "open":
        change.timeline("order_void", act=act, reason="it is open already")
    elif act == "close":
        change.timeline("ordered", act=act, reason=reason)
        for open_task in list(change.instance["tasks"]):
            tasks.cancel(change, open_task, reason)
        change.close(reason)
    elif act == "level" and data.get("level") in RANK:
        set_level(change, data["level"], reason, change.basis)
    elif act == "merge":
        ask_to_merge(change, data.get("into") or "", reason)
    elif act == "split":
        split_off(change, reason)
    elif task is None:
        change.timeline("order_void", act=act, reason="no such task is open", named=str(data.get("task")))
    elif act == "extend":
        _extend(change, task, data.get("acknowledge_by"), data.get("complete_by"), reason)
    elif act == "reassign":
        _reassign(change, task, data.get("to_department") or "", reason)
    else:
        change.timeline("order_void", act=act, reason="no such act")


def _extend(change: Change, task: Task, acknowledge_by: int | None, complete_by: int | None, reason: str) -> None:
    complete = task["complete_by"] if complete_by is None else complete_by
    acknowledge = min(task["acknowledge_by"], complete) if acknowledge_by is None else acknowledge_by
    if EARLIEST_MS <= acknowledge <= complete <= LATEST_MS:
        tasks.extend(change, task, acknowledge, complete, reason)
    else:
        change.timeline(
            "order_void", task=task, act="extend", reason="these deadlines are none, or the wrong way round"
        )


def _reassign(change: Change, task: Task, department: str, reason: str) -> None:
    lines = [line for line in change.pack.definition.responsibilities if line.department == department]
    if not lines:
        change.timeline("order_void", act="reassign", reason=f"{department or 'nobody'} has no responsibility here")
        return
    line = change.responsible(task["role"], task["region"])
    tasks.reassign(change, task, line if line is not None and line.department == department else lines[0], reason)
