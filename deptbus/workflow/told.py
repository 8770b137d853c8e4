"""What an instance is told by one of its parts, or by the one that leads it. Pure.

A part asks, splits or is closed; a lead accepts, refuses, has raised its level or is closed. Every ask is answered,
whether or not there is an instance to answer it. What comes twice, crosses an answer on the way, or is meant for
another instance of the key changes nothing: it is answered so that both sides agree again, or recorded.
"""

from typing import Any

from deptbus.ids import derived_id
from deptbus.workflow import merging
from deptbus.workflow.change import Change
from deptbus.workflow.effects import settle
from deptbus.workflow.known import Packs
from deptbus.workflow.notes import TEXT_MAX
from deptbus.workflow.output import Output
from deptbus.workflow.peers import appended, instance_name, new_entry
from deptbus.workflow.state import Entry, KeyState, Result


def told(packs: Packs, state: KeyState, entry: Entry, offset: int) -> Result:
    """What an entry of kind part or lead does to its key."""
    event, said, instance = entry["event"], entry["reason"], state.open
    sender = (event or {}).get("correlationid") or ""
    if instance_name(sender) is None:
        return state, []
    if instance is None or instance["instance"] != entry["target"]:
        return state, [_nobody(state, entry, sender)]
    pack = packs.of(state)
    assert pack is not None
    change = Change(pack, state, max(entry["at"], instance["clock"]), event["id"], offset)
    change.actor, change.basis = event["actor"], event["legalbasis"]
    entry = {**entry, "note": (entry["note"] or "")[:TEXT_MAX]}
    act = (_PART if entry["kind"] == "part" else _LEAD).get(said)
    if act is None or not act(change, entry, sender):
        return state, [_remark(state, entry, sender)]
    settle(change)
    return change.after(), change.outputs


def _ask(change: Change, entry: Entry, part: str) -> bool:
    refusal = merging.why_not_led(change, part)
    if refusal is None:
        merging.lead_on(change, part, entry["note"])
    else:
        change.tell("lead", part, "refuse", note=refusal)
    return True


def _part_left(change: Change, entry: Entry, part: str) -> bool:
    if part not in change.instance["parts"]:
        return False
    (merging.outlive if entry["reason"] == "closed" else merging.let_go)(change, part, entry["note"])
    return True


def _accepted(change: Change, entry: Entry, lead: str) -> bool:
    if change.instance["merging"] == lead:
        merging.come_under(change, lead, entry["event"]["region"], entry["level"], entry["note"])
    elif change.instance["lead"] != lead:
        change.tell("part", lead, "split", note="it did not ask, or not any more")
    else:
        return False
    return True


def _refused(change: Change, entry: Entry, lead: str) -> bool:
    if change.instance["merging"] != lead:
        return False
    change.instance["merging"] = None
    change.timeline("order_void", act="merge", lead=lead, reason=entry["note"])
    return True


def _level_of_lead(change: Change, entry: Entry, lead: str) -> bool:
    if change.instance["lead"] != lead:
        return False
    merging.raise_to(change, entry["level"], f"{lead}, which leads it, is at level {entry['level']}")
    return True


def _lead_closed(change: Change, entry: Entry, lead: str) -> bool:
    if change.instance["lead"] != lead:
        return False
    merging.go_alone(change, f"{lead} is closed: {entry['note']}")
    return True


_PART = {"ask": _ask, "split": _part_left, "closed": _part_left}
_LEAD = {"accept": _accepted, "refuse": _refused, "level": _level_of_lead, "closed": _lead_closed}


def _nobody(state: KeyState, entry: Entry, sender: str) -> Output:
    """Who is meant is not open: refuse to lead, let go of who has agreed to; else it is recorded."""
    said = (entry["kind"], entry["reason"])
    if said == ("part", "ask"):
        return _answer(entry, sender, "lead", "refuse")
    if said == ("lead", "accept"):
        return _answer(entry, sender, "part", "closed")
    return _remark(state, entry, sender)


def _answer(entry: Entry, sender: str, kind: str, said: str) -> Output:
    named = instance_name(sender)
    assert named is not None
    event = entry["event"] | {"correlationid": entry["target"], "region": None}
    note = f"{entry['target']} is not open"
    answer = new_entry(kind, entry["at"], *named, target=sender, reason=said, note=note, event=event)
    event_id = derived_id(event["id"], "advance", "workflow.EntryAppended", f"{said} {sender}", event["offset"])
    return appended(answer, event_id, event)


def _remark(state: KeyState, entry: Entry, sender: str) -> Output:
    """A record that something was told that changes nothing here."""
    event = entry["event"]
    name = entry["target"] or state.name
    data: dict[str, Any] = {
        "instance": name,
        "kind": "unmatched",
        "at": entry["at"],
        "rule": None,
        "task": None,
        "department": None,
        "actor": event["actor"],
        "basis": event["legalbasis"],
        "cause": event["id"],
        "detail": {"told_by": sender, "said": entry["reason"] or ""},
    }
    subject = f"{name} {sender} {entry['reason']}"
    event_id = derived_id(event["id"], "advance", "workflow.TimelineRecorded", subject, event["offset"])
    return Output(
        "workflow.timeline", name, "workflow.TimelineRecorded", event_id, entry["at"], data,
        name, name, event["id"], event["legalbasis"], event["region"],
    )  # fmt: skip
