"""What instances came to, as the bus's own topics tell it: opened, levels, tasks, lateness, escalations, end. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deptbus.envelope import Envelope

TaskKey = tuple[str, str, str | None, int]
"""Step, subject, region, and the how manieth time the step is asked so."""


class Told(NamedTuple):
    """One escalation."""

    missed: str
    to: str


@dataclass(slots=True)
class TaskOutcome:
    """One task."""

    id: str
    step: str
    subject: str
    region: str | None
    department: str
    """Asked first."""
    requested_at: int
    acknowledge_by: int
    complete_by: int
    acknowledged: str | None = None
    """``in_time`` or ``late``; None where nobody has."""
    ended: str | None = None
    """``completed``, ``completed_late``, ``declined`` or ``cancelled``; None while it is open."""
    ended_at: int | None = None
    escalations: dict[str, Told] = field(default_factory=dict)
    """By id, those that were not withdrawn."""
    reassigned: list[str] = field(default_factory=list)
    """The departments that were asked instead."""


@dataclass(slots=True)
class InstanceOutcome:
    """One instance."""

    name: str
    cause: str
    """The event that opened it."""
    opened_at: int
    levels: list[str] = field(default_factory=list)
    """The response levels, in the order in which they came into force."""
    closed_at: int | None = None
    tasks: dict[TaskKey, TaskOutcome] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``<workflow>/<key>``."""
        return self.name.rpartition("/")[0]


_SEEN = ("acknowledged", "accepted", "committed", "progressed")
_ENDS = ("completed", "completed_late", "declined", "cancelled")


@dataclass(slots=True)
class Outcomes:
    """Takes records in whatever order the topics are read; within a topic's partition in theirs."""

    instances: dict[str, InstanceOutcome] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    """``<workflow>/<key>`` of instances that were open already."""
    _tasks: dict[str, TaskOutcome] = field(default_factory=dict)
    _times: Counter[tuple[str, str, str, str | None]] = field(default_factory=Counter)

    def take(self, envelope: Envelope, data: Mapping[str, Any]) -> None:
        """Take one record of ``workflow.events``, then of ``workflow.tasks``, then of ``workflow.timeline``."""
        name = data["instance"]
        if envelope.type == "workflow.InstanceOpened":
            self.instances[name] = InstanceOutcome(name, envelope.causationid or data["cause"], envelope.time_ms)
            return
        instance = self.instances.get(name)
        if instance is None:
            if len(name.split("/")) > 2:
                self.before.add(name.rpartition("/")[0])
        elif envelope.type == "workflow.TaskRequested":
            self._request(instance, data)
        elif envelope.type == "workflow.TaskEscalated" and data["task"] in self._tasks:
            told = Told(data["missed"], data["to_department"])
            self._tasks[data["task"]].escalations[envelope.id] = told
        elif envelope.type == "workflow.EscalationWithdrawn" and data["task"] in self._tasks:
            self._tasks[data["task"]].escalations.pop(data["escalation"], None)
        elif envelope.type == "workflow.TimelineRecorded":
            self._record(instance, data)

    def _request(self, instance: InstanceOutcome, data: Mapping[str, Any]) -> None:
        known = self._tasks.get(data["task"])
        if known is not None:
            if data["department"] not in (known.department, *known.reassigned):
                known.reassigned.append(data["department"])
            return
        where = instance.name, data["step"], data["subject"], data["region"]
        self._times[where] += 1
        task = TaskOutcome(
            data["task"], data["step"], data["subject"], data["region"], data["department"], data["requested_at"],
            data["acknowledge_by"], data["complete_by"],
        )  # fmt: skip
        self._tasks[task.id] = instance.tasks[*where[1:], self._times[where]] = task

    def _record(self, instance: InstanceOutcome, data: Mapping[str, Any]) -> None:
        kind, task = data["kind"], self._tasks.get(data["task"] or "")
        if kind == "level":
            instance.levels.append(data["detail"]["to_level"])
        elif kind == "closed":
            instance.closed_at = data["at"]
        elif task is None:
            return
        elif kind.removesuffix("_late") in _SEEN and task.acknowledged is None:
            task.acknowledged = "late" if kind.endswith("_late") else "in_time"
        elif kind in _ENDS and (kind != "declined" or data["detail"].get("over")):
            task.ended, task.ended_at = kind, data["at"]
