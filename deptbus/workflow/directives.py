"""What commanders order: a response level, another responsible department, other deadlines, the end.

The event's data name the ``act`` and what it concerns; each act is recorded with its basis like any other event.
"""

from deptbus.errors import DefinitionError
from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.command import set_level
from deptbus.workflow.state import Task


def obey(change: Change) -> None:
    """Carry out a directive; one that cannot be carried out is recorded as such."""
    data = change.event
    assert data is not None
    act, reason = data["act"], data.get("reason") or ""
    task = tasks.find(change.instance, data.get("task") or "")
    if act == "open":
        return
    if act == "close":
        change.timeline("ordered", act=act, reason=reason)
        for open_task in list(change.instance["tasks"]):
            tasks.cancel(change, open_task, reason)
        change.close(reason)
    elif act == "level" and data.get("level"):
        set_level(change, data["level"], reason, change.basis)
    elif task is None:
        change.timeline("order_void", act=act, reason="no such task is open", named=str(data.get("task")))
    elif act == "extend":
        tasks.extend(
            change,
            task,
            data.get("acknowledge_by") or task["acknowledge_by"],
            data.get("complete_by") or task["complete_by"],
            reason,
        )
    elif act == "reassign":
        _reassign(change, task, data.get("to_department") or "", reason)
    else:
        change.timeline("order_void", act=str(act), reason="no such act")


def _reassign(change: Change, task: Task, department: str, reason: str) -> None:
    lines = [line for line in change.pack.definition.responsibilities if line.department == department]
    if not lines:
        change.timeline("order_void", act="reassign", reason=f"{department or 'nobody'} has no responsibility here")
        return
    try:
        line = change.responsible(task["role"], task["region"])
    except DefinitionError:
        line = lines[0]
    tasks.reassign(change, task, line if line.department == department else lines[0], reason)
