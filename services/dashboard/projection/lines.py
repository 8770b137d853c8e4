"""One line of the list of incidents, of the newest snapshot of an instance. Pure.

Grade, colour and response level are three things: the first two are what the workflow remembers under these names.
Whether a task is late depends on when somebody looks, so a line has the times and not the verdicts.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from deptbus.desk.board import Snapshot
from deptbus.workflow.definition import Definition
from services.dashboard.places import place_of

Line = dict[str, Any]


def line(snapshot: Snapshot, definition: Definition | None) -> Line:
    """The line; without a definition its titles are the workflow's name and its kind is not known."""
    name = snapshot["workflow"]
    dues, paused = _dues(snapshot["tasks"])
    return {
        "instance": snapshot["instance"],
        "workflow": name,
        "kind": definition.kind if definition else None,
        "titles": definition.titles.model_dump() if definition else {"zh": name, "en": name},
        "key": snapshot["key"],
        "region": snapshot["region"],
        "region_titles": _region_titles(snapshot["region"] or ""),
        "level": snapshot["level"],
        "highest_level": snapshot["highest_level"],
        "grade": snapshot["facts"].get("grade") or None,
        "colour": snapshot["facts"].get("colour") or None,
        "status": snapshot["status"],
        "opened_at": snapshot["opened_at"],
        "closed_at": snapshot["closed_at"],
        "changed_at": snapshot["clock"],
        "command_department": snapshot["command_department"],
        "command_unit": snapshot["command_unit"],
        "lead": snapshot["lead"],
        "parts": list(snapshot["parts"]),
        "departments": departments(snapshot),
        "open": len(snapshot["tasks"]),
        "dues": dues,
        "paused": paused,
    }


def departments(snapshot: Snapshot) -> list[str]:
    """The departments that an instance concerns: those that were ever asked in it, and the one that commands."""
    concerned = {*snapshot["tally"], *(task["department"] for task in snapshot["tasks"])}
    if snapshot["command_department"]:
        concerned.add(snapshot["command_department"])
    return sorted(concerned)


@lru_cache(maxsize=10_000)
def _region_titles(region: str) -> Mapping[str, str] | None:
    place = place_of(region)
    return None if place is None else {"zh": place.zh, "en": place.en}


def _dues(tasks: list[Mapping[str, Any]]) -> tuple[list[tuple[str, int]], int]:
    """By when which department has to do what is next, the earliest first; and how many clocks stand."""
    running = [task for task in tasks if task["paused_at"] is None]
    dues = [
        (task["department"], task["acknowledge_by"] if task["acknowledged_at"] is None else task["complete_by"])
        for task in running
    ]
    return sorted(dues, key=lambda due: due[1]), len(tasks) - len(running)
