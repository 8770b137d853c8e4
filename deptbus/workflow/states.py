"""The states of a partition's keys: each as its snapshots, of which those touched last are decoded as well. Pure.

A decoded state takes ten times the memory of its snapshots, and most keys of a worker wait for days. So a key is held
as the bytes that stand in the log and decoded when something touches it; a snapshot is the state, hence the bytes of
one that was not touched are those it would be written with again. What touches every key (where is each instance, when
is it due) reads the head of the bytes: ``heads``.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from deptbus.codec import Encode
from deptbus.workflow import heads
from deptbus.workflow.output import Snapshot
from deptbus.workflow.state import KeyState, restored
from deptbus.workflow.tally import Tally

DECODED_MAX = 10_000
"""How much of a partition is held decoded: keys, and what is listed in them; up to 25 MB. Where more keys than that are
touched in turns, each is decoded again when its turn comes: a third of what applying an entry takes."""

INSTANCE = "workflow.InstanceChanged"
KEY = "workflow.KeyChanged"


class Codec(Protocol):
    """Framed values and back, as ``deptbus.codec`` does it."""

    def encode(self, event_type: str, data: Mapping[str, Any]) -> bytes:
        """The framed value."""

    def keeping(self, event_type: str, room: int) -> Encode:
        """As ``encode``, for states of one type that change little by little."""

    def decode(self, value: bytes, event_type: str) -> dict[str, Any]:
        """The data in a framed value."""

    def type_of(self, value: bytes) -> str:
        """The event type of a framed value."""


class States(Mapping[str, KeyState]):
    """See the module. By name: ``<workflow>/<key>``. ``tally`` is kept up, where there is one."""

    def __init__(self, codec: Codec, decoded_max: int, tally: Tally | None = None) -> None:
        self.tally = tally
        self._codec = codec
        self._instances: dict[str, bytes | Snapshot] = {}
        """Of open instances."""
        self._keys: dict[str, bytes | Snapshot] = {}
        self._decoded: dict[str, KeyState] = {}
        """Those touched last, the latest last."""
        self._decoded_max = decoded_max
        self._weight = 0
        self._restoring = _Restoring()

    def __getitem__(self, name: str) -> KeyState:
        state = self.find(name)
        if state is None:
            raise KeyError(name)
        return state

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)  # no instance opens without its key being counted up

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def find(self, name: str) -> KeyState | None:
        """The state of a key, where it is known."""
        state = self._decoded.pop(name, None)
        if state is not None:
            self._decoded[name] = state
            return state
        key = self._keys.get(name)
        if key is None:
            return None
        state = restored(None, KEY, self._codec.decode(_bytes(key), KEY))
        instance = self._instances.get(name)
        if instance is not None:
            state = restored(state, INSTANCE, self._codec.decode(_bytes(instance), INSTANCE))
        self._keep(name, state)
        return state

    def region(self, name: str) -> str | None:
        """Where the key's open instance is; None for nowhere, and where none is open."""
        state = self._decoded.get(name)
        if state is not None:
            return None if state.instance is None else state.instance["region"]
        instance = self._instances.get(name)
        return None if instance is None else heads.region(_bytes(instance))

    def put(self, name: str, state: KeyState, instance: Snapshot | None, key: Snapshot | None) -> None:
        """From now on the state of a key is this; the snapshots are given where they are new."""
        if self.tally is not None:
            self.tally.put(name, state, self._instances.get(name), instance)
            if key is not None:
                self.tally.resized(self._keys.get(name), key)
        if instance is not None:
            self._instances[name] = instance
        elif state.instance is None:
            self._instances.pop(name, None)
        if key is not None:
            self._keys[name] = key
        before = self._decoded.pop(name, None)
        if before is not None:
            self._weight -= _weight(before)
        self._keep(name, state)

    def _keep(self, name: str, state: KeyState) -> None:
        decoded = self._decoded
        decoded[name] = state
        self._weight += _weight(state)
        while self._weight > self._decoded_max and len(decoded) > 1:
            oldest = next(iter(decoded))
            self._weight -= _weight(decoded.pop(oldest))
            for snapshots in (self._instances, self._keys):
                if oldest in snapshots:
                    snapshots[oldest] = _bytes(snapshots[oldest])

    def count(self, most: int) -> None:
        """Count so many of the instances that the tally has not counted."""
        if self.tally is None:
            return
        for name in list(islice(self.tally.uncounted, most)):
            self.tally.count(name, self._codec.decode(_bytes(self._instances[name]), INSTANCE))

    # Restore

    def restore_key(self, name: str, value: bytes) -> None:
        """Take in a key's snapshot, in the order of the log. The newest schema has written it, as below."""
        restoring = self._restoring
        name = restoring.names.setdefault(name, name)
        self._keys[name] = value
        _set(restoring.of_keys, name, heads.due(value, heads.KEY))

    def restore_instance(self, key: str, value: bytes) -> None:
        """Take in an instance's snapshot: ``<workflow>/<key>/<n>``, n from 1."""
        name, _, number = key.rpartition("/")
        restoring = self._restoring
        n = int(number)
        if n < restoring.numbers.get(name, 1):
            return  # compaction may leave an older instance's last snapshot after a newer one's first
        name = restoring.names.setdefault(name, name)
        if n > 1:
            restoring.numbers[name] = n
        if heads.is_open(value):
            self._instances[name] = value
            _set(restoring.of_instances, name, heads.due(value, heads.INSTANCE))
        else:
            self._instances.pop(name, None)
            restoring.of_instances.pop(name, None)

    def restored(self) -> dict[str, int]:
        """All snapshots were taken in: when something falls due first in each key in which something does."""
        restoring, self._restoring = self._restoring, _Restoring()
        dues = restoring.of_instances
        for name in self._instances.keys() - self._keys.keys():  # of a log that somebody has cut into
            del self._instances[name]
            dues.pop(name, None)
        for name, due in restoring.of_keys.items():
            if due < dues.get(name, due + 1):
                dues[name] = due
        if self.tally is not None:
            self.tally.restored(self._instances, self._keys)
        return dues


class _Restoring:
    """What is known of the snapshots taken in so far. Each is looked at once, when it has just been read."""

    __slots__ = ("names", "numbers", "of_instances", "of_keys")

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        """Both snapshots of a key are held by one name: there would be twice as many otherwise."""
        self.numbers: dict[str, int] = {}
        """The newest instance of each key that has had several."""
        self.of_instances: dict[str, int] = {}
        """When something falls due in each key's open instance."""
        self.of_keys: dict[str, int] = {}
        """And when in the key beside it."""


def _set(dues: dict[str, int], name: str, due: int | None) -> None:
    if due is None:
        dues.pop(name, None)
    else:
        dues[name] = due


def _bytes(snapshot: bytes | Snapshot) -> bytes:
    return snapshot if isinstance(snapshot, bytes) else snapshot.value


def _weight(state: KeyState) -> int:
    weight = 1 + len(state.applied) + len(state.parked)
    instance = state.instance
    if instance is not None:
        weight += len(instance["tasks"]) + len(instance["applied"]) + len(instance["early"]) + len(instance["timers"])
    return weight
