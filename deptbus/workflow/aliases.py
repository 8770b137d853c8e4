"""Keys that are other names of keys: an entry that comes under such a name is sent on to the key that it means."""

from dataclasses import replace

from deptbus.ids import derived_id
from deptbus.workflow.notes import event_of, note
from deptbus.workflow.output import Output
from deptbus.workflow.peers import appended
from deptbus.workflow.state import Entry, KeyState, Result

FORWARDS_MAX = 8
"""An entry that was sent on so often goes round in a circle of names, which is cut where that is noticed."""


def alias(state: KeyState, entry: Entry, offset: int) -> Result:
    """The key becomes another name of ``target``; what waited here is sent on."""
    target = entry["target"]
    if state.alias_of == target:
        return state, []
    why = None
    if not target or target == state.key:
        why = "a key cannot be another name of nothing or of itself"
    elif state.open is not None:
        why = "an instance is open here"
    elif state.alias_of is not None:
        why = f"it is another name of {state.alias_of} already"
    if why is not None:
        return state, [note(state, entry, "alias_void", offset, target=target or "", reason=why)]
    named = replace(state, alias_of=target, parked=(), clock=max(state.clock, entry["at"]), offset=offset)
    return named, [_onward(named, parked, offset) for parked in state.parked]


def forward(state: KeyState, entry: Entry, offset: int) -> Result:
    """Send an entry on to the key that this one is another name of; two names of each other are none."""
    if entry["hops"] < FORWARDS_MAX:
        return state, [_onward(state, entry, offset)]
    reason = f"an entry was sent on {FORWARDS_MAX} times"
    cut = replace(state, alias_of=None, clock=max(state.clock, entry["at"]), offset=offset)
    return cut, [note(state, entry, "alias_void", offset, target=state.alias_of or "", reason=reason)]


def _onward(state: KeyState, entry: Entry, offset: int) -> Output:
    onward = {
        **entry,
        "kind": "forward",
        "key": state.alias_of,
        "hops": max(0, entry["hops"]) + 1,
        "reason": f"{state.key} is {state.alias_of}",
    }
    event = event_of(state, entry, offset)
    told = f"{state.name} {entry['rule']}"
    return appended(onward, derived_id(event["id"], "advance", "workflow.EntryAppended", told, offset), event)
