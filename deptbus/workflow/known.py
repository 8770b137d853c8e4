"""The packs that a partition of the journal knows."""

from dataclasses import dataclass, field

from deptbus.workflow.pack import Pack
from deptbus.workflow.state import KeyState


@dataclass(slots=True)
class Packs:
    """The packs known in a partition, by hash, and which of each workflow opens new instances."""

    by_hash: dict[str, Pack] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)

    def of(self, state: KeyState) -> Pack | None:
        """The pack of the key's open instance."""
        instance = state.open
        return None if instance is None else self.by_hash.get(instance["pack"])
