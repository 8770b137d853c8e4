"""An open instance moves to the pack in force, by an order that the journal holds. Pure.

``migrate`` is what ``advance`` does with the entry, and ``preview`` what a dry run shows: the very same function on a
snapshot. Its tasks stay with whom they were asked of. A deadline that stands as the old pack gave it becomes what the
new one gives; one that an order or a clock stop has moved stays. Timers that run stay due when they are; their next
start is by the new pack, and so are the ladders.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deptbus.errors import BusError
from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.command import take_command
from deptbus.workflow.correlate import placed
from deptbus.workflow.due import due_running
from deptbus.workflow.effects import settle
from deptbus.workflow.evolution import Snapshot, migration_breaks
from deptbus.workflow.expressions import EvaluationError
from deptbus.workflow.instances import initial
from deptbus.workflow.known import Packs
from deptbus.workflow.notes import note
from deptbus.workflow.output import Output
from deptbus.workflow.pack import CompiledStep, Pack
from deptbus.workflow.state import Entry, Instance, KeyState, Result, Task


@dataclass(frozen=True, slots=True)
class Move:
    """What an order to move would do to one instance."""

    before: Instance
    after: Instance
    outputs: tuple[Output, ...]
    refused: tuple[str, ...]
    """Why it cannot move; then ``after`` is ``before``."""


def migrate(packs: Packs, state: KeyState, entry: Entry, offset: int) -> Result:
    """Move the open instance that the entry names to the pack in force; what is in the way is recorded.

    Nothing happens where it runs by that pack already: an order may come twice.
    """
    pack, instance = packs.by_hash.get(entry["pack"]), state.open
    if pack is not None and instance is not None and instance["pack"] == pack.hash:
        return state, []
    reasons = _refusals(packs, pack, state, entry)
    if not reasons:
        assert pack is not None
        try:
            return _moved(packs, pack, state, entry, offset)
        except (BusError, RecursionError) as error:  # such as a year that the new calendar lacks
            reasons = [str(error).removesuffix(".")]
    version = {"version": str(pack.version)} if pack is not None else {}
    return state, [note(state, entry, "migration_refused", offset, **version, reason="; ".join(reasons))]


def preview(before: Pack, after: Pack, snapshot: Snapshot, entry: Entry) -> Move:
    """What the order ``entry`` would do to an instance as its snapshot stands, were it the next entry."""
    packs = Packs({before.hash: before, after.hash: after}, {after.workflow: after.hash})
    instance = dict(snapshot)
    state = KeyState(instance["workflow"], instance["key"], n=instance["n"], instance=instance)
    moved, outputs = migrate(packs, state, entry, instance["offset"] + 1)
    refused: tuple[str, ...] = ()
    if moved is state:
        refused = tuple(output.data["detail"]["reason"] for output in outputs)
    assert moved.instance is not None
    moved.instance["due"] = due_running(packs, moved)
    return Move(instance, moved.instance, tuple(outputs), refused)


def _refusals(packs: Packs, pack: Pack | None, state: KeyState, entry: Entry) -> list[str]:
    """Why the instance that the entry names cannot move to ``pack``."""
    instance, name = state.open, entry["event"]["correlationid"]
    if instance is None or instance["instance"] != name:
        return [f"{name} is not open"]
    if pack is None or packs.newest.get(state.workflow) != pack.hash:
        return [f"the pack {entry['pack'][:12]} is not the one in force"]
    return migration_breaks(packs.by_hash[instance["pack"]], pack, instance)


def _moved(packs: Packs, pack: Pack, state: KeyState, entry: Entry, offset: int) -> Result:
    instance, event = state.open, entry["event"]
    assert instance is not None
    before = packs.by_hash[instance["pack"]]
    change = Change(pack, state, max(entry["at"], instance["clock"]), event["id"], offset)
    change.actor, change.basis = event["actor"], event["legalbasis"]
    change.instance |= {
        "pack": pack.hash,
        "version": pack.version,
        "moved_from": [*(old for old in instance["moved_from"] if old != pack.hash), before.hash],
    }
    facts = change.own("facts")
    for name, fact in pack.definition.facts.items():
        facts.setdefault(name, initial(fact))
    change.timeline(
        "migrated", from_version=str(before.version), version=str(pack.version), reason=entry["reason"] or ""
    )
    take_command(change, f"moved to version {pack.version}")
    for task in list(change.instance["tasks"]):
        _follow(change, before, task)
    settle(change)
    return change.after(), change.outputs


def _follow(change: Change, before: Pack, task: Task) -> None:
    """Let a task's deadlines and its place on the ladder be those of the new pack."""
    old, new = before.steps[task["step"]], change.pack.steps[task["step"]]
    acknowledge_by, complete_by = (_deadline(which, task, before, old, change.pack, new) for which in _DEADLINES)
    climbed = {**task, "rung": _rung(old, new, task["rung"])}
    if (acknowledge_by, complete_by) != (task["acknowledge_by"], task["complete_by"]):
        reason = f"moved to version {change.pack.version}"
        tasks.extend(change, climbed, acknowledge_by, complete_by, reason)
    elif climbed != task:
        change.store(climbed)


_DEADLINES = ("acknowledge_by", "complete_by")


def _deadline(which: str, task: Task, before: Pack, old: CompiledStep, pack: Pack, new: CompiledStep) -> int:
    """The deadline by the new pack, unless it does not stand as the old one gave it or is met already."""
    present: int = task[which]
    met = which == "acknowledge_by" and task["acknowledged_at"] is not None
    if met or before.deadline(task["requested_at"], getattr(old, which)) != present:
        return present
    return pack.deadline(task["requested_at"], getattr(new, which))


def _rung(old: CompiledStep, new: CompiledStep, reached: int) -> int:
    """The rung of the new ladder from which on nobody was told yet."""
    told = Counter(old.ladder[:reached])
    for index, rung in enumerate(new.ladder):
        if not told[rung]:
            return index
        told[rung] -= 1
    return len(new.ladder)


def by_its_pack(pack: Pack, state: KeyState, entry: Entry, data: Mapping[str, Any] | None) -> list[Entry]:
    """What the instance's own pack makes of an entry by a pack that it was moved from.

    ``correlate`` may not have known the new pack yet when it appended the entry. Where it had, the same comes again
    under the same ids, and is passed over.
    """
    instance, event = state.open, entry["event"]
    assert instance is not None
    if data is None:
        return []
    ours = []
    for rule in pack.rules.values():
        try:
            key = placed(pack.workflow, rule, event, data, entry["at"]) if rule.on == event["type"] else None
        except EvaluationError:  # correlate buries the event for this rule as well
            continue
        if key is not None and (key in (state.key, entry["key"]) or entry["kind"] == "forward"):
            ours.append({**entry, "pack": pack.hash, "rule": rule.rule})
    if not ours and event["correlationid"] == instance["instance"]:
        ours.append({**entry, "pack": pack.hash, "rule": None})
    return ours


def applied_under_another_rule(pack: Pack, instance: Instance, entry: Entry) -> bool:
    """Whether the event was applied before the instance moved here, by a rule that its pack does not have."""
    event = entry["event"]
    return any(
        known["offset"] == event["offset"] and (name := known["id"].partition(" "))[0] == event["id"]
        and name[2] and name[2] not in pack.rules
        for known in instance["applied"]
    )  # fmt: skip
