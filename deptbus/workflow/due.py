"""What falls due in a key, and what happens when it does. Only ticks get here."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from deptbus.clock import iso
from deptbus.workflow import asking, tasks
from deptbus.workflow.change import Change
from deptbus.workflow.draft import Draft
from deptbus.workflow.effects import settle
from deptbus.workflow.facts import assign
from deptbus.workflow.known import Packs
from deptbus.workflow.notes import applied_id, note
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Instance, KeyState, Result, Task

DueItem = tuple[int, str, str]
"""When, what (``timer``, ``task`` or ``parked``), and which."""

FIRED_MAX = 10_000
"""How much one tick lets happen in one key; what is due beyond waits for the next one."""


def due_items(packs: Packs, state: KeyState) -> list[DueItem]:
    """All that will fall due in a key; of each task the next deadline."""
    return _waiting(packs, state) + _running(packs, state)


def due_waiting(packs: Packs, state: KeyState) -> int | None:
    """When the first entry that waits has waited for its whole window."""
    return min((item[0] for item in _waiting(packs, state)), default=None) if state.parked else None


def due_running(packs: Packs, state: KeyState) -> int | None:
    """When the first timer or task of the open instance falls due."""
    instance, pack = state.instance, packs.of(state)
    if instance is None or pack is None:
        return None
    due: int | None = None
    for timer in instance["timers"]:
        if due is None or timer["due"] < due:
            due = timer["due"]
    for task in instance["tasks"]:
        rung = tasks.next_rung(pack, task)
        if rung is not None and (due is None or rung[0] < due):
            due = rung[0]
    return due


def _waiting(packs: Packs, state: KeyState) -> list[DueItem]:
    items: list[DueItem] = []
    for entry in state.parked:
        by = packs.by_hash.get(entry["pack"])
        rule = by.rules.get(entry["rule"]) if by is not None else None
        window = 0 if rule is None else rule.window_ms
        items.append((entry["at"] + window, "parked", applied_id(entry)))
    return items


def _running(packs: Packs, state: KeyState) -> list[DueItem]:
    items: list[DueItem] = []
    instance, pack = state.instance, packs.of(state)
    if instance is not None and pack is not None:
        items += [(timer["due"], "timer", timer["name"]) for timer in instance["timers"]]
        for task in instance["tasks"]:
            rung = tasks.next_rung(pack, task)
            if rung is not None:
                items.append((rung[0], "task", task["id"]))
    return items


def happen(
    packs: Packs,
    state: KeyState,
    items: list[DueItem],
    until: int,
    offset: int,
    draft: Draft | None = None,
    *,
    anew: bool,
) -> Iterator[Result]:
    """Let everything happen that falls due before ``until``, in the order of time.

    ``items`` is a heap of what was due in ``state``; what has happened leaves it, and the later deadlines of a task
    enter it. One that something has overtaken comes to nothing. ``draft``: what of the state may be altered; by default
    nothing. ``anew``: what is set going on the way happens too.
    """
    firing: Firing | None = None
    left = FIRED_MAX
    while left and items and items[0][0] < until:
        item = heapq.heappop(items)
        if item[1] == "parked":
            left -= 1
            state, outputs = _unpark(state, item[2], offset)
            yield state, outputs
            continue
        if firing is None:
            pack = packs.of(state)
            if pack is None:
                continue
            stands = _as_it_stands(pack, state, item)
            if stands != item:  # nothing happens that would be worth a copy of the instance
                if stands is not None:
                    heapq.heappush(items, stands)
                continue
            firing = Firing(pack, state, offset, draft)
        left -= firing.fire(item)
        for later in firing.later(item, anew=anew):
            heapq.heappush(items, later)
        if firing.instance["status"] != "open":
            closed = firing.after()
            yield closed, firing.outputs
            state, firing = replace(closed, instance=None), None
    if firing is not None and firing.fired:
        yield firing.after(), firing.outputs


def _as_it_stands(pack: Pack, state: KeyState, item: DueItem) -> DueItem | None:
    """When a timer or a task of an open instance is due by now; None where it is no more, or due at another time."""
    due, what, which = item
    instance = state.instance
    assert instance is not None
    if what == "timer":
        return item if _timer_of(instance, which, due) is not None else None
    for task in instance["tasks"]:
        if task["id"] == which:
            rung = tasks.next_rung(pack, task)
            return None if rung is None else (rung[0], what, which)
    return None


def _timer_of(instance: Instance, name: str, due: int) -> dict[str, Any] | None:
    """The timer of that name where it is due then."""
    for timer in instance["timers"]:
        if timer["name"] == name and timer["due"] == due:
            return timer  # type: ignore[no-any-return]
    return None


class Firing(Change):
    """An open instance in which one thing after another falls due: copied once, its tasks found by their ids."""

    def __init__(self, pack: Pack, before: KeyState, offset: int, draft: Draft | None = None) -> None:
        super().__init__(pack, before, 0, "", offset, draft)
        self.fired = False
        """Whether anything happened."""
        self._places: dict[str, int] = {}
        self._stored: set[str] = set()
        self._started: set[str] = set()

    def fire(self, item: DueItem) -> bool:
        """Let one thing happen, and whether it did: not where something has overtaken it."""
        due, what, which = item
        self._stored, self._started = set(), set()
        if what == "timer":
            timer = _timer_of(self.instance, which, due)
            if timer is None:
                return False
            self.begin(due, timer["cause"])
            self.subject = timer["subject"]
            self._timer(which, due)
        else:
            task = self._task(which)
            rung = None if task is None else tasks.next_rung(self.pack, task)
            if task is None or rung is None or rung[0] != due:
                return False
            self.begin(due, task["request"])
            self.subject = task["subject"]
            tasks.escalate(self, task, rung[1], due)
        settle(self)
        self.instance["clock"] = max(self.instance["clock"], due)
        self.fired = True
        return True

    def _timer(self, name: str, due: int) -> None:
        if name.startswith(tasks.REPEAT):
            asking.repeat(self, name.removeprefix(tasks.REPEAT), due)
            return
        compiled = self.pack.timers.get(name)
        self.rule, self.basis = name, compiled.basis if compiled is not None else None
        self.drop_timer(name)
        self.timeline("timer", due=iso(due))
        if compiled is not None:
            assign(self, compiled.set, name)
        self.trigger(f"timer:{name}", "")

    def later(self, item: DueItem, *, anew: bool) -> Iterable[DueItem]:
        """What falls due after ``item`` has: the task's next deadline; ``anew``: all that ``fire`` has set going."""
        names = self._stored if anew else set()
        if item[1] == "task":
            names = {*names, item[2]}
        for name in names:
            task = self._task(name)
            rung = None if task is None else tasks.next_rung(self.pack, task)
            if rung is not None:
                yield rung[0], "task", name
        if anew and self._started:
            for timer in self.instance["timers"]:
                if timer["name"] in self._started:
                    yield timer["due"], "timer", timer["name"]

    def store(self, task: Task) -> None:
        self._stored.add(task["id"])
        super().store(task)

    def set_timer(self, name: str, due: int, cause: str, subject: str = "") -> None:
        self._started.add(name)
        super().set_timer(name, due, cause, subject)

    def place(self, task_id: str) -> int | None:
        """From an index, which is made anew when tasks have come or gone."""
        open_tasks = self.instance["tasks"]
        index = self._places.get(task_id)
        if index is None or index >= len(open_tasks) or open_tasks[index]["id"] != task_id:
            self._places = {task["id"]: number for number, task in enumerate(open_tasks)}
            index = self._places.get(task_id)
        return index

    def _task(self, task_id: str) -> Task | None:
        index = self.place(task_id)
        task: Task | None = None if index is None else self.instance["tasks"][index]
        return task


def _unpark(state: KeyState, which: str, offset: int) -> Result:
    """An entry has waited in vain for its whole window."""
    waited = next((entry for entry in state.parked if applied_id(entry) == which), None)
    if waited is None:
        return state, []
    left = tuple(entry for entry in state.parked if entry is not waited)
    return replace(state, parked=left), [note(state, waited, "unmatched", offset)]
