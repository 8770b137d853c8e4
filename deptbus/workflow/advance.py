"""``advance``: (packs, state of a key, entry) → (state', outputs). A function: no clock, no chance, no look-ups (I3).

``apply_entry`` applies an event, a directive, an alias or a migration; ``fire`` what has fallen due. Only ticks make
things fall due; an entry's own time only decides whether it is late.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deptbus.clock import iso
from deptbus.ids import derived_id
from deptbus.workflow import tasks
from deptbus.workflow.change import Change, initial
from deptbus.workflow.directives import obey, set_level
from deptbus.workflow.output import Output
from deptbus.workflow.pack import RANK, CompiledRule, Pack
from deptbus.workflow.state import Entry, KeyState, Task

ANSWER_WINDOW_MS = 24 * 3_600_000
"""How long the id of an event that came by no rule, such as an answer, is remembered."""

Data = Mapping[str, Any] | None
Decode = Callable[[str, bytes], dict[str, Any]]
"""Event type and framed value to the event's data."""

Result = tuple[KeyState, list[Output]]


@dataclass(slots=True)
class Packs:
    """The packs known in a partition, by hash, and which of each workflow opens new instances."""

    by_hash: dict[str, Pack] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)

    def of(self, state: KeyState) -> Pack | None:
        """The pack of the key's open instance."""
        instance = state.open
        return None if instance is None else self.by_hash[instance["pack"]]


def apply_entry(packs: Packs, state: KeyState, entry: Entry, data: Data, offset: int, decode: Decode) -> Result:
    """What an entry of kind event, forward, alias or migration does to its key."""
    if entry["kind"] == "alias":
        return _alias(state, entry, offset)
    if entry["kind"] == "migration":
        return _migrate(packs, state, entry, offset)
    if state.alias_of is not None:
        return state, [_forward(state, entry, offset)]
    pack = packs.by_hash.get(entry["pack"]) if entry["pack"] else packs.of(state)
    rule = pack.rules.get(entry["rule"]) if pack is not None and entry["rule"] else None
    instance = state.open
    if instance is not None and pack is not None and instance["pack"] == pack.hash:
        return _join(packs, pack, state, entry, data, offset, rule)
    if instance is not None or (entry["pack"] and packs.newest.get(state.workflow) != entry["pack"]):
        return state, []  # an entry by a pack that is not the instance's: its own pack has one too, or none
    opens = entry["kind"] != "forward" and (rule.opens if rule else _orders_opening(pack, entry, data))
    if pack is not None and opens:
        return _open(packs, pack, state, entry, data, offset, rule, decode)
    return _without_instance(state, entry, offset, rule)


def _orders_opening(pack: Pack | None, entry: Entry, data: Data) -> bool:
    return (
        pack is not None
        and data is not None
        and entry["event"]["type"] == pack.definition.directives
        and data.get("act") == "open"
    )


def _seen(applied: Any, entry: Entry) -> tuple[bool, bool]:
    """Whether the event was applied by this rule before, and whether this is the very same record of it."""
    name = _applied_id(entry)
    for known in applied:
        if known["id"] == name:
            return True, known["offset"] == entry["event"]["offset"]
    return False, False


def _applied_id(entry: Entry) -> str:
    return f"{entry['event']['id']} {entry['rule'] or ''}"


def _open(
    packs: Packs,
    pack: Pack,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    rule: CompiledRule | None,
    decode: Decode,
) -> Result:
    seen, same = _seen(state.applied, entry)
    if seen:
        return (state, []) if same else (state, [_note(state, entry, "duplicate", offset)])
    if state.closed_at is not None and entry["at"] < state.closed_at:
        return state, [_note(state, entry, "late", offset, closed_at=iso(state.closed_at))]
    change = _change(pack, state, entry, data, offset)
    region = entry["event"]["region"]
    if rule is not None and rule.region is not None:
        region = change.text(rule.region)
    change.open(region)
    change.rule = rule.rule if rule else "directive"
    change.basis = rule.basis if rule else entry["event"]["legalbasis"]
    change.trigger("opened", "")
    _effects(change, entry, rule)
    settle(change)
    after, outputs = change.after(), change.outputs
    waiting, after = after.parked, replace(after, parked=())
    for parked in sorted(waiting, key=entry_order):
        joining = {**parked, "at": max(parked["at"], entry["at"])}  # deadlines run from when it could be joined
        data = decode(parked["event"]["type"], parked["body"])
        after, more = apply_entry(packs, after, joining, data, offset, decode)
        outputs = outputs + more
    return after, outputs


def entry_order(entry: Entry) -> tuple[int, str, str]:
    """Entries of one step, and parked ones, are applied in the order of time, then id, then rule."""
    event = entry["event"] or {}
    return entry["at"], event.get("id", ""), entry["rule"] or ""


def _join(
    packs: Packs,
    pack: Pack,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    rule: CompiledRule | None,
) -> Result:
    instance = state.open
    assert instance is not None
    seen, same = _seen(instance["applied"], entry)
    if same:
        return state, []  # correlate appended it again after a crash
    change = _change(pack, state, entry, data, offset)
    if rule is not None:
        change.rule, change.basis = rule.rule, rule.basis
    window = rule.window_ms if rule else 0
    if seen:
        change.count("duplicates")
        change.timeline("duplicate", event=entry["event"]["id"])
    elif rule is not None and entry["at"] < instance["clock"] - window:
        change.count("late")
        change.timeline("late", event=entry["event"]["id"], window_ms=str(window), event_at=iso(entry["at"]))
    elif names_another(entry, instance["n"]):
        change.count("late")
        change.timeline("late", event=entry["event"]["id"], names=str(entry["event"]["correlationid"]))
    else:
        if rule is not None:
            out_of_order = str(entry["at"] < instance["clock"]).lower()
            change.timeline(
                "joined", event=entry["event"]["id"], type=entry["event"]["type"], out_of_order=out_of_order
            )
        _effects(change, entry, rule)
        settle(change)
    return change.after(), change.outputs


def names_another(entry: Entry, n: int) -> bool:
    """Whether an event names another instance of the key than number ``n``."""
    named = entry["event"]["correlationid"]
    if named is None or not named.startswith(f"{entry['workflow']}/{entry['key']}/"):
        return False
    return str(named.rsplit("/", 1)[-1]) != str(n)


def _without_instance(state: KeyState, entry: Entry, offset: int, rule: CompiledRule | None) -> Result:
    """No instance is open, and the entry opens none: it waits, or is recorded."""
    seen, same = _seen(state.applied, entry)
    if same:
        return state, []
    if seen:
        return state, [_note(state, entry, "duplicate", offset)]
    if state.closed_at is not None and (rule is None or entry["at"] <= state.closed_at):
        return state, [_note(state, entry, "late", offset, closed_at=iso(state.closed_at))]
    if rule is None or rule.park_max == 0:
        return state, [_note(state, entry, "unmatched", offset)]
    if any(_applied_id(parked) == _applied_id(entry) for parked in state.parked):
        return state, []
    parked = (*state.parked, entry)
    outputs = [_note(state, entry, "parked", offset)]
    if len(parked) > rule.park_max:
        outputs.append(_note(state, parked[0], "unmatched", offset, reason="more wait than may"))
        parked = parked[1:]
    return replace(state, parked=parked, clock=max(state.clock, entry["at"])), outputs


def _note(state: KeyState, entry: Entry, kind: str, offset: int, **detail: str) -> Output:
    """A record in the timeline where no instance is changed."""
    event = entry["event"]
    data = {
        "instance": event["correlationid"] or state.name,
        "kind": kind,
        "at": entry["at"],
        "rule": entry["rule"],
        "task": None,
        "department": event["source"].rsplit("/", 1)[-1],
        "actor": event["actor"],
        "basis": event["legalbasis"],
        "cause": event["id"],
        "detail": {"event": event["id"], "type": event["type"], **detail},
    }
    return Output(
        "workflow.timeline", data["instance"], "workflow.TimelineRecorded",
        derived_id(event["id"], "advance", "workflow.TimelineRecorded", f"{state.name} {kind}", event["offset"]),
        entry["at"], data, data["instance"], event["correlationid"], event["id"], event["legalbasis"], event["region"],
    )  # fmt: skip


def _change(pack: Pack, state: KeyState, entry: Entry, data: Data, offset: int) -> Change:
    event = entry["event"]
    change = Change(pack, state, entry["at"], event["id"], offset)
    change.event = data
    change.actor = event["actor"]
    change.basis = event["legalbasis"]
    return change


def _effects(change: Change, entry: Entry, rule: CompiledRule | None) -> None:
    """What an event does: facts, timers, tasks, triggers."""
    header = entry["event"]
    _remember(change, entry, rule)
    subject = change.text(rule.subject) if rule is not None else ""
    if rule is not None:
        change.subject = subject
        change.assign(rule.set, rule.rule)
        for name in rule.restart:
            start_timer(change, name)
        if rule.alias is not None:
            _name(change, change.text(rule.alias))
    if not _applied_otherwise(change, entry):
        _touch_tasks(change, header)
    if rule is not None:
        change.trigger(f"rule:{rule.rule}", subject)  # not that of a task which the event has just ended


def _remember(change: Change, entry: Entry, rule: CompiledRule | None) -> None:
    """Remember the event's id for its window, and forget those whose windows are over."""
    instance = change.instance
    now = max(instance["clock"], entry["at"])
    window = rule.window_ms if rule is not None else ANSWER_WINDOW_MS
    kept = [known for known in instance["applied"] if known["until"] >= now]
    kept.append({"id": _applied_id(entry), "offset": entry["event"]["offset"], "until": now + window})
    instance["applied"] = kept


def _applied_otherwise(change: Change, entry: Entry) -> bool:
    """Whether another rule has let this event act on the tasks already."""
    event_id, mine = entry["event"]["id"] + " ", _applied_id(entry)
    return any(known["id"].startswith(event_id) and known["id"] != mine for known in change.instance["applied"])


def _touch_tasks(change: Change, header: Mapping[str, Any]) -> None:
    event_type = header["type"]
    pack = change.pack
    if event_type == pack.definition.directives:
        obey(change)
    elif event_type in pack.answers:
        _answer(change, header)
    for stop in pack.clock_stops.get(event_type, ()):
        for task in [task for task in change.instance["tasks"] if task["step"] == stop.step]:
            (tasks.start_clock if stop.starts else tasks.stop_clock)(change, task, stop.basis)
    for steps, end in ((pack.completes, tasks.complete), (pack.declines, tasks.refuse)):
        if event_type in steps:
            task = _meant(change, header, steps[event_type])
            if task is not None:
                change.subject = task["subject"]
                end(change, task)


def _meant(change: Change, header: Mapping[str, Any], steps: list[str]) -> Task | None:
    """The task that an event ends: the one that caused it, else the one of its subject, else the only one."""
    if header["causationid"] is not None:
        task = tasks.find(change.instance, header["causationid"])
        if task is not None:
            return task if task["step"] in steps else None
    candidates: list[Task] = [task for task in change.instance["tasks"] if task["step"] in steps]
    of_subject = [task for task in candidates if task["subject"] == (change.subject or header["subject"])]
    if len(of_subject) == 1:
        return of_subject[0]
    return candidates[0] if len(candidates) == 1 else None


def _answer(change: Change, header: Mapping[str, Any]) -> None:
    """A department's answer to a task."""
    assert change.event is not None
    task_id, disposition = change.event["task"], change.event["disposition"]
    task = tasks.find(change.instance, task_id)
    department = header["source"].rsplit("/", 1)[-1]
    if task is None:
        kind = "late" if task_id in change.instance["ended"] else "unmatched"
        change.count(kind)
        change.timeline(kind, answer=disposition, task_named=task_id, department=department)
        return
    change.subject = task["subject"]
    if department != task["department"]:
        change.timeline("not_responsible", task=task, answered_by=department, answer=disposition)
    elif disposition == "declined":
        tasks.decline(change, task)
    elif disposition == "completed":
        _completed(change, task)
    else:
        tasks.answered(change, task, disposition)


def _completed(change: Change, task: dict[str, Any]) -> None:
    """``completed`` completes a task, unless an event of the department's own has to."""
    owed = change.pack.steps[task["step"]].completed_by
    own = {event_type for event_type in owed if event_type.startswith(task["department"] + ".")}
    if own:
        change.timeline("event_owed", task=task, types=", ".join(sorted(own)))
    else:
        change.event = None
        tasks.complete(change, task)


def start_timer(change: Change, name: str) -> None:
    """Start a timer of the workflow anew."""
    timer = change.pack.timers[name]
    due = max(change.pack.deadline(change.at, timer.after), timer.not_before_ms)
    change.set_timer(name, due, change.cause)


def _name(change: Change, alias: str) -> None:
    """Make the instance's key known under another one."""
    before = change.before
    if alias and alias != before.key:
        entry = {**_EMPTY, "kind": "alias", "at": change.at, "workflow": before.workflow, "key": alias}
        change.journal({**entry, "target": before.key}, f"alias {alias}")


_EMPTY: Entry = dict.fromkeys(("pack", "rule", "step", "offset", "target", "reason", "event", "body"))


def _alias(state: KeyState, entry: Entry, offset: int) -> Result:
    """The key becomes another name of ``target``; what waited here is sent on."""
    if state.alias_of is not None or state.open is not None or entry["target"] == state.key:
        return state, []
    named = replace(state, alias_of=entry["target"], parked=(), clock=max(state.clock, entry["at"]), offset=offset)
    return named, [_forward(named, parked, offset) for parked in state.parked]


def _forward(state: KeyState, entry: Entry, offset: int) -> Output:
    """Send an entry on to the key that this one is another name of."""
    assert state.alias_of is not None
    onward = {**entry, "kind": "forward", "key": state.alias_of, "reason": f"{state.key} is {state.alias_of}"}
    key = f"{state.workflow}/{state.alias_of}"
    event = entry["event"]
    return Output(
        "workflow.journal", key, "workflow.EntryAppended",
        derived_id(event["id"], "advance", "workflow.EntryAppended", f"{state.name} {entry['rule']}", offset),
        entry["at"], {"entry": onward}, key, None, event["id"], event["legalbasis"], event["region"], elsewhere=True,
    )  # fmt: skip


def _migrate(packs: Packs, state: KeyState, entry: Entry, offset: int) -> Result:
    """Move an open instance to another pack of its workflow; what the pack has no place for stays out."""
    pack, instance = packs.by_hash.get(entry["pack"]), state.open
    if instance is None or pack is None or instance["pack"] == pack.hash:
        return state, []
    change = Change(pack, state, max(entry["at"], instance["clock"]), instance["cause"], offset)
    change.instance |= {"pack": pack.hash, "version": pack.version}
    facts = change.instance["facts"]
    for name, fact in pack.definition.facts.items():
        facts.setdefault(name, initial(fact))
    change.timeline("migrated", version=str(pack.version), reason=entry["reason"] or "")
    settle(change)
    return change.after(), change.outputs


def settle(change: Change) -> None:
    """Let triggers, the level rule and the closing condition work until nothing more follows."""
    first_cause = change.cause
    while True:
        while change.triggers:
            name, change.subject, change.event, change.cause = change.triggers.popleft()
            subject = change.subject
            for step in change.pack.cancelled_on.get(name, ()):
                for task in [task for task in change.instance["tasks"] if task["step"] == step]:
                    if subject in ("", task["subject"]):
                        tasks.cancel(change, task, name)
            for step in change.pack.asked_on.get(name, ()):
                tasks.ask(change, step)
        change.subject, change.event, change.cause = "", None, first_cause
        if not _raise_level(change):
            break
    if change.instance["status"] == "open" and change.holds(change.pack.closes, "closes"):
        close(change, "the closing condition holds")


def close(change: Change, reason: str) -> None:
    """Cancel what is open and end the instance."""
    for task in list(change.instance["tasks"]):
        tasks.cancel(change, task, reason)
    change.close(reason)


def _raise_level(change: Change) -> bool:
    """Apply the standing rule; whether the table gave a higher level than ever before."""
    pack, instance = change.pack, change.instance
    if pack.level_of is None:
        return False
    value = pack.level_of.evaluate(change)
    level = None
    for at_least, gives in pack.rows:
        if value >= at_least:
            level = gives
    if level is None or RANK[level] <= RANK.get(instance["highest_level"], 0):
        return False
    instance["highest_level"] = level
    if RANK[level] <= RANK.get(instance["level"], 0):
        return False
    assert pack.definition.level is not None
    set_level(change, level, f"the rule table gives {level} for {value}", pack.definition.level.basis)
    return True


# What falls due


DueItem = tuple[int, str, str]
"""When, what (``timer``, ``task`` or ``parked``), and which."""


def due_items(packs: Packs, state: KeyState) -> list[DueItem]:
    """All that will fall due in a key; of each task the next deadline."""
    items: list[DueItem] = []
    for entry in state.parked:
        window = packs.by_hash[entry["pack"]].rules[entry["rule"]].window_ms
        items.append((entry["at"] + window, "parked", _applied_id(entry)))
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
        tasks.repeat(change, name.removeprefix(tasks.REPEAT), due)
    else:
        compiled = pack.timers[name]
        change.rule, change.basis = name, compiled.basis
        change.drop_timer(name)
        change.timeline("timer", due=iso(due))
        change.assign(compiled.set, name)
        change.trigger(f"timer:{name}", "")
    settle(change)
    return change.after(), change.outputs


def _unpark(state: KeyState, which: str, offset: int) -> Result:
    """An entry has waited in vain for its whole window."""
    waited = next((entry for entry in state.parked if _applied_id(entry) == which), None)
    if waited is None:
        return state, []
    left = tuple(entry for entry in state.parked if entry is not waited)
    return replace(state, parked=left), [_note(state, waited, "unmatched", offset)]
