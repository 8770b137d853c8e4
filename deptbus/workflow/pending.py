"""The states that a partition has worked out and not let stand yet, with what goes out together with them. Pure."""

from dataclasses import replace

from deptbus.codec import Encode
from deptbus.workflow.draft import Draft
from deptbus.workflow.due import DueItem, due_items, due_running, due_waiting
from deptbus.workflow.dueindex import DueIndex
from deptbus.workflow.known import Packs
from deptbus.workflow.output import Output
from deptbus.workflow.state import KeyState, Result, instance_record, key_record
from deptbus.workflow.states import States


class Pending:
    """On top of the states that stand: nothing of these is altered until ``stand``."""

    def __init__(self, standing: States, packs: Packs, encode: Encode, *, silent: bool) -> None:
        self._standing = standing
        self._packs = packs
        self._encode = encode
        self._silent = silent
        self.begin()

    def begin(self) -> None:
        """What was worked out stands: forget it."""
        self.states: dict[str, KeyState] = {}
        self.outputs: list[Output] = []
        self._instances: set[str] = set()
        """Keys whose open instance changed since its last snapshot."""
        self._records: set[str] = set()
        """Keys of which something else changed."""
        self._index = DueIndex()
        """When something falls due in the keys that have changed, but for those in ``_moved``."""
        self._moved: set[str] = set()
        """Keys that have changed since that was last asked."""
        self._drafts: dict[str, Draft] = {}
        self._items: dict[str, list[DueItem]] = {}
        """All that will fall due, of keys that have not changed since that was asked."""

    def state(self, name: str) -> KeyState:
        """A key as it is now."""
        state = self.states.get(name) or self._standing.find(name)
        if state is None:
            workflow, _, key = name.partition("/")
            state = KeyState(workflow, key)
        return state

    def draft(self, name: str) -> Draft:
        """What is being made of a key's instance."""
        draft = self._drafts.get(name)
        if draft is None:
            draft = self._drafts[name] = Draft(silent=self._silent)
        return draft

    def region(self, name: str) -> str | None:
        """Where the open instance of a key is; None for nowhere, and where none is open."""
        state = self.states.get(name)
        if state is None:
            return self._standing.region(name)
        return None if state.instance is None else state.instance["region"]

    def known(self, workflow: str) -> set[str]:
        """Every key of a workflow."""
        return {name for name in {*self._standing, *self.states} if name.startswith(workflow + "/")}

    def items(self, name: str) -> list[DueItem]:
        """All that will fall due in a key, in no order."""
        items = self._items.get(name)
        if items is None:
            items = self._items[name] = due_items(self._packs, self.state(name))
        return items

    def forget_items(self) -> None:
        """A pack has come or gone: by it something may be due at another time."""
        self._items.clear()

    def due(self, until: int) -> set[str]:
        """Of the keys that have changed those in which something falls due before ``until``."""
        for name in self._moved:
            items = self.items(name)
            self._index.set(name, min(items)[0] if items else None)
        self._moved.clear()
        return set(self._index.before(until))

    def put(self, name: str, before: KeyState, result: Result, offset: int) -> KeyState:
        """Take in what became of a key; ``offset``: what its records name as the journal entry that changed it."""
        after, outputs = result
        self.outputs += outputs
        if after is before:
            return before
        if not after.same_key_record(before):
            after = replace(after, offset=offset)
            self._records.add(name)
        elif after.offset != before.offset:
            after = replace(after, offset=before.offset)
        if after.instance is not before.instance:
            self._instances.add(name)
        instance = after.instance
        if instance is not None and instance["status"] != "open":  # closed: its last snapshot is due now
            instance["due"] = None
            self.outputs.append(instance_record(instance, self._encode))
            self._instances.discard(name)
            after = replace(after, instance=None)
        self.states[name] = after
        self._moved.add(name)
        self._items.pop(name, None)
        return after

    def stand(self, index: DueIndex) -> None:
        """Put out the snapshots of all that changed, and let what was worked out stand, and its due times."""
        for name in sorted(self.states):
            state = self.states[name]
            instance = key = None
            waits = due_waiting(self._packs, state)
            if name in self._instances and state.instance is not None:
                # It was made for this change, and nobody has seen it yet: no copy is needed.
                state.instance["due"] = due_running(self._packs, state)
                self.outputs.append(record := instance_record(state.instance, self._encode))
                instance = record.snapshot
            if name in self._records:
                self.outputs.append(record := key_record(state, waits, self._encode))
                key = record.snapshot
            self._standing.put(name, state, instance, key)
            index.set(name, _first(waits, None if state.instance is None else state.instance["due"]))


def _first(one: int | None, other: int | None) -> int | None:
    """The earlier of two times, where there are two."""
    return other if one is None or (other is not None and other < one) else one
