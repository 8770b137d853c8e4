"""Draws an after-action record up from what the topics of an instance say. Pure.

The timeline leads, for it is kept for ever; ``workflow.tasks`` adds what only a request or an extension says. It
can be done at any time, also as of a time in the past.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

from deptbus.clock import from_iso, iso
from deptbus.desk.afteraction import AfterAction, Escalation, TaskRecord
from deptbus.desk.board import Snapshot, asked
from deptbus.desk.told import Told
from deptbus.workflow.answers import furthest
from deptbus.workflow.definition import Definition

REQUESTED = "workflow.TaskRequested"
ESCALATED = "workflow.TaskEscalated"
EXTENDED = "workflow.TaskExtended"
RETARGETED = "workflow.TaskRetargeted"

_ANSWERS = frozenset({"acknowledged", "accepted", "committed", "progressed"})
_ENDINGS = frozenset({"completed", "declined", "cancelled"})


def draw_up(
    instance: str,
    tasks: Iterable[Told],
    timeline: Iterable[Told],
    *,
    unplaced: Iterable[Told] = (),
    events: Iterable[Told] = (),
    as_of: int,
    snapshot: Snapshot | None,
    definition: Definition | None,
) -> AfterAction:
    """The record of ``instance`` from what was told up to ``as_of``, each in the order of its partition.

    ``unplaced`` are the lines of its key that belong to no instance; ``events`` those of departments that may name
    resources, of which the ones that the timeline names count.
    """
    drawing = _Drawing(AfterAction(instance, as_of, snapshot=snapshot, definition=definition), tasks)
    for told in timeline:
        if told.time_ms <= as_of:
            drawing.take(told)
    record = drawing.record
    joined = {line["cause"] for line in record.timeline}
    record.resource_events = [told for told in events if told.id in joined]
    record.unplaced = [_as_line(told) for told in unplaced if told.time_ms <= as_of]
    for task in record.tasks:
        task.overdue = task.outcome is None and task.paused_at is None and as_of > task.due
    return record


def _as_line(told: Told) -> dict[str, Any]:
    """A line of the timeline and where it stands."""
    names = ("kind", "at", "rule", "task", "department", "actor", "basis", "cause", "detail")
    return {**{name: told.data[name] for name in names}, "event": told.id, "record": told.where}


def _right(line: Mapping[str, Any]) -> dict[str, Any]:
    """By what right, by whom and from what cause."""
    return {name: line[name] for name in ("basis", "actor", "cause")}


class _Drawing:
    """Takes the timeline in, in order, and from ``workflow.tasks`` what belongs to each line."""

    def __init__(self, record: AfterAction, tasks: Iterable[Told]) -> None:
        self.record = record
        self._types: dict[str, str] = {}
        """The type of each event that joined."""
        self._by_id: dict[str, TaskRecord] = {}
        self._asked: dict[tuple[str, str, int], deque[Told]] = defaultdict(deque)
        for told in tasks:
            if "task" in told.data:
                self._asked[told.data["task"], told.type, told.time_ms].append(told)

    def take(self, told: Told) -> None:
        """Take in one line of the timeline."""
        line = told.data
        kind, detail, at = str(line["kind"]), line["detail"], line["at"]
        self.record.timeline.append(_as_line(told))
        if kind == "opened":
            self.record.opened_at = at
        elif kind == "closed":
            self.record.closed_at, self.record.closed_because = at, detail.get("reason")
        elif kind == "joined":
            self._types[line["cause"]] = detail.get("type", "")
        elif kind == "level":
            self._level(line)
        elif kind == "command_taken":
            self.record.commands.append({"at": at, **detail, **_right(line)})
        elif kind in ("merged", "split"):
            self.record.merges.append({"at": at, "kind": kind, **detail, **_right(line)})
        elif kind in ("task_requested", "task_requested_again"):
            self._requested(line)
        elif line["task"] in self._by_id:
            self._of_task(self._by_id[line["task"]], kind.removesuffix("_late"), line)

    def _level(self, line: Mapping[str, Any]) -> None:
        detail = line["detail"]
        self.record.level = detail.get("to_level")
        self.record.levels.append(
            {
                "at": line["at"],
                "from_level": detail.get("from_level") or None,
                "to_level": self.record.level,
                "reason": detail.get("reason"),
                "rule": line["rule"],
                **_right(line),
            }
        )

    def _requested(self, line: Mapping[str, Any]) -> None:
        detail = line["detail"]
        found = self._next(line, REQUESTED)
        request: Mapping[str, Any] = found.data if found else {}
        task = self._by_id.get(line["task"])
        by = from_iso(detail["acknowledge_by"]), from_iso(detail["complete_by"])
        if task is None:
            titles = asked(self.record.definition, line["rule"]).titles
            task = TaskRecord(
                line["task"], line["rule"], titles.zh, titles.en, line["department"], line["basis"], line["cause"],
                line["at"], *by,
            )  # fmt: skip
            for name in ("role", "region", "subject", "level", "context"):
                setattr(task, name, request.get(name, getattr(task, name)))
            task.completes_with = tuple(request.get("completes_with", ()))
            self._by_id[task.task] = task
            self.record.tasks.append(task)
        task.acknowledge_by, task.complete_by = by
        task.department = line["department"]
        task.unit = request.get("unit", task.unit)
        task.attempt = int(detail["attempt"])
        task.request = found.id if found else None
        task.state = "requested"

    def _of_task(self, task: TaskRecord, kind: str, line: Mapping[str, Any]) -> None:
        at, detail = line["at"], line["detail"]
        if kind in _ANSWERS or kind in ("completed", "declined"):
            self._answered(task, kind, line)
        if kind in _ENDINGS and (kind != "declined" or detail.get("over")):
            task.outcome = task.state = kind
            task.ended_at, task.ended_by, task.ended_with = at, line["actor"], line["cause"]
            task.completed_late = kind == "completed" and at > task.complete_by
        elif kind == "escalated":
            told = self._next(line, ESCALATED)
            due = from_iso(detail["due"]) if "due" in detail else None
            task.escalations.append(
                Escalation(at, told.id if told else None, detail["missed"], due, detail["to"], line["basis"])
            )
        elif kind == "escalation_withdrawn":
            for escalation in task.escalations:
                if escalation.event == detail.get("escalation"):
                    escalation.withdrawn_at = at
        elif kind == "reassigned":
            self._reassigned(task, line)
        elif kind == "extended":
            self._extended(task, line)
        elif kind == "retargeted":
            self._retargeted(task, line)
        elif kind == "clock_stopped":
            task.paused_at = at
        elif kind == "clock_started":
            task.paused_at = None

    def _answered(self, task: TaskRecord, kind: str, line: Mapping[str, Any]) -> None:
        at = line["at"]
        if task.acknowledged_at is None:
            task.acknowledged_at, task.acknowledged_by = at, line["actor"]
            task.acknowledged_late = at > task.acknowledge_by
        task.state = furthest(task.state, kind)
        task.answers.append(
            {
                "at": at,
                "disposition": kind,
                "department": line["department"],
                "actor": line["actor"],
                "event": line["cause"],
                "type": self._types.get(line["cause"]),
            }
        )

    def _reassigned(self, task: TaskRecord, line: Mapping[str, Any]) -> None:
        task.reassigned.append(
            {
                "from_department": line["department"],
                "to_department": line["detail"]["to"],
                "unit": line["detail"]["unit"],
                "reason": line["detail"].get("reason"),
                "acknowledged_late": task.acknowledged_late,
                "at": line["at"],
                **_right(line),
            }
        )
        task.acknowledged_at = task.acknowledged_by = None
        task.acknowledged_late = False

    def _extended(self, task: TaskRecord, line: Mapping[str, Any]) -> None:
        told = self._next(line, EXTENDED)
        before = {"from_acknowledge_by": task.acknowledge_by, "from_complete_by": task.complete_by}
        task.acknowledge_by = told.data["acknowledge_by"] if told else task.acknowledge_by
        task.complete_by = from_iso(line["detail"]["complete_by"])
        task.extended.append(
            {
                "at": line["at"],
                **{name: iso(value) for name, value in before.items()},
                "acknowledge_by": task.acknowledge_by,
                "complete_by": task.complete_by,
                "reason": line["detail"].get("reason"),
                **_right(line),
            }
        )

    def _retargeted(self, task: TaskRecord, line: Mapping[str, Any]) -> None:
        told = self._next(line, RETARGETED)
        before, task.context = task.context, told.data["context"] if told else task.context
        task.retargeted.append(
            {
                "at": line["at"],
                "from_context": dict(before),
                "context": dict(task.context),
                "reason": line["detail"].get("reason"),
                **_right(line),
            }
        )

    def _next(self, line: Mapping[str, Any], event_type: str) -> Told | None:
        """What ``workflow.tasks`` says of the same moment; none where its retention is over."""
        waiting = self._asked.get((line["task"], event_type, line["at"]))
        return waiting.popleft() if waiting else None
