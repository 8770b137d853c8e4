"""The after-action record: what happened in an instance, by whom and by what right. Pure; ``drawup`` draws it up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deptbus.clock import iso
from deptbus.desk.board import Snapshot
from deptbus.desk.resources import resources
from deptbus.desk.told import Told
from deptbus.workflow.definition import Definition
from deptbus.workflow.said import Said

_TIMES = frozenset({"at", "due", "acknowledge_by", "complete_by", "as_of"})


@dataclass(slots=True)
class Escalation:
    """A rung climbed."""

    at: int
    event: str | None
    missed: str
    due: int | None
    to: str
    basis: str | None
    withdrawn_at: int | None = None


@dataclass(slots=True)
class TaskRecord:
    """A task from its first request to its end. Times are milliseconds since the epoch."""

    task: str
    step: str
    title_zh: str
    title_en: str
    department: str
    basis: str | None
    cause: str
    requested_at: int
    acknowledge_by: int
    complete_by: int
    unit: str | None = None
    role: str | None = None
    region: str | None = None
    subject: str = ""
    level: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    completes_with: tuple[str, ...] = ()
    attempt: int = 1
    request: str | None = None
    state: str = "requested"
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    acknowledged_late: bool = False
    ended_at: int | None = None
    ended_by: str | None = None
    ended_with: str | None = None
    """The event that ended it."""
    outcome: str | None = None
    """``completed``, ``declined`` or ``cancelled``; none while it is open."""
    completed_late: bool = False
    overdue: bool = False
    """Whether it is open and what is due next has passed."""
    paused_at: int | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    reassigned: list[dict[str, Any]] = field(default_factory=list)
    extended: list[dict[str, Any]] = field(default_factory=list)
    retargeted: list[dict[str, Any]] = field(default_factory=list)
    """When what it is about moved, and to where; its deadlines stayed."""

    @property
    def due(self) -> int:
        """What is due next."""
        return self.acknowledge_by if self.acknowledged_at is None else self.complete_by


@dataclass(slots=True)
class AfterAction:
    """What happened in an instance up to ``as_of``."""

    instance: str
    as_of: int
    opened_at: int | None = None
    closed_at: int | None = None
    closed_because: str | None = None
    level: str | None = None
    """The response level in force; not the event's grade and not a warning's colour."""
    levels: list[dict[str, Any]] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    """Who took command, when and why."""
    merges: list[dict[str, Any]] = field(default_factory=list)
    """When it was merged under another, or others under it, and when they went apart again."""
    tasks: list[TaskRecord] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    resource_events: list[Told] = field(default_factory=list)
    """The events of the instance that name a resource and a quantity."""
    unplaced: list[dict[str, Any]] = field(default_factory=list)
    """Lines of the same key at times when no instance of it was open: parked, unmatched, late."""
    snapshot: Snapshot | None = None
    definition: Definition | None = None
    note: Said | None = None
    """What is to be known of ``as_of``, where it is not what this machine's clock says."""

    @property
    def open_tasks(self) -> list[TaskRecord]:
        """What is not over, what is due first at the top."""
        return sorted((task for task in self.tasks if task.outcome is None), key=lambda task: (task.due, task.task))

    def resources(self) -> list[dict[str, Any]]:
        """How much of each resource was asked for, and what became of that: as facts say, events, or else tasks."""
        return resources(self.tasks, self.resource_events, (self.snapshot or {}).get("facts") or {})

    def to_json(self) -> dict[str, Any]:
        """The record for programs: times as RFC 3339, everything else as it is."""
        snapshot: Snapshot = self.snapshot or {}
        titles = self.definition.titles.model_dump() if self.definition else None
        of_snapshot = (
            "workflow", "key", "n", "version", "pack", "status", "region", "highest_level", "command_department",
            "command_unit", "lead", "lead_region", "parts", "targets", "cause", "facts", "counts", "tally",
        )  # fmt: skip
        return {
            "instance": self.instance,
            "kind": self.definition.kind if self.definition else None,
            "titles": titles,
            **{name: snapshot.get(name) for name in of_snapshot},
            **_json(
                {
                    "as_of": self.as_of,
                    "opened_at": self.opened_at,
                    "closed_at": self.closed_at,
                    "levels": self.levels,
                    "commands": self.commands,
                    "merges": self.merges,
                    "tasks": [asdict(task) for task in self.tasks],
                    "timeline": self.timeline,
                    "unplaced": self.unplaced,
                }
            ),
            "closed_because": self.closed_because,
            "level": self.level,
            "resources": self.resources(),
        }


def _json(value: Any, name: str = "") -> Any:
    """Times as RFC 3339, by the names of their fields."""
    if isinstance(value, dict):
        return {key: _json(part, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part, name) for part in value]
    if isinstance(value, int) and not isinstance(value, bool) and (name in _TIMES or name.endswith("_at")):
        return iso(value)
    return value
