"""The list of incidents: one line for each, filtered, those with late tasks first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deptbus.clock import iso
from deptbus.desk.board import Board, Snapshot
from deptbus.desk.refused import Refused
from deptbus.workflow.definition import Titles
from deptbus.workflow.regions import contains
from deptbus.workflow.said import Said

KINDS = ("incident", "case", "all")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances are wanted; what is None or False does not matter."""

    workflow: str | None = None
    region: str | None = None
    """A GB/T 2260 code, which contains those that share its significant digits, or the first digits."""
    level: str | None = None
    is_open: bool | None = None
    department: str | None = None
    """Only where it has open tasks; the numbers of tasks are then its own."""
    late: bool = False
    kind: str = "all"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Refused(
                Said(
                    f"类别应为 {'、'.join(KINDS)} 之一，不是“{self.kind}”。",
                    f"The kind is one of {', '.join(KINDS)}, not {self.kind}.",
                ),
                see="--kind",
            )


@dataclass(frozen=True, slots=True)
class Incident:
    """One line. Times are milliseconds since the epoch."""

    instance: str
    workflow: str
    kind: str | None
    titles: Titles
    region: str | None
    level: str | None
    """The response level in force."""
    command_department: str | None
    command_unit: str | None
    lead: str | None
    """The instance under whose command it was merged."""
    parts: tuple[str, ...]
    """Those merged under this one."""
    status: str
    opened_at: int
    closed_at: int | None
    changed_at: int
    open_tasks: int
    late_tasks: int
    late_departments: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The line for programs."""
        times = {name: getattr(self, name) for name in ("opened_at", "closed_at", "changed_at")}
        plain = (
            "instance", "workflow", "kind", "region", "level", "command_department", "command_unit", "lead", "status",
            "open_tasks", "late_tasks",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: None if value is None else iso(value) for name, value in times.items()},
            "titles": self.titles.model_dump(),
            "parts": list(self.parts),
            "late_departments": dict(self.late_departments),
        }


def incidents(board: Board, wanted: Filter) -> list[Incident]:
    """The instances that a filter wants: open ones first, those with most late tasks at the top; parts below their
    lead, where that is wanted too.
    """
    found = [
        _incident(board, snapshot, wanted.department)
        for snapshot in board.instances.values()
        if _fits(board, snapshot, wanted)
    ]
    if wanted.department is not None:
        found = [one for one in found if one.open_tasks]
    if wanted.late:
        found = [one for one in found if one.late_tasks]
    found.sort(key=lambda one: (one.status != "open", -one.late_tasks, -one.changed_at, one.instance))
    there = {one.instance for one in found}
    below: dict[str, list[Incident]] = {}
    for one in found:
        if one.lead in there:
            below.setdefault(one.lead, []).append(one)
    return [line for one in found if one.lead not in there for line in (one, *below.get(one.instance, ()))]


def _fits(board: Board, snapshot: Snapshot, wanted: Filter) -> bool:
    definition = board.definition(snapshot)
    return (
        wanted.workflow in (None, snapshot["workflow"])
        and (wanted.region is None or contains(wanted.region, snapshot["region"] or ""))
        and wanted.level in (None, snapshot["level"])
        and (wanted.is_open is None or wanted.is_open == (snapshot["status"] == "open"))
        and (wanted.kind == "all" or definition is None or definition.kind == wanted.kind)
    )


def _incident(board: Board, snapshot: Snapshot, department: str | None) -> Incident:
    tasks = [task for task in board.tasks(snapshot) if department in (None, task.department)]
    late = [task for task in tasks if task.is_late(board.now_ms)]
    by_department: dict[str, int] = {}
    for task in late:
        by_department[task.department] = by_department.get(task.department, 0) + 1
    definition = board.definition(snapshot)
    return Incident(
        instance=snapshot["instance"],
        workflow=snapshot["workflow"],
        kind=definition.kind if definition else None,
        titles=board.title(snapshot),
        region=snapshot["region"],
        level=snapshot["level"],
        command_department=snapshot["command_department"],
        command_unit=snapshot["command_unit"],
        lead=snapshot["lead"],
        parts=tuple(snapshot["parts"]),
        status=snapshot["status"],
        opened_at=snapshot["opened_at"],
        closed_at=snapshot["closed_at"],
        changed_at=snapshot["clock"],
        open_tasks=len(tasks),
        late_tasks=len(late),
        late_departments=dict(sorted(by_department.items())),
    )
