"""What is due next over all open instances, in the order of time: deadlines, rungs, timers, and what waits. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from deptbus.clock import iso
from deptbus.desk.board import Board, OpenTask, Snapshot, asked
from deptbus.errors import DefinitionError
from deptbus.workflow.definition import Titles
from deptbus.workflow.pack import APPROVAL, Pack
from deptbus.workflow.regions import contains
from deptbus.workflow.tasks import REPEAT, next_rung

Kind = Literal["acknowledge_by", "complete_by", "escalation", "timer", "repetition", "clock_stopped", "parked"]
_ORDER: tuple[Kind, ...] = (
    "acknowledge_by", "complete_by", "escalation", "repetition", "timer", "parked", "clock_stopped",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dues are wanted; what is None or empty does not matter."""

    instances: tuple[str, ...] = ()
    within_ms: int | None = None
    """At most so far ahead; what is overdue, and clocks that stand, are always wanted."""
    department: str | None = None
    """Only what it is responsible for, or is told."""
    workflow: str | None = None
    region: str | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """A department and the unit in it, in words."""

    department: str
    unit: str


@dataclass(frozen=True, slots=True)
class Due:
    """One line. Times are milliseconds since the epoch."""

    kind: Kind
    at: int | None
    """When it is due; none while a clock stands."""
    instance: str
    """Of what is parked, the ``<workflow>/<key>`` that it waits at."""
    workflow: Titles
    region: str | None
    level: str | None
    name: str
    """The step, timer or rule."""
    what: Titles
    responsible: Who | None
    basis: str | None
    task: str | None = None
    subject: str = ""
    told: Who | None = None
    """Whom an escalation tells."""
    missed: str | None = None
    """What it is told that was missed."""
    then: Literal["", "retry", "reassign"] = ""
    asks: tuple[Titles, ...] = ()
    """The steps that a timer asks for."""
    cancels: tuple[Titles, ...] = ()
    """The steps whose tasks a timer cancels."""
    since: int | None = None
    """Since when a clock stands, or an event waits."""
    until: tuple[str, ...] = ()
    """The event types that would start a clock, or the one that waits."""

    def is_overdue(self, now_ms: int) -> bool:
        """Whether its time has passed."""
        return self.at is not None and now_ms > self.at

    def to_json(self, now_ms: int) -> dict[str, Any]:
        """The line for programs, as it stands at ``now_ms``; times as RFC 3339."""
        plain = ("kind", "instance", "region", "level", "name", "basis", "task", "subject", "missed", "then")
        people = {"responsible": self.responsible, "told": self.told}
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: None if (value := getattr(self, name)) is None else iso(value) for name in ("at", "since")},
            **{name: None if who is None else {"department": who.department, "unit": who.unit}
               for name, who in people.items()},
            "workflow": self.workflow.model_dump(),
            "what": self.what.model_dump(),
            "asks": [titles.model_dump() for titles in self.asks],
            "cancels": [titles.model_dump() for titles in self.cancels],
            "until": list(self.until),
            "left_ms": None if self.at is None else self.at - now_ms,
            "overdue": self.is_overdue(now_ms),
            "as_of": iso(now_ms),
        }  # fmt: skip


def due(board: Board, wanted: Wanted) -> list[Due]:
    """All that falls due in open instances, the longest overdue first; at the end, the clocks that stand."""
    names = {str(board.instance(name)["instance"]) for name in wanted.instances}
    found = [
        one
        for snapshot in board.instances.values()
        if snapshot["status"] == "open" and (not names or snapshot["instance"] in names)
        for one in _of_instance(board, snapshot)
    ]
    if not names:
        found += [one for state in board.waiting for one in _parked(board, state)]
    return sorted((one for one in found if _fits(one, wanted, board.now_ms)), key=_order)


def _order(one: Due) -> tuple[bool, int, str, int, str]:
    since = one.since or 0
    return one.at is None, since if one.at is None else one.at, one.instance, _ORDER.index(one.kind), one.task or ""


def _fits(one: Due, wanted: Wanted, now_ms: int) -> bool:
    people = {who.department for who in (one.responsible, one.told) if who is not None}
    return (
        (wanted.within_ms is None or one.at is None or one.at <= now_ms + wanted.within_ms)
        and (wanted.department is None or wanted.department in people)
        and wanted.workflow in (None, one.instance.partition("/")[0])
        and (wanted.region is None or contains(wanted.region, one.region or ""))
        and wanted.level in (None, one.level)
    )


def _of_instance(board: Board, snapshot: Snapshot) -> Iterator[Due]:
    pack = board.pack(snapshot["pack"])
    rungs = {task["id"]: next_rung(pack, task) for task in snapshot["tasks"]} if pack is not None else {}
    for task in board.tasks(snapshot):
        line = _task_line(board, snapshot, task)
        if task.paused_at is not None:
            yield replace(line, kind="clock_stopped", since=task.paused_at, **_stop(pack, task.step))
            continue
        if task.acknowledged_at is None:
            yield line
        yield replace(line, kind="complete_by", at=task.complete_by)
        rung = rungs.get(task.task)
        if pack is not None and rung is not None:
            yield _rung(pack, snapshot, task, line, *rung)
    for timer in snapshot["timers"]:
        yield _timer(board, snapshot, pack, timer)


def _task_line(board: Board, snapshot: Snapshot, task: OpenTask) -> Due:
    return Due(
        kind="acknowledge_by", at=task.acknowledge_by, instance=task.instance, workflow=board.title(snapshot),
        region=task.region, level=snapshot["level"], name=task.step, what=task.asked.titles,
        responsible=Who(task.department, task.unit), basis=task.basis, task=task.task, subject=task.subject,
    )  # fmt: skip


def _stop(pack: Pack | None, step: str) -> dict[str, Any]:
    """What would start the clock of a step's tasks again, and on what basis it stands."""
    stops = [stop for one in pack.definition.steps if one.step == step for stop in one.stops] if pack else []
    until = tuple(dict.fromkeys(stop.until for stop in stops))
    return {"at": None, "until": until, **({"basis": stops[0].basis} if stops else {})}


def _rung(pack: Pack, snapshot: Snapshot, task: OpenTask, line: Due, at: int, index: int) -> Due:
    rung = pack.steps[task.step].ladder[index]
    told, basis = _who(pack, snapshot, rung.to, task.region)
    then: Literal["", "retry", "reassign"] = "reassign" if rung.reassign else "retry" if rung.retry else ""
    return replace(line, kind="escalation", at=at, told=told, missed=rung.at, then=then, basis=basis)


def _timer(board: Board, snapshot: Snapshot, pack: Pack | None, timer: dict[str, Any]) -> Due:
    name = str(timer["name"])
    definition = board.definition(snapshot)
    commander = (
        Who(snapshot["command_department"], snapshot["command_unit"]) if snapshot["command_department"] else None
    )
    line = Due(
        kind="timer", at=timer["due"], instance=snapshot["instance"], workflow=board.title(snapshot),
        region=snapshot["region"], level=snapshot["level"], name=name, what=Titles(zh=name, en=name),
        responsible=commander, basis=None, subject=timer["subject"],
    )  # fmt: skip
    if pack is None:
        return line
    if name.startswith(REPEAT):
        step = name.removeprefix(REPEAT)
        who, _ = _who(pack, snapshot, pack.steps[step].role, snapshot["region"])
        titles = asked(definition, step).titles
        return replace(line, kind="repetition", name=step, what=titles, responsible=who, basis=pack.steps[step].basis)
    trigger = f"timer:{name}"
    return replace(
        line,
        basis=pack.timers[name].basis,
        asks=tuple(asked(definition, step).titles for step in pack.asked_on.get(trigger, ())),
        cancels=tuple(
            asked(definition, step).titles for step in pack.cancelled_on.get(trigger, ()) if not step.endswith(APPROVAL)
        ),
    )


def _who(pack: Pack, snapshot: Snapshot, role: str, region: str | None) -> tuple[Who | None, str | None]:
    """Who answers in a role there, and on what basis; who commands, where the instance is commanded."""
    if role == pack.definition.command:
        region = snapshot["lead_region"] if snapshot["lead"] else snapshot["region"]
    try:
        line = pack.responsible(role, region or "", snapshot["level"])
    except DefinitionError:
        return None, None
    return Who(line.department, line.unit.zh), line.basis


def _parked(board: Board, state: Snapshot) -> Iterator[Due]:
    """The events that wait for an instance of a key to open, each until its rule's window is over."""
    for entry in state["parked"]:
        pack = board.pack(entry["pack"])
        rule = pack.rules.get(entry["rule"]) if pack is not None else None
        if pack is None or rule is None:
            continue
        event = entry["event"]
        titles = pack.definition.titles
        yield Due(
            kind="parked", at=entry["at"] + rule.window_ms, instance=f"{state['workflow']}/{state['key']}",
            workflow=titles, region=event["region"], level=None, name=rule.rule,
            what=Titles(zh=event["type"], en=event["type"]),
            responsible=Who(str(event["source"]).rsplit("/", 1)[-1], ""), basis=rule.basis,
            subject=event["subject"] or "", since=entry["at"], until=(event["type"],),
        )  # fmt: skip
