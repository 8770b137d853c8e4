"""The packs that a partition of the journal knows."""

from dataclasses import dataclass, field
from typing import Any

from deptbus.errors import BusError
from deptbus.ids import derived_id
from deptbus.workflow.notes import malformed
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry, KeyState


@dataclass(slots=True)
class Packs:
    """The packs known in a partition, by hash, and which of each workflow opens new instances."""

    by_hash: dict[str, Pack] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)

    def of(self, state: KeyState) -> Pack | None:
        """The pack of the key's open instance."""
        instance = state.open
        return None if instance is None else self.by_hash.get(instance["pack"])

    def restore(self, data: dict[str, Any]) -> None:
        """Take in a ``workflow.PackStored``."""
        self._take(Pack.from_bytes(data["content"]), retired=data["retired"])

    def change(self, entry: Entry) -> Pack | None:
        """A pack comes into force, or goes out of it; None for one that is not known. ``DefinitionError``."""
        retired = entry["kind"] == "retirement"
        pack = self.by_hash.get(entry["pack"]) if retired else Pack.from_bytes(entry["body"])
        if pack is not None:
            self._take(pack, retired=retired)
        return pack

    def _take(self, pack: Pack, *, retired: bool) -> None:
        self.by_hash[pack.hash] = pack
        if not retired:
            self.newest[pack.workflow] = pack.hash
        elif self.newest.get(pack.workflow) == pack.hash:
            del self.newest[pack.workflow]


def unfit(entry: Entry) -> str | None:
    """Why an entry cannot be applied to anything; None where it can."""
    if entry["kind"] in ("tick", "rejection"):
        return None
    why = malformed(entry)
    if why is None and entry["kind"] == "activation":
        try:
            Pack.from_bytes(entry["body"])
        except Exception as error:  # whatever a pack that nobody has checked makes its compiler raise
            return f"it holds no pack: {error if isinstance(error, BusError) else type(error).__name__}"
    return why


def pack_record(pack: Pack, partition: int, entry: Entry, offset: int) -> Output:
    """What a partition remembers of a pack, for ``workflow.instances``."""
    data = {
        "workflow": pack.workflow,
        "version": pack.version,
        "hash": pack.hash,
        "content": pack.to_bytes(),
        "retired": entry["kind"] == "retirement",
    }
    event_id = derived_id(pack.hash, "advance", "workflow.PackStored", str(partition), offset)
    return Output("workflow.instances", f"@pack/{pack.hash}", "workflow.PackStored", event_id, entry["at"], data)
