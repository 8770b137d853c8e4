"""The states that a partition has worked out and not let stand yet, with what goes out together with them. Pure."""

from dataclasses import replace

from deptbus.workflow.output import Output
from deptbus.workflow.state import KeyState, Result, instance_record, key_record


class Pending:
    """On top of the states that stand: nothing of these is altered until ``states`` take their place."""

    def __init__(self, standing: dict[str, KeyState]) -> None:
        self._standing = standing
        self.begin()

    def begin(self) -> None:
        """What was worked out stands: forget it."""
        self.states: dict[str, KeyState] = {}
        self.outputs: list[Output] = []
        self._instances: set[str] = set()
        """Keys whose open instance changed since its last snapshot."""
        self._records: set[str] = set()
        """Keys of which something else changed."""

    def state(self, name: str) -> KeyState:
        """A key as it is now."""
        state = self.states.get(name) or self._standing.get(name)
        if state is None:
            workflow, _, key = name.partition("/")
            state = KeyState(workflow, key)
        return state

    def known(self, workflow: str) -> set[str]:
        """Every key of a workflow."""
        return {name for name in {*self._standing, *self.states} if name.startswith(workflow + "/")}

    def put(self, before: KeyState, result: Result, offset: int) -> None:
        """Take in what became of a key; ``offset``: what its records name as the journal entry that changed it."""
        after, outputs = result
        self.outputs += outputs
        if after is before:
            return
        name = after.name
        if after.same_key_record(before):
            after = replace(after, offset=before.offset)
        else:
            after = replace(after, offset=offset)
            self._records.add(name)
        if after.instance is not before.instance:
            self._instances.add(name)
        if after.instance is not None and after.open is None:  # closed: its last snapshot is due now
            self.outputs.append(instance_record(after.instance))
            self._instances.discard(name)
            after = replace(after, instance=None)
        self.states[name] = after

    def snapshots(self) -> None:
        """Put out the records of all that changed."""
        for name in sorted(self._instances | self._records):
            state = self.states[name]
            if name in self._instances and state.instance is not None:
                self.outputs.append(instance_record(state.instance))
            if name in self._records:
                self.outputs.append(key_record(state))
