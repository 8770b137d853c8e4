"""What a correlation key remembers: its number of instances, its open instance, what it has applied, what waits.

The instance and its tasks are plain dicts in the shape of ``workflow.InstanceChanged``, so that a snapshot is
the state and a restored snapshot is the state again, byte for byte.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from deptbus.codec import Encode
from deptbus.ids import derived_id
from deptbus.workflow.output import Output, Snapshot

if TYPE_CHECKING:
    from deptbus.workflow.applied import Applied

ENGINE = 2
"""Version of the rules of ``advance``: raised when the same journal would give another state."""

ENDED_MAX = 32
"""How many ids of tasks that are over an instance remembers."""

Entry = dict[str, Any]
"""A ``common.JournalEntry``."""

Read = tuple[int, Entry, dict[str, Any] | None]
"""Journal offset, entry, and the decoded body of an event."""

Instance = dict[str, Any]
Task = dict[str, Any]


@dataclass(slots=True)  # not frozen: that costs more than all else about making one
class KeyState:
    """One correlation key, never altered. ``instance`` is the open one, or the one that has just closed, or None."""

    workflow: str
    key: str
    n: int = 0
    alias_of: str | None = None
    clock: int = 0
    closed_at: int | None = None
    applied: tuple[dict[str, Any], ...] = ()
    """Ids applied while no instance is open; an open instance keeps its own."""
    parked: tuple[Entry, ...] = ()
    instance: Instance | None = field(default=None, repr=False)
    offset: int = -1
    """The journal offset that last changed anything of this but the instance, which names its own."""
    index: "Applied | None" = field(default=None, compare=False, repr=False)
    """Of what the open instance has applied, where one was made: see there."""

    @property
    def name(self) -> str:
        """``<workflow>/<key>``, the key of its records."""
        return f"{self.workflow}/{self.key}"

    @property
    def open(self) -> Instance | None:
        """The instance, when it is open."""
        instance = self.instance
        return instance if instance is not None and instance["status"] == "open" else None

    def same_key_record(self, other: "KeyState") -> bool:
        """Whether both would write the same ``workflow.KeyChanged``, its offset aside."""
        return (
            self.n == other.n
            and self.alias_of == other.alias_of
            and self.closed_at == other.closed_at
            and self.applied == other.applied
            and self.parked == other.parked
            and self.clock == other.clock
        )


def key_name(entry: Entry) -> str:
    """``<workflow>/<key>`` of the key that an entry is for."""
    return f"{entry['workflow']}/{entry['key']}"


def instance_record(instance: Instance, encode: Encode) -> Output:
    """The snapshot of an instance, for ``workflow.instances``."""
    name, event_type = instance["instance"], "workflow.InstanceChanged"
    return Output(
        topic="workflow.instances",
        key=name,
        type=event_type,
        id=derived_id(name, "advance", event_type, "", instance["offset"]),
        time_ms=instance["clock"],
        data=instance,
        subject=name,
        correlationid=name,
        causationid=instance["cause"],
        region=instance["region"],
        snapshot=Snapshot(event_type, instance, encode),
    )


def key_record(state: KeyState, due: int | None, encode: Encode) -> Output:
    """What a key remembers besides its open instance, for ``workflow.instances``; ``due``: of what waits."""
    event_type = "workflow.KeyChanged"
    data = {
        "due": due,
        "workflow": state.workflow,
        "key": state.key,
        "n": state.n,
        "alias_of": state.alias_of,
        "clock": state.clock,
        "closed_at": state.closed_at,
        "applied": list(state.applied),
        "parked": list(state.parked),
        "offset": state.offset,
    }
    return Output(
        topic="workflow.instances",
        key=state.name,
        type=event_type,
        id=derived_id(state.name, "advance", event_type, "", state.offset),
        time_ms=state.clock,
        data=data,
        subject=state.name,
        snapshot=Snapshot(event_type, data, encode),
    )


def partition_record(
    number: int, offset: int, at: int, step: int | None, reached: tuple[int, str] | None, last: int
) -> Output:
    """How far a partition is applied, for ``workflow.instances``; ``last`` is the journal offset read last."""
    key = f"@partition/{number}"
    entry, name = reached or (None, None)
    data = {
        "partition": number,
        "offset": offset,
        "at": at,
        "step": step,
        "engine": ENGINE,
        "entry": entry,
        "key": name,
    }
    event_id = derived_id(key, "advance", "workflow.PartitionAdvanced", name or "", last)
    return Output("workflow.instances", key, "workflow.PartitionAdvanced", event_id, at, data)


def restored(state: KeyState | None, event_type: str, data: dict[str, Any]) -> KeyState:
    """The state with what one more of its snapshots says."""
    state = state or KeyState(data["workflow"], data["key"])
    if event_type == "workflow.KeyChanged":
        return replace(
            state,
            n=data["n"],
            alias_of=data["alias_of"],
            clock=data["clock"],
            closed_at=data["closed_at"],
            applied=tuple(data["applied"]),
            parked=tuple(data["parked"]),
            offset=data["offset"],
        )
    return replace(state, instance=data)


Result = tuple[KeyState, list[Output]]
"""The state that follows, and what is put out; the very same state where nothing changes."""
