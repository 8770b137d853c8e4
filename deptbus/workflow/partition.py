"""One partition of the journal and the states of its keys: what the worker and the fold both apply entries to.

Pure. ``apply`` is all or nothing: it works on copies, and only when every entry went through do the new states
stand. What it puts out does not depend on how entries are cut into batches, but for the number of snapshots.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deptbus.errors import BusError, RegistryError
from deptbus.ids import derived_id
from deptbus.workflow.advance import Decode, apply_entry
from deptbus.workflow.due import DueItem, due_items, fire, next_deadline
from deptbus.workflow.known import Packs
from deptbus.workflow.notes import dated, entry_order, malformed, malformed_note
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.peers import appended
from deptbus.workflow.regions import overlap
from deptbus.workflow.state import ENGINE, Entry, KeyState, Result, instance_record, key_record, restored

Read = tuple[int, Entry, dict[str, Any] | None]
"""Journal offset, entry, and the decoded body of an event."""

FIRED_MAX = 10_000
"""How much one tick lets happen in one key; what is due beyond waits for the next one."""


class RejectedEntry(BusError):
    """An entry cannot be applied: append a rejection of ``offset`` to the journal and apply again without it."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"the journal entry at offset {offset} cannot be applied: {reason}")
        self.offset = offset
        self.reason = reason


@dataclass(slots=True)
class _Batch:
    """What one ``apply`` has worked out so far."""

    states: dict[str, KeyState] = field(default_factory=dict)
    instances: set[str] = field(default_factory=set)
    """Keys whose open instance changed since its last snapshot."""
    records: set[str] = field(default_factory=set)
    """Keys of which something else changed."""
    outputs: list[Output] = field(default_factory=list)
    held: list[Read] = field(default_factory=list)
    at: int = 0
    step: int | None = None


class Partition:
    """The keys of one journal partition.

    ``stepped`` is exercise time: entries are held until the tick that ends their step, then applied together with
    what falls due in it, in the order of exercise time. ``decode`` reads bodies of entries that had to wait.
    """

    def __init__(self, number: int, *, stepped: bool, decode: Decode) -> None:
        self.number = number
        self.stepped = stepped
        self.applied = -1
        """The journal offset applied last; entries up to it are skipped."""
        self.step: int | None = None
        """The exercise step applied last."""
        self.at = 0
        """The time of the latest tick."""
        self.states: dict[str, KeyState] = {}
        self.packs = Packs()
        self._decode = decode
        self._read = -1
        self._held: list[Read] = []
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    # Restore

    def restore(self, event_type: str, data: dict[str, Any]) -> None:
        """Take in one record of this partition of ``workflow.instances``, in the order of the log."""
        if event_type == "workflow.PartitionAdvanced":
            self.applied, self.step, self.at = data["offset"], data["step"], data["at"]
            self._read = self.applied
        elif event_type == "workflow.PackStored":
            pack = Pack.from_bytes(data["content"])
            self.packs.by_hash[pack.hash] = pack
            if not data["retired"]:
                self.packs.newest[pack.workflow] = pack.hash
            elif self.packs.newest.get(pack.workflow) == pack.hash:
                del self.packs.newest[pack.workflow]
        else:
            name = f"{data['workflow']}/{data['key']}"
            self.states[name] = restored(self.states.get(name), event_type, data)

    def restored(self) -> None:
        """All records were taken in: forget closed instances and build the index of due times."""
        for name, state in self.states.items():
            if state.instance is not None and state.open is None:
                self.states[name] = replace(state, instance=None)
        self._index(self.states)

    # What a worker asks

    @property
    def next_due(self) -> int | None:
        """The earliest time at which a tick would let something happen."""
        heap = self._heap
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    @property
    def held_from(self) -> int | None:
        """The offset of the first entry that is held for its step's tick; it must not be committed yet."""
        return self._held[0][0] if self._held else None

    # Apply

    def apply(self, entries: Sequence[Read], rejected: frozenset[int] = frozenset()) -> list[Output]:
        """Apply consecutive entries; answers what to write in one transaction, empty when there is nothing.

        Raises ``RejectedEntry`` and leaves everything as it was when an entry cannot be applied; ``rejected`` holds
        the offsets that the journal says are to be passed over.
        """
        batch = _Batch(held=[read for read in self._held if read[0] not in rejected], at=self.at, step=self.step)
        last = self._read
        for read in entries:
            if read[0] <= last:
                continue
            last = read[0]
            if last not in rejected:
                self._one(batch, read)
        self._snapshots(batch)
        return self._stand(batch, last)

    def _one(self, batch: _Batch, read: Read) -> None:
        offset, entry, data = read
        entry = dated(entry)
        read = (offset, entry, data)
        kind = entry["kind"]
        if (why := _unfit(entry)) is not None:
            if self.stepped:  # until the tick, for what is held is read again after a crash
                batch.held.append(read)
            else:
                batch.outputs.append(malformed_note(entry, why, offset))
        elif kind == "tick":
            if self.stepped:
                self._step(batch, entry, offset)
            else:
                self._tick(batch, entry, offset)
        elif kind in ("activation", "retirement"):
            self._pack(batch, entry, offset)
        elif kind != "rejection":
            if self.stepped:
                batch.held.append(read)
            else:
                for name in self._concerned(batch, entry):
                    self._entry(batch, name, read, offset)

    def _entry(self, batch: _Batch, name: str, read: Read, offset: int) -> None:
        """``offset`` is what snapshots name: the entry's own, or that of the tick until which it was held."""
        own, entry, data = read
        state = self._state(batch, name)
        if not entry["key"] and not _within(state, entry):
            return
        try:
            result = apply_entry(self.packs, state, entry, data, offset, self._decode)
        except RegistryError:
            raise  # not this entry's fault, and gone when the worker starts again
        except Exception as error:  # a bug: the journal says that it was passed over
            raise RejectedEntry(own, f"{type(error).__name__}: {error}") from error
        self._put(batch, state, result, offset)

    def _tick(self, batch: _Batch, tick: Entry, offset: int) -> None:
        """Actual life: all that is due by now happens, and what that makes due as well."""
        batch.at = max(batch.at, tick["at"])
        for name in self._due_keys(batch, batch.at):
            for _ in range(FIRED_MAX):
                state = self._state(batch, name)
                due = min((item for item in due_items(self.packs, state) if item[0] <= batch.at), default=None)
                if due is None:
                    break
                self._put(batch, state, fire(self.packs, state, due, offset), offset)

    def _step(self, batch: _Batch, tick: Entry, offset: int) -> None:
        """Exercise time: the step's entries and what falls due in it, merged; what it makes due waits for the next."""
        batch.at, batch.step = max(batch.at, tick["at"]), tick["step"]
        held = [_dated_by(tick, read) for read in batch.held if not _made_in(tick, read)]
        early = [read for read in batch.held if _made_in(tick, read)]
        batch.held = []
        unfit = [(offset, entry, why) for offset, entry, _ in held if (why := _unfit(entry)) is not None]
        batch.outputs += [malformed_note(entry, why, offset) for offset, entry, why in unfit]
        held = [read for read in held if read[0] not in {offset for offset, _, _ in unfit}]
        began = len(batch.outputs)
        by_key: dict[str, list[Read]] = {}
        everywhere = [read for read in held if not read[1]["key"]]
        for read in held:
            if read[1]["key"]:
                by_key.setdefault(_name(read[1]), []).append(read)
        for name in self._due_keys(batch, batch.at - 1):
            by_key.setdefault(name, [])
        for read in everywhere:
            for name in {*self._known(batch, read[1]["workflow"]), *by_key}:
                if name.startswith(read[1]["workflow"] + "/"):
                    by_key.setdefault(name, []).append(read)
        for name in sorted(by_key):
            items = [item for item in due_items(self.packs, self._state(batch, name)) if item[0] < batch.at]
            heapq.heapify(items)
            for read in sorted(by_key[name], key=lambda read: entry_order(read[1])):
                self._fire_until(batch, name, items, read[1]["at"], offset)
                self._entry(batch, name, read, offset)
            self._fire_until(batch, name, items, batch.at, offset)
        for output in batch.outputs[began:]:
            if output.elsewhere:
                output.data["entry"]["step"] = tick["step"]
        batch.outputs += [self._put_off(read, offset) for read in early]

    def _put_off(self, read: Read, offset: int) -> Output:
        """Append an entry again, behind the tick: it was made in the step which that ends, and came before it."""
        own, entry, _ = read
        event_id = derived_id(f"{self.number}@{own}", "advance", "workflow.EntryAppended", _name(entry), offset)
        event = entry["event"] or {"id": event_id, "legalbasis": None, "region": None}
        return appended({**entry, "step": None}, event_id, event)._replace(elsewhere=False)

    def _fire_until(self, batch: _Batch, name: str, items: list[DueItem], until: int, offset: int) -> None:
        """Let happen what fell due before ``until``. A task's later deadlines stood before the step as well."""
        while items and items[0][0] < until:
            item = heapq.heappop(items)
            state = self._state(batch, name)
            self._put(batch, state, fire(self.packs, state, item, offset), offset)
            later = next_deadline(self.packs, self._state(batch, name), item)
            if later is not None and later[0] < batch.at:
                heapq.heappush(items, later)

    def _pack(self, batch: _Batch, entry: Entry, offset: int) -> None:
        """A pack comes into or out of force. Done at once: a pack once known stays known."""
        hash_ = entry["pack"]
        retired = entry["kind"] == "retirement"
        if retired:
            pack = self.packs.by_hash.get(hash_)
            if self.packs.newest.get(entry["workflow"]) == hash_:
                del self.packs.newest[entry["workflow"]]
        else:
            pack = Pack.from_bytes(entry["body"])
            self.packs.by_hash[pack.hash] = pack
            self.packs.newest[pack.workflow] = pack.hash
        if pack is None:
            return
        data = {
            "workflow": pack.workflow,
            "version": pack.version,
            "hash": pack.hash,
            "content": pack.to_bytes(),
            "retired": retired,
        }
        event_id = derived_id(pack.hash, "advance", "workflow.PackStored", str(self.number), offset)
        key = f"@pack/{pack.hash}"
        batch.outputs.append(Output("workflow.instances", key, "workflow.PackStored", event_id, entry["at"], data))

    # States

    def _state(self, batch: _Batch, name: str) -> KeyState:
        state = batch.states.get(name) or self.states.get(name)
        if state is None:
            workflow, _, key = name.partition("/")
            state = KeyState(workflow, key)
        return state

    def _put(self, batch: _Batch, before: KeyState, result: Result, offset: int) -> None:
        after, outputs = result
        batch.outputs += outputs
        if after is before:
            return
        name = after.name
        if after.same_key_record(before):
            after = replace(after, offset=before.offset)
        else:
            after = replace(after, offset=offset)
            batch.records.add(name)
        if after.instance is not before.instance:
            batch.instances.add(name)
        if after.instance is not None and after.open is None:  # closed: its last snapshot is due now
            batch.outputs.append(instance_record(after.instance))
            batch.instances.discard(name)
            after = replace(after, instance=None)
        batch.states[name] = after

    def _concerned(self, batch: _Batch, entry: Entry) -> Iterable[str]:
        return [_name(entry)] if entry["key"] else sorted(self._known(batch, entry["workflow"]))

    def _known(self, batch: _Batch, workflow: str) -> set[str]:
        return {name for name in {*self.states, *batch.states} if name.startswith(workflow + "/")}

    def _due_keys(self, batch: _Batch, until: int) -> list[str]:
        due = {name for name, when in self._due.items() if when <= until} | set(batch.states)
        return sorted(due)

    def _snapshots(self, batch: _Batch) -> None:
        for name in sorted(batch.instances | batch.records):
            state = batch.states[name]
            if name in batch.instances and state.instance is not None:
                batch.outputs.append(instance_record(state.instance))
            if name in batch.records:
                batch.outputs.append(key_record(state))

    def _stand(self, batch: _Batch, last: int) -> list[Output]:
        """Let the batch's states be the partition's."""
        self.states.update(batch.states)
        self._held, self.at, self.step = batch.held, batch.at, batch.step
        self._index(batch.states)
        self._read = last
        self.applied = self._held[0][0] - 1 if self._held else last
        if batch.outputs:
            data = {
                "partition": self.number,
                "offset": self.applied,
                "at": self.at,
                "step": self.step,
                "engine": ENGINE,
            }
            event_id = derived_id(f"@partition/{self.number}", "advance", "workflow.PartitionAdvanced", "", last)
            key = f"@partition/{self.number}"
            batch.outputs.append(
                Output("workflow.instances", key, "workflow.PartitionAdvanced", event_id, self.at, data)
            )
        return batch.outputs

    def _index(self, states: dict[str, KeyState]) -> None:
        for name in states:
            due = min((item[0] for item in due_items(self.packs, self.states[name])), default=None)
            if due is None:
                self._due.pop(name, None)
            elif self._due.get(name) != due:
                self._due[name] = due
                heapq.heappush(self._heap, (due, name))


def _dated_by(tick: Entry, read: Read) -> Read:
    """What is dated after the step in which it came counts as of the step's end: nobody answers from the future."""
    offset, entry, data = read
    return read if entry["at"] < tick["at"] else (offset, {**entry, "at": tick["at"] - 1}, data)


def _unfit(entry: Entry) -> str | None:
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


def _made_in(tick: Entry, read: Read) -> bool:
    """Whether an entry was made by another key in the very step that a tick ends, or later."""
    made = read[1]["step"]
    return made is not None and tick["step"] is not None and made >= tick["step"]


def _name(entry: Entry) -> str:
    return f"{entry['workflow']}/{entry['key']}"


def _within(state: KeyState, entry: Entry) -> bool:
    """Whether an event that concerns instances by containment concerns this one."""
    instance = state.open
    if instance is None or not instance["region"] or not entry["event"] or not entry["event"]["region"]:
        return False
    return overlap(instance["region"], entry["event"]["region"])
