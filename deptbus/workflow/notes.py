"""Entries as they are told apart, ordered, and recorded where they change no instance."""

from operator import itemgetter
from typing import Any

from deptbus.clock import EARLIEST_MS, LATEST_MS
from deptbus.ids import derived_id
from deptbus.workflow.output import Output
from deptbus.workflow.state import Entry, KeyState

TEXT_MAX = 1_000
"""Texts that events bring into states, tasks and the timeline are cut off, or refused, after so many characters."""

_OF_EVENTS = ("event", "forward", "migration")
_WITH_VALUE = ("event", "forward")
_OF_PACKS = ("migration", "activation", "retirement")
_OF_ONE_KEY = ("forward", "alias", "migration", "part", "lead")
_TEXTS = ("workflow", "key", "pack", "rule", "target")
_EVENT_TEXTS = (
    "id", "type", "source", "subject", "region", "actor", "legalbasis", "causationid", "correlationid", "topic",
)  # fmt: skip
_texts, _event_texts = itemgetter(*_TEXTS), itemgetter(*_EVENT_TEXTS)
_NO_EVENT = dict.fromkeys(("correlationid", "actor", "legalbasis", "region"))


def dated(entry: Entry) -> Entry:
    """The entry, at the nearest time that there is where it names none."""
    at = entry["at"]
    if EARLIEST_MS <= at <= LATEST_MS:
        return entry
    return {**entry, "at": EARLIEST_MS if at < EARLIEST_MS else LATEST_MS}


def malformed(entry: Entry) -> str | None:
    """Why an entry says nothing that could be applied; None where it does."""
    kind, event = entry["kind"], entry["event"]
    if (name := _too_long(_TEXTS, _texts(entry))) is not None:
        return f"its {name} is longer than {TEXT_MAX} characters"
    if kind in _OF_EVENTS and event is None:
        return "it lacks its event"
    if kind in _WITH_VALUE and entry["body"] is None:
        return "it lacks the value of its event"
    if kind in _OF_PACKS and not entry["pack"]:
        return "it names no pack"
    if kind in _OF_ONE_KEY and not entry["key"]:
        return "it names no key"
    if event is not None and (name := _too_long(_EVENT_TEXTS, _event_texts(event))) is not None:
        return f"the {name} of its event is longer than {TEXT_MAX} characters"
    return None


def _too_long(names: tuple[str, ...], texts: tuple[str | None, ...]) -> str | None:
    """The name of the first text that is too long: none where all together are not."""
    if len("".join(filter(None, texts))) <= TEXT_MAX:
        return None
    return next((name for name, text in zip(names, texts, strict=True) if len(text or "") > TEXT_MAX), None)


def seen(applied: Any, entry: Entry) -> tuple[bool, bool]:
    """Whether the event was applied by this rule before, and whether this is the very same record of it."""
    name = applied_id(entry)
    for known in applied:
        if known["id"] == name:
            return True, known["offset"] == entry["event"]["offset"]
    return False, False


def applied_id(entry: Entry) -> str:
    return f"{entry['event']['id']} {entry['rule'] or ''}"


def entry_order(entry: Entry) -> tuple[int, str, str, int]:
    """Entries of one step, and parked ones, are applied in the order of time, then id, then rule.

    What instances tell each other comes before events of its time, each teller's in the order in which it was told.
    """
    event = entry["event"] or {}
    if entry["kind"] in ("part", "lead"):
        return entry["at"], "", event.get("correlationid") or "", event.get("offset", 0)
    return entry["at"], event.get("id", ""), entry["rule"] or "", 0


def note(state: KeyState, entry: Entry, kind: str, offset: int, /, **detail: str) -> Output:
    """A record in the timeline where no instance is changed."""
    event = event_of(state, entry, offset)
    told = f"{state.name} {entry['rule']} {kind}"
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
        "detail": {"event": event["id"], "type": event["type"]}
        | {name: text[:TEXT_MAX] for name, text in detail.items()},
    }
    return Output(
        "workflow.timeline", data["instance"], "workflow.TimelineRecorded",
        derived_id(event["id"], "advance", "workflow.TimelineRecorded", told, event["offset"]),
        entry["at"], data, data["instance"], event["correlationid"], event["id"], event["legalbasis"], event["region"],
    )  # fmt: skip


def malformed_note(entry: Entry, reason: str, offset: int) -> Output:
    """A record of an entry that is for no key; what is too long in it is cut off."""
    whole = {name: text[:TEXT_MAX] if isinstance(text, str) else text for name, text in entry.items()}
    if entry["event"] is not None:
        whole["event"] = {
            name: text[:TEXT_MAX] if isinstance(text, str) else text for name, text in entry["event"].items()
        }
    return note(
        KeyState(whole["workflow"], whole["key"]), whole, "malformed", offset, entry=whole["kind"], reason=reason
    )


def event_of(state: KeyState, entry: Entry, offset: int) -> dict[str, Any]:
    """The event of an entry; of one that has none, what stands for it where it is recorded."""
    if entry["event"] is not None:
        event: dict[str, Any] = entry["event"]
        return event
    return {
        **_NO_EVENT,
        "id": f"{state.name}@{offset}",
        "type": entry["kind"],
        "source": "/bus/advance",
        "offset": offset,
    }
