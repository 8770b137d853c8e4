"""Entries as they are told apart, ordered, and recorded where they change no instance."""

from typing import Any

from deptbus.ids import derived_id
from deptbus.workflow.output import Output
from deptbus.workflow.state import Entry, KeyState


def seen(applied: Any, entry: Entry) -> tuple[bool, bool]:
    """Whether the event was applied by this rule before, and whether this is the very same record of it."""
    name = applied_id(entry)
    for known in applied:
        if known["id"] == name:
            return True, known["offset"] == entry["event"]["offset"]
    return False, False


def applied_id(entry: Entry) -> str:
    return f"{entry['event']['id']} {entry['rule'] or ''}"


def entry_order(entry: Entry) -> tuple[int, str, str]:
    """Entries of one step, and parked ones, are applied in the order of time, then id, then rule."""
    event = entry["event"] or {}
    return entry["at"], event.get("id", ""), entry["rule"] or ""


def note(state: KeyState, entry: Entry, kind: str, offset: int, **detail: str) -> Output:
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
