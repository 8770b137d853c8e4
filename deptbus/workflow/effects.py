"""What an event does to the instance that it joins: facts, timers, tasks, then all that follows from these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deptbus.workflow import answers, asking, clocks, early, targets, tasks
from deptbus.workflow.change import Change
from deptbus.workflow.command import set_level
from deptbus.workflow.definition import RANK
from deptbus.workflow.directives import BY_RULE, obey, overtaken_by_order
from deptbus.workflow.expressions import EvaluationError
from deptbus.workflow.facts import assign
from deptbus.workflow.pack import APPROVAL, CompiledRule
from deptbus.workflow.peers import new_entry
from deptbus.workflow.regions import contains, overlap, significant
from deptbus.workflow.state import Entry, Task

ANSWER_WINDOW_MS = 24 * 3_600_000
"""How long the id of an event that came by no rule, such as an answer, is remembered."""


def effects(change: Change, entry: Entry, rule: CompiledRule | None) -> None:
    """What an event does: facts, timers, tasks, triggers."""
    header = entry["event"]
    acted = _remember(change, entry, rule)
    subject = change.text(rule.subject) if rule is not None else ""
    if rule is not None:
        change.subject = subject
        assign(change, rule.set, rule.rule)
        for name in rule.restart:
            start_timer(change, name)
        if rule.alias is not None:
            _name(change, change.text(rule.alias))
    if not acted:
        _touch_tasks(change, header)
    if rule is not None:
        change.trigger(f"rule:{rule.rule}", subject)  # not that of a task which the event has just ended


def _remember(change: Change, entry: Entry, rule: CompiledRule | None) -> bool:
    """Remember the event's id for its window; whether another rule has let this event act on the tasks already."""
    now = max(change.instance["clock"], change.at)
    window = rule.window_ms if rule is not None else ANSWER_WINDOW_MS
    return change.draft.applied.remember(entry, now, now + window)


def _touch_tasks(change: Change, header: Mapping[str, Any]) -> None:
    event_type = header["type"]
    pack = change.pack
    if event_type == pack.directives:
        obey(change)
    elif event_type in pack.answers:
        _answer(change, header)
    for stop in pack.clock_stops.get(event_type, ()):
        clocks.turn(change, stop, header["region"])
    if event_type in pack.completes:
        _end(change, header, pack.completes[event_type], "completed", answers.complete)
    if event_type in pack.declines:
        _end(change, header, pack.declines[event_type], "declined", answers.refuse)


def _end(
    change: Change, header: Mapping[str, Any], steps: list[str], what: str, end: Callable[[Change, Task], None]
) -> None:
    """An event ends a task of one of these steps."""
    task = _meant(change, header, steps)
    if task is not None:
        change.subject = task["subject"]
        end(change, task)
    else:
        _meant_nothing(change, header, steps, what)


def _meant(change: Change, header: Mapping[str, Any], steps: list[str]) -> Task | None:
    """The task that an event ends: the one that caused it, else the one of its subject, its region, or the only one."""
    if header["causationid"] is not None:
        task = tasks.find(change.instance, header["causationid"])
        if task is not None:
            return task if task["step"] in steps else None
    region = header["region"]
    candidates = [
        task
        for task in _asked_before(change, steps)
        if _may_be_there(change, task, region) and (not change.subject or task["subject"] in ("", change.subject))
    ]
    of_subject = [task for task in candidates if task["subject"] == (change.subject or header["subject"])]
    for tied in (of_subject, candidates):
        found: list[Task] = _nearest(tied, region) if len(tied) > 1 and region else tied
        if len(found) == 1:
            return found[0]
    return None


def _meant_nothing(change: Change, header: Mapping[str, Any], steps: list[str], what: str) -> None:
    """An event ends no task: it comes too late, or too early, and is kept for a request that it has overtaken."""
    if change.rule is None or _overtaken(change):  # else that it joined says enough
        change.timeline("unmatched", event=header["id"], type=header["type"])
    if header["causationid"] in change.instance["ended"]:
        return
    early.remember(change, what, steps, change.subject or header["subject"] or "", header["region"])


def _overtaken(change: Change) -> bool:
    """Whether what is at hand happened before something that is known already."""
    return bool(change.dated[0] < change.instance["clock"])


def _asked_before(change: Change, steps: Sequence[str]) -> list[Task]:
    """Open tasks of steps that what is at hand may be about: those that were asked for when it happened."""
    at = change.dated[0]
    return [task for task in change.instance["tasks"] if task["step"] in steps and task["requested_at"] <= at]


def _may_be_there(change: Change, task: Task, region: str | None) -> bool:
    """Whether what happens in a region may be about a task: one that is asked there alone must lie there."""
    regional = change.pack.steps[task["step"]].for_regions is not None
    return not regional or not region or overlap(task["region"] or "", region)


def _nearest(candidates: list[Task], region: str) -> list[Task]:
    """Of tasks in several regions those in this one, else those in the smallest that contains it."""
    containing = [task for task in candidates if contains(task["region"] or "", region)]
    smallest = max((len(significant(task["region"] or "")) for task in containing), default=0)
    return [task for task in containing if len(significant(task["region"] or "")) == smallest]


def _answer(change: Change, header: Mapping[str, Any]) -> None:
    """A department's answer to a task."""
    assert change.event is not None
    task_id, disposition = change.event.get("task", ""), change.event.get("disposition", "")
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
        answers.decline(change, task)
    elif disposition == "completed":
        _completed(change, task)
    else:
        answers.answered(change, task, disposition)


def _completed(change: Change, task: dict[str, Any]) -> None:
    """``completed`` completes a task, unless an event of the department's own has to."""
    owed = change.pack.steps[task["step"]].completed_by
    own = {event_type for event_type in owed if event_type.startswith(task["department"] + ".")}
    if own:
        change.timeline("event_owed", task=task, types=", ".join(sorted(own)))
    else:
        change.event = None
        answers.complete(change, task)


def start_timer(change: Change, name: str) -> None:
    """Start a timer of the workflow anew."""
    timer = change.pack.timers.get(name)
    due = change.deadline(change.at, timer.after, name) if timer is not None else None
    if timer is None or due is None:
        return
    if _overtaken(change) and any(each["name"] == name and due < each["due"] for each in change.instance["timers"]):
        return
    change.set_timer(name, max(due, timer.not_before_ms), change.cause)


def _name(change: Change, alias: str) -> None:
    """Make the instance's key known under another one."""
    before = change.before
    if alias and alias != before.key:
        change.journal(new_entry("alias", change.at, before.workflow, alias, target=before.key))


def settle(change: Change) -> None:
    """Let triggers, the level rule and the closing condition work until nothing more follows."""
    first_cause, at, dated = change.cause, change.at, change.dated
    while True:
        for trigger in change.triggers:  # to which more are added on the way
            name, change.subject, change.event, change.cause, change.at, change.dated = trigger
            _pull(change, name)
        change.triggers.clear()
        change.subject, change.event, change.cause, change.at, change.dated = "", None, first_cause, at, dated
        if not _raise_level(change):
            break
    if change.instance["status"] == "open" and change.holds(change.pack.closes, "closes"):
        close(change, "the closing condition holds")


def _pull(change: Change, trigger: str) -> None:
    """Steps are cancelled, moved or asked for; one that this trigger has moved it does not ask for as well."""
    pack = change.pack
    if trigger in pack.cancelled_on:
        _cancel(change, pack.cancelled_on[trigger], trigger)
    moved = {step for step in pack.retargeted_on.get(trigger, ()) if targets.retarget(change, step, trigger)}
    for step in pack.asked_on.get(trigger, ()):
        if step.removesuffix(APPROVAL) not in moved:
            asking.ask(change, step)


def _cancel(change: Change, steps: list[str], trigger: str) -> None:
    """A trigger takes back what is asked for by these steps about its subject."""
    subject, overtaken, any_asked = change.subject, _overtaken(change), bool(_asked_before(change, steps))
    early.remember(change, "cancelled", steps, subject)
    for step in steps:
        targets.forget(change, step)
        asked = _asked_before(change, (step,)) if any_asked else ()
        meant = [task for task in asked if subject in ("", task["subject"])]
        for task in meant:
            tasks.cancel(change, task, trigger)
        if overtaken and not meant:
            change.timeline("unmatched", rule=step, trigger=trigger)


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
    try:
        value = pack.level_of.evaluate(change)
    except EvaluationError as error:
        change.timeline("level_failed", reason=str(error))
        return False
    for at_least, level in pack.rows:
        if value >= at_least:
            return RANK[level] > RANK.get(instance["highest_level"], 0) and _give(change, level, value)
    return False


def _give(change: Change, level: str, value: int) -> bool:
    """The table gives a higher level than ever before: put it in force, unless a higher one or an order stands."""
    pack, instance = change.pack, change.instance
    instance["highest_level"] = level
    # Facts are as of the clock, though what made the table give more may be older.
    change.own("latest")[BY_RULE] = {"at": max(instance["clock"], change.dated[0]), "id": change.dated[1]}
    if RANK[level] <= RANK.get(instance["level"], 0):
        return False
    if overtaken_by_order(change):
        change.timeline("level_overtaken", level=level)
        return False
    assert pack.definition.level is not None
    set_level(change, level, f"the rule table gives {level} for {value}", pack.definition.level.basis)
    return True
