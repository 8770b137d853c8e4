"""One change of one key, as it is being worked out: what is read, what is written, what is put out.

A ``Change`` alters a draft of the instance and copies what it alters (``own``), so the state before stays as it was and
``advance`` remains a function. What stands within the lists and maps of an instance is never altered, but replaced.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deptbus.clock import iso
from deptbus.errors import DefinitionError
from deptbus.ids import derived_id
from deptbus.workflow.definition import Responsibility
from deptbus.workflow.draft import Draft
from deptbus.workflow.expressions import EvaluationError, Expression
from deptbus.workflow.instances import new_instance
from deptbus.workflow.notes import TEXT_MAX
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.peers import appended, instance_name, new_entry, saying
from deptbus.workflow.state import ENDED_MAX, Entry, Instance, KeyState, Task
from deptbus.workflow.values import InstanceValues

_NONE: tuple[dict[str, Any], ...] = ()

TRIGGERS_MAX = 1_000
"""A change that sets off more than this goes round in circles: it stops there, and that is recorded."""


class Change(InstanceValues):
    """Works out what one entry, or one thing that fell due, does to one key."""

    def __init__(
        self, pack: Pack, before: KeyState, at: int, cause: str, offset: int, draft: Draft | None = None
    ) -> None:
        self.pack = pack
        self.before = before
        self.offset = offset
        self.outputs: list[Output] = []
        self.draft = Draft() if draft is None else draft
        self._silent = self.draft.silent
        self.own = self.draft.own
        """A list or map of the instance that may be altered."""
        instance = before.open
        self.instance: Instance = {} if instance is None else self.draft.of(before, instance)
        self.begin(at, cause)

    def begin(self, at: int, cause: str) -> None:
        """Forget what led here: this is where the next thing begins that happens to the instance."""
        self.at = at
        """The time that decides: of the event, or when something fell due."""
        self.dated = (at, cause)
        """When the event happened that it follows from, and its id: what sets facts is ordered by these."""
        self.cause = cause
        """The id of the event that it follows from."""
        self.rule: str | None = None
        self.basis: str | None = None
        self.actor: str | None = None
        self.subject = ""
        self.event: Mapping[str, Any] | None = None
        self.event_region: str | None = None
        self.triggers: list[tuple[str, str, Mapping[str, Any] | None, str, int, tuple[int, str]]] = []
        """Trigger, subject, event data, cause and time of what is still to be looked at."""
        self._triggered = 0

    def holds(self, guard: Expression | None, of: str) -> bool:
        """Whether a guard holds; one that cannot be evaluated does not, and the timeline says so."""
        if guard is None:
            return True
        try:
            return bool(guard.evaluate(self))
        except EvaluationError as error:
            self.timeline("guard_failed", rule=of, reason=str(error))
            return False

    def responsible(self, role: str, region: str | None) -> Responsibility | None:
        """Who answers in a role there, at the present level; who commands, where the instance is commanded.

        None where the pack names nobody: checks refuse such a pack, and an instance goes on all the same.
        """
        instance = self.instance
        if role == self.pack.command:
            region = instance["lead_region"] if instance["lead"] else instance["region"]
        try:
            return self.pack.responsible(role, region or "", instance["level"])
        except DefinitionError:
            return None

    def deadline(self, start: int, duration: str, of: str) -> int | None:
        """When a duration is over; None where the calendar does not say, and the timeline says so."""
        try:
            return self.pack.deadline(start, duration)
        except DefinitionError as error:
            self.timeline("deadline_failed", rule=of, duration=duration, reason=str(error))
            return None

    # What is put out

    def emit(self, topic: str, event_type: str, data: dict[str, Any], *, basis: str | None = None) -> str:
        """Put out an event of this instance; answers its id."""
        event_id = self.next_id(event_type)
        if self._silent:
            return event_id
        instance = self.instance
        name = instance["instance"]
        if topic == "workflow.tasks":
            data["level"] = instance["level"]
        self.outputs.append(
            Output(
                topic, name, event_type, event_id, self.at, data, name, name, self.cause, basis or self.basis,
                instance["region"],
            )
        )  # fmt: skip
        return event_id

    def next_id(self, event_type: str) -> str:
        """The id of the next output: derived from its cause, the instance and how many came before."""
        instance = self.instance
        instance["ordinal"] = ordinal = instance["ordinal"] + 1
        return derived_id(self.cause, "advance", event_type, instance["instance"], ordinal)

    def timeline(
        self,
        kind: str,
        *,
        rule: str | None = None,
        task: Task | None = None,
        basis: str | None = None,
        **detail: str,
    ) -> None:
        """Record in the timeline what changed, by which rule, on what basis, from what cause."""
        if self._silent:
            self.instance["ordinal"] += 1
            return
        task_id = department = None
        if task is None:
            rule, basis = rule or self.rule, basis or self.basis
        else:
            task_id, department = task["id"], task["department"]
            rule, basis = rule or task["step"], basis or task["basis"]
        for name, text in detail.items():
            if len(text) > TEXT_MAX:
                detail[name] = text[:TEXT_MAX]
        data = {
            "instance": self.instance["instance"],
            "kind": kind,
            "at": self.at,
            "rule": rule,
            "task": task_id,
            "department": department,
            "actor": self.actor,
            "basis": basis,
            "cause": self.cause,
            "detail": detail,
        }
        self.emit("workflow.timeline", "workflow.TimelineRecorded", data, basis=basis)

    def journal(self, entry: Entry) -> None:
        """Append an entry for another key, in the same transaction."""
        event = saying(self.instance, self.cause, self.actor, self.basis)
        self.outputs.append(appended(entry, self.next_id("workflow.EntryAppended"), event))

    def tell(self, kind: str, target: str, said: str, *, level: str | None = None, note: str | None = None) -> None:
        """Tell another instance something, in the same transaction: as its ``part``, or as its ``lead``."""
        named = instance_name(target)
        assert named is not None, target
        event_id = self.next_id("workflow.EntryAppended")
        event = saying(self.instance, self.cause, self.actor, self.basis)
        # An instance's clock does not go back, so that what it says stays in order.
        at = max(self.at, self.instance["clock"])
        entry = new_entry(kind, at, *named, target=target, reason=said, level=level, note=note, event=event)
        self.outputs.append(appended(entry, event_id, event))

    @contextmanager
    def caused_by(self, cause: str) -> Iterator[None]:
        """What is done meanwhile follows from another event."""
        before, self.cause = self.cause, cause
        yield
        self.cause = before

    @contextmanager
    def happening(self, at: int, dated: tuple[int, str]) -> Iterator[None]:
        """What is done meanwhile follows from an event that came before, of which no more is known than when it was."""
        before = self.at, self.dated, self.event
        self.at, self.dated, self.event = at, dated, None
        yield
        self.at, self.dated, self.event = before

    def trigger(self, name: str, subject: str | None = None) -> None:
        """Note that something happened that steps may wait for."""
        self._triggered += 1
        if self._triggered > TRIGGERS_MAX:
            if self._triggered == TRIGGERS_MAX + 1:
                self.timeline("triggers_stopped", reason=f"one entry has set off {TRIGGERS_MAX}", trigger=name)
            return
        if name in self.pack.triggers:
            about = self.subject if subject is None else subject
            self.triggers.append((name, about, self.event, self.cause, self.at, self.dated))

    # What is remembered

    def count(self, name: str, by: int = 1) -> None:
        """Count something that summaries show."""
        counts = self.own("counts")
        counts[name] = counts.get(name, 0) + by

    def tally(self, department: str, left: str | None, entered: str | None) -> None:
        """Count tasks by department and state: one of them has left a state, or entered one, or both."""
        tally = self.own("tally")
        states = tally[department].copy() if department in tally else {}
        if left is not None:
            count = states[left] = states.get(left, 0) - 1
            if not count:
                del states[left]
                if not states:
                    tally.pop(department, None)  # and stands last where it comes back
        if entered is not None:
            count = states[entered] = states.get(entered, 0) + 1
            if not count:
                del states[entered]
        if states:
            tally[department] = states
        else:
            tally.pop(department, None)

    def store(self, task: Task) -> None:
        """Put a changed task in the place of the old one of the same id."""
        open_tasks, index = self.own("tasks"), self.place(task["id"])
        if index is None:
            open_tasks.append(task)
            self.tally(task["department"], None, task["state"])
            return
        old, open_tasks[index] = open_tasks[index], task
        if old["department"] != task["department"]:
            self.tally(old["department"], old["state"], None)
            self.tally(task["department"], None, task["state"])
        elif old["state"] != task["state"]:
            self.tally(task["department"], old["state"], task["state"])

    def place(self, task_id: str) -> int | None:
        """Where among the open tasks the one of that id stands."""
        for index, task in enumerate(self.instance["tasks"]):
            if task["id"] == task_id:
                return index
        return None

    def end(self, task: Task, state: str) -> None:
        """Take a task out that is over."""
        instance, index = self.instance, self.place(task["id"])
        self.tally(task["department"], task["state"], state)
        if index is not None:
            del self.own("tasks")[index]
        instance["ended"] = [*instance["ended"], task["id"]][-ENDED_MAX:]

    def set_timer(self, name: str, due: int, cause: str, subject: str = "") -> None:
        """Start a timer, or start it anew."""
        timer = {"name": name, "due": due, "cause": cause, "subject": subject}
        self.drop_timer(name)
        self.instance["timers"].append(timer)

    def drop_timer(self, name: str) -> None:
        """Forget a timer."""
        self.instance["timers"] = [timer for timer in self.instance["timers"] if timer["name"] != name]

    def has_timer(self, name: str) -> bool:
        """Whether a timer runs."""
        return any(timer["name"] == name for timer in self.instance["timers"])

    # How it begins and ends

    def open(self, region: str | None) -> None:
        """Make the key's next instance."""
        before = self.before
        new = new_instance(self.pack, before, self.at, self.cause, self.offset)
        self.instance = self.draft.begin(new | {"region": region})
        data = {
            "instance": self.instance["instance"],
            "workflow": before.workflow,
            "key": before.key,
            "region": region,
            "cause": self.cause,
        }
        self.emit("workflow.events", "workflow.InstanceOpened", data)
        self.timeline("opened", opened_at=iso(self.at))

    def close(self, reason: str) -> None:
        """End the instance and tell those under one command with it; the caller has cancelled its tasks."""
        instance = self.instance
        lead = instance["lead"] or instance["merging"]
        if lead:
            self.tell("part", lead, "closed", note=reason)
        for part in instance["parts"]:
            self.tell("lead", part, "closed", note=reason)
        instance |= {"merging": None, "parts": []}
        data = {key: instance[key] for key in ("instance", "workflow", "key", "region", "level")} | {"reason": reason}
        self.emit("workflow.events", "workflow.InstanceClosed", data)
        self.timeline("closed", reason=reason)
        instance["status"] = "closed"
        instance["closed_at"] = self.at
        instance["timers"] = []

    def after(self) -> KeyState:
        """The state that this change leaves."""
        before, instance = self.before, self.instance
        instance["clock"] = max(instance["clock"], self.at)
        instance["offset"] = self.offset
        clock, applied, index = before.clock, _NONE, self.draft.index
        if instance["status"] != "open":
            clock, applied = max(clock, instance["clock"]), tuple(instance["applied"])
            instance["applied"], index = [], None
        return KeyState(
            before.workflow, before.key, instance["n"], before.alias_of, clock, instance["closed_at"], applied,
            before.parked, instance, before.offset, index,
        )  # fmt: skip
