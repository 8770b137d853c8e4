"""What commanders order: a response level, another responsible department, other deadlines, one command, the end.

The event's data name the ``act`` and what it concerns; each act is recorded with its basis like any other event.
"""

from deptbus.clock import EARLIEST_MS, LATEST_MS
from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.clocks import stood_since
from deptbus.workflow.command import set_level
from deptbus.workflow.definition import RANK
from deptbus.workflow.merging import ask_to_merge, split_off
from deptbus.workflow.notes import TEXT_MAX
from deptbus.workflow.state import Task

BY_ORDER, BY_RULE = "@ordered", "@raised"
"""Among what was set last, and by what: the level that was ordered, and the one that the standing rule gave."""


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
        _order_level(change, data["level"], reason)
    elif act == "merge":
        ask_to_merge(change, data.get("into") or "", reason)
    elif act == "split":
        split_off(change, reason)
    elif task is None:
        change.timeline("order_void", act=act, reason="no such task is open", named=str(data.get("task")))
    elif task["ordered_at"] is not None and change.dated[0] < task["ordered_at"]:
        change.timeline("order_void", task=task, act=act, reason="a later order stands")
    elif act == "extend":
        task = {**task, "ordered_at": change.dated[0]}
        _extend(change, task, data.get("acknowledge_by"), data.get("complete_by"), reason)
    elif act == "reassign":
        task = {**task, "ordered_at": change.dated[0]}
        _reassign(change, task, data.get("to_department") or "", reason)
    else:
        change.timeline("order_void", act=act, reason="no such act")


def overtaken_by_order(change: Change) -> bool:
    """Whether a level has been ordered later than what is at hand happened."""
    return _after(change, BY_ORDER)


def _after(change: Change, by: str) -> bool:
    latest = change.instance["latest"].get(by)
    return latest is not None and change.dated < (latest["at"], latest["id"])


def _order_level(change: Change, level: str, reason: str) -> None:
    """The latest order counts; one that came late takes back nothing that the standing rule has raised since."""
    instance = change.instance
    if overtaken_by_order(change):
        change.timeline("order_void", act="level", reason="a later order stands")
        return
    change.own("latest")[BY_ORDER] = {"at": change.dated[0], "id": change.dated[1]}
    stands = max(level, instance["highest_level"] or level, key=RANK.__getitem__) if _after(change, BY_RULE) else level
    if stands != level:
        change.timeline("order_void", act="level", reason=f"the standing rule has given {stands} since")
    if stands == level or stands != instance["level"]:
        set_level(change, stands, reason, change.basis)


def _extend(change: Change, task: Task, acknowledge_by: int | None, complete_by: int | None, reason: str) -> None:
    complete = task["complete_by"] if complete_by is None else complete_by
    acknowledge = min(task["acknowledge_by"], complete) if acknowledge_by is None else acknowledge_by
    if EARLIEST_MS <= acknowledge <= complete <= LATEST_MS:
        stood = stood_since(change, task)  # an order that came late: what has stood since counts on top
        acknowledge += stood if acknowledge_by is not None and task["acknowledged_at"] is None else 0
        tasks.extend(change, task, acknowledge, complete + (stood if complete_by is not None else 0), reason)
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
