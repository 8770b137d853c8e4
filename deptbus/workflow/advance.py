"""``advance``: (packs, state of a key, entry) → (state', outputs). A function: no clock, no chance, no look-ups (I3).

Here an entry meets its key: it opens an instance, joins the open one, waits for one, or is recorded as late,
duplicate or unmatched. ``effects`` says what it does there, ``due`` what happens when time has come.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from deptbus.clock import iso
from deptbus.errors import CodecError
from deptbus.workflow.aliases import alias, forward
from deptbus.workflow.change import Change
from deptbus.workflow.command import take_command
from deptbus.workflow.draft import Draft
from deptbus.workflow.effects import effects, settle
from deptbus.workflow.known import Packs
from deptbus.workflow.migration import applied_under_another_rule, by_its_pack, migrate
from deptbus.workflow.notes import applied_id, entry_order, note, seen
from deptbus.workflow.pack import CompiledRule, Pack
from deptbus.workflow.state import Entry, Instance, KeyState, Result
from deptbus.workflow.told import told

PARKED_BYTES_MAX = 2_000_000
"""How much may wait at one key, in bytes of values: a key's record must fit into its topic."""

Data = Mapping[str, Any] | None
Decode = Callable[[str, bytes], dict[str, Any]]
"""Event type and framed value to the event's data."""


def apply_entry(
    packs: Packs,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    decode: Decode,
    draft: Draft | None = None,
    not_before: int = 0,
) -> Result:
    """What an entry of kind event, forward, alias, migration, part or lead does to its key.

    ``draft``: what of the state may be altered; by default nothing. ``not_before``: when what has waited can join;
    deadlines run from then.
    """
    kind, by = entry["kind"], entry["pack"]
    if kind == "alias":
        return alias(state, entry, offset)
    if kind == "migration":
        return migrate(packs, state, entry, offset)
    if kind in ("part", "lead"):
        return told(packs, state, entry, offset)
    if state.alias_of is not None:
        return forward(state, entry, offset)
    draft = draft or Draft()
    pack = packs.by_hash.get(by) if by else packs.of(state)
    rule = pack.rules.get(entry["rule"]) if pack is not None and entry["rule"] else None
    instance = state.open
    if instance is not None and by in instance["moved_from"]:
        return _rejoin(packs, state, entry, data, offset, decode, draft, not_before)
    if instance is not None and pack is not None and instance["pack"] == pack.hash:
        if instance["moved_from"] and applied_under_another_rule(pack, instance, entry):
            return state, []
        return _join(pack, state, entry, data, offset, rule, max(entry["at"], not_before), draft)
    if instance is not None or (by and packs.newest.get(state.workflow) != by):
        return state, []  # an entry by a pack that is not the instance's: its own pack has one too, or none
    opens = kind != "forward" and (rule.opens if rule else _orders_opening(pack, entry, data))
    if pack is not None and opens:
        return _open(packs, pack, state, entry, data, offset, rule, decode, draft)
    return _without_instance(state, entry, offset, rule)


def _orders_opening(pack: Pack | None, entry: Entry, data: Data) -> bool:
    return (
        pack is not None
        and data is not None
        and entry["event"]["type"] == pack.directives
        and data.get("act") == "open"
    )


def _open(
    packs: Packs,
    pack: Pack,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    rule: CompiledRule | None,
    decode: Decode,
    draft: Draft,
) -> Result:
    known, same = seen(state.applied, entry)
    if known:
        return (state, []) if same else (state, [note(state, entry, "duplicate", offset)])
    if state.closed_at is not None and entry["at"] < state.closed_at:
        return state, [note(state, entry, "late", offset, closed_at=iso(state.closed_at))]
    change = _change(pack, state, entry, data, offset, draft)
    region = entry["event"]["region"]
    if rule is not None and rule.region is not None:
        region = change.text(rule.region) or region
    change.open(region)
    change.rule = rule.rule if rule else "directive"
    change.basis = rule.basis if rule else entry["event"]["legalbasis"]
    take_command(change, "opened")
    change.trigger("opened", "")
    effects(change, entry, rule)
    settle(change)
    after, outputs = change.after(), change.outputs
    waiting, after = after.parked, replace(after, parked=())
    for parked in sorted(waiting, key=entry_order):
        after, more = _let_in(packs, pack, after, parked, offset, decode, draft, entry["at"])
        outputs = outputs + more
    return after, outputs


def _let_in(
    packs: Packs, pack: Pack, state: KeyState, waited: Entry, offset: int, decode: Decode, draft: Draft, not_before: int
) -> Result:
    """What waited joins, or is recorded."""
    try:
        data = decode(waited["event"]["type"], waited["body"])
    except CodecError as error:
        return state, [note(state, waited, "unmatched", offset, reason=f"its value cannot be read: {error.reason}")]
    if waited["pack"] == pack.hash:
        return apply_entry(packs, state, waited, data, offset, decode, draft, not_before)
    after, outputs = _rejoin(
        packs, state, waited, data, offset, decode, draft, not_before
    )  # an older version let it wait
    if after is state and not outputs:
        outputs = [note(state, waited, "unmatched", offset, reason=f"version {pack.version} has no rule for it")]
    return after, outputs


def _rejoin(
    packs: Packs,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    decode: Decode,
    draft: Draft,
    not_before: int,
) -> Result:
    """An entry by another version of the workflow: what the instance's own pack makes of its event joins."""
    pack, outputs = packs.of(state), []
    for ours in by_its_pack(pack, state, entry, data) if pack is not None else ():
        state, more = apply_entry(packs, state, ours, data, offset, decode, draft, not_before)
        outputs += more
    return state, outputs


def _join(
    pack: Pack,
    state: KeyState,
    entry: Entry,
    data: Data,
    offset: int,
    rule: CompiledRule | None,
    at: int,
    draft: Draft,
) -> Result:
    change = _change(pack, state, entry, data, offset, draft)
    instance = change.instance
    known, same = draft.applied.seen(entry)
    if same:
        return state, []  # correlate appended it again after a crash
    change.at = at
    if rule is not None:
        change.rule, change.basis = rule.rule, rule.basis
    window = rule.window_ms if rule else 0
    if known:
        change.count("duplicates")
        change.timeline("duplicate", event=entry["event"]["id"])
    elif rule is not None and at < instance["clock"] - window:
        change.count("late")
        change.timeline("late", event=entry["event"]["id"], window_ms=str(window), event_at=iso(at))
    elif names_another(entry, instance):
        change.count("late")
        change.timeline("late", event=entry["event"]["id"], names=str(entry["event"]["correlationid"]))
    else:
        if rule is not None:
            event, out_of_order = entry["event"], "true" if at < instance["clock"] else "false"
            change.timeline("joined", event=event["id"], type=event["type"], out_of_order=out_of_order)
        effects(change, entry, rule)
        settle(change)
    return change.after(), change.outputs


def names_another(entry: Entry, instance: Instance) -> bool:
    """Whether an event names another instance of the key than this one."""
    named = entry["event"]["correlationid"]
    if named is None or named == instance["instance"] or not named.startswith(f"{entry['workflow']}/{entry['key']}/"):
        return False
    return str(named.rsplit("/", 1)[-1]) != str(instance["n"])


def _without_instance(state: KeyState, entry: Entry, offset: int, rule: CompiledRule | None) -> Result:
    """No instance is open, and the entry opens none: it waits, or is recorded."""
    known, same = seen(state.applied, entry)
    if same:
        return state, []
    if known:
        return state, [note(state, entry, "duplicate", offset)]
    if state.closed_at is not None and (rule is None or entry["at"] <= state.closed_at):
        return state, [note(state, entry, "late", offset, closed_at=iso(state.closed_at))]
    if rule is None or rule.park_max == 0:
        return state, [note(state, entry, "unmatched", offset)]
    if any(applied_id(parked) == applied_id(entry) for parked in state.parked):
        return state, []
    parked = (*state.parked, entry)
    outputs = [note(state, entry, "parked", offset)]
    while len(parked) > rule.park_max or sum(len(waiting["body"]) for waiting in parked) > PARKED_BYTES_MAX:
        outputs.append(note(state, parked[0], "unmatched", offset, reason="more wait than may"))
        parked = parked[1:]
    return replace(state, parked=parked, clock=max(state.clock, entry["at"])), outputs


def _change(pack: Pack, state: KeyState, entry: Entry, data: Data, offset: int, draft: Draft) -> Change:
    event = entry["event"]
    change = Change(pack, state, entry["at"], event["id"], offset, draft)
    change.event = data
    change.event_region = event["region"]
    change.actor = event["actor"]
    change.basis = event["legalbasis"]
    return change
