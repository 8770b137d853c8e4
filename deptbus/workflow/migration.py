"""An open instance moves to another pack of its workflow, by an order that the journal holds. Pure."""

from deptbus.workflow.change import Change, initial
from deptbus.workflow.effects import settle
from deptbus.workflow.known import Packs
from deptbus.workflow.state import Entry, KeyState, Result


def migrate(packs: Packs, state: KeyState, entry: Entry, offset: int) -> Result:
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
