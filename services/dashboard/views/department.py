"""The open tasks of one department in every incident, what is due first at the top."""

from typing import Any

from deptbus.desk.board import Board, OpenTask, short_ids
from deptbus.desk.refused import Missing
from deptbus.desk.remembered import to_json, told
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person
from services.dashboard.look import Look

_SHOWN = (
    "task", "instance", "workflow", "step", "subject", "region", "level", "role", "department", "unit", "basis",
    "state",
    "attempt", "requested_at", "acknowledge_by", "complete_by", "acknowledged_at", "paused_at", "due", "escalations",
)  # fmt: skip


def department(look: Look, person: Person, name: str) -> dict[str, Any]:
    """Its tasks. ``Missing`` where there is none of that name, or none whose tasks the person may see."""
    known = look.catalogue.departments.get(name)
    if known is None or not person.sees((name,)):
        raise Missing(Said(f"没有部门 {name}。", f"There is no department {name}."))
    board = look.board(look.snapshots(look.store.of_department(name)))
    tasks = board.open_tasks(name)
    short = short_ids(task.task for task in tasks)
    return {
        "now": board.now_ms,
        "department": name,
        "titles": dict(known.titles),
        "tasks": [_shown(board, task) | {"short": short[task.task]} for task in tasks],
    }


def _shown(board: Board, task: OpenTask) -> dict[str, Any]:
    return {
        **{name: getattr(task, name) for name in _SHOWN},
        "titles": task.asked.titles.model_dump(),
        "instance_titles": board.title(board.instances[task.instance]).model_dump(),
        "context": [to_json(one) for one in told(task.context, board.definition(board.instances[task.instance]))],
        "completes_with": list(task.completions),
    }
