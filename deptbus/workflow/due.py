"""What falls due in a key, and what happens when it does. Only ticks get here."""

from dataclasses import replace

from deptbus.clock import iso
from deptbus.workflow import asking, tasks
from deptbus.workflow.change import Change
from deptbus.workflow.effects import settle
from deptbus.workflow.facts import assign
from deptbus.workflow.known import Packs
from deptbus.workflow.notes import applied_id, note
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import KeyState, Result

DueItem = tuple[int, str, str]
"""When, what (``timer``, ``task`` or ``parked``), and which."""


def due_items(packs: Packs, state: KeyState) -> list[DueItem]:
    """All that will fall due in a key; of each task the next deadline."""
    items: list[DueItem] = []
    for entry in state.parked:
        by = packs.by_hash.get(entry["pack"])
        rule = by.rules.get(entry["rule"]) if by is not None else None
        window = 0 if rule is None else rule.window_ms
        items.append((entry["at"] + window, "parked", applied_id(entry)))
    instance, pack = state.open, packs.of(state)
    if instance is not None and pack is not None:
        items += [(timer["due"], "timer", timer["name"]) for timer in instance["timers"]]
        for task in instance["tasks"]:
            rung = tasks.next_rung(pack, task)
            if rung is not None:
                items.append((rung[0], "task", task["id"]))
    return items


def next_deadline(packs: Packs, state: KeyState, item: DueItem) -> DueItem | None:
    """The deadline of a task that follows the one that has just passed."""
    instance, pack = state.open, packs.of(state)
    if item[1] != "task" or instance is None or pack is None:
        return None
    task = tasks.find(instance, item[2])
    rung = None if task is None else tasks.next_rung(pack, task)
    return None if rung is None else (rung[0], "task", item[2])


def fire(packs: Packs, state: KeyState, item: DueItem, offset: int) -> Result:
    """Let one thing that has fallen due happen; nothing where an entry has overtaken it."""
    due, what, which = item
    if what == "parked":
        return _unpark(state, which, offset)
    instance, pack = state.open, packs.of(state)
    if instance is None or pack is None:
        return state, []
    if what == "timer":
        return _fire_timer(pack, state, due, which, offset)
    task = tasks.find(instance, which)
    rung = None if task is None else tasks.next_rung(pack, task)
    if task is None or rung is None or rung[0] != due:
        return state, []
    change = Change(pack, state, due, task["request"], offset)
    change.subject = task["subject"]
    tasks.escalate(change, task, rung[1], due)
    settle(change)
    return change.after(), change.outputs


def _fire_timer(pack: Pack, state: KeyState, due: int, name: str, offset: int) -> Result:
    assert state.open is not None
    timer = next((timer for timer in state.open["timers"] if timer["name"] == name and timer["due"] == due), None)
    if timer is None:
        return state, []
    change = Change(pack, state, due, timer["cause"], offset)
    change.subject = timer["subject"]
    if name.startswith(tasks.REPEAT):
        asking.repeat(change, name.removeprefix(tasks.REPEAT), due)
    else:
        compiled = pack.timers.get(name)
        change.rule, change.basis = name, compiled.basis if compiled is not None else None
        change.drop_timer(name)
        change.timeline("timer", due=iso(due))
        if compiled is not None:
            assign(change, compiled.set, name)
        change.trigger(f"timer:{name}", "")
    settle(change)
    return change.after(), change.outputs


def _unpark(state: KeyState, which: str, offset: int) -> Result:
    """An entry has waited in vain for its whole window."""
    waited = next((entry for entry in state.parked if applied_id(entry) == which), None)
    if waited is None:
        return state, []
    left = tuple(entry for entry in state.parked if entry is not waited)
    return replace(state, parked=left), [note(state, waited, "unmatched", offset)]
