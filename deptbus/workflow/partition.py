"""One partition of the journal and the states of its keys: what the worker and the fold both apply entries to.

Pure. What it puts out does not depend on how entries are cut into batches, but for the number of snapshots. An entry
that concerns many keys, a tick above all, is applied key by key, in the order of their names, and cut into chunks: each
is written in a transaction of its own, and the record of the partition names the key reached. So neither a transaction
nor what a crash costs grows with what falls due at once, and whoever restores goes on with the next key.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from deptbus.errors import BusError, RegistryError
from deptbus.workflow.advance import apply_entry
from deptbus.workflow.due import DueItem, happen
from deptbus.workflow.dueindex import DueIndex
from deptbus.workflow.known import Packs, pack_record, unfit
from deptbus.workflow.notes import dated, entry_order, malformed_note
from deptbus.workflow.output import Output
from deptbus.workflow.pending import Pending
from deptbus.workflow.regions import overlap
from deptbus.workflow.state import Entry, KeyState, Read, key_name, partition_record
from deptbus.workflow.states import DECODED_MAX, INSTANCE, KEY, Codec, States
from deptbus.workflow.steps import made_in, marked, of_step, put_off
from deptbus.workflow.tally import Tally

Rejected = frozenset[tuple[int, str]]
"""Offset of an entry that is passed over, and for which key (``<workflow>/<key>``)."""

CHUNK_MAX = 5_000
"""An entry that concerns many keys is cut once it has put out so much: outputs, and the tasks in snapshots."""
FRAMING = 5
"""Bytes before a value that name its schema."""


class RejectedEntry(BusError):
    """An entry cannot be applied to a key: append a rejection of both to the journal and apply again without it."""

    def __init__(self, offset: int, key: str, reason: str) -> None:
        super().__init__(f"the journal entry at offset {offset} cannot be applied to {key}: {reason}")
        self.offset = offset
        self.key = key
        self.reason = reason


class _Batch(Pending):
    """What is being worked out of some entries."""

    def __init__(self, partition: "Partition", rejected: Rejected) -> None:
        super().__init__(partition.states, partition.packs, partition.encode, silent=partition.silent)
        self.rejected = rejected
        self.held = list(partition.held)
        self.at, self.step = partition.at, partition.step


Work = Callable[[str], None]
"""Apply the entry under way to the key of a name."""


class Partition:
    """The keys of one journal partition.

    ``stepped`` is exercise time: entries are held until the tick that ends their step, then applied together with
    what falls due in it, in the order of exercise time. ``codec`` reads and writes snapshots, and reads the bodies of
    entries that had to wait. ``tally`` is kept up, where there is one. ``silent``: see ``Draft``; snapshots are put out
    all the same.
    """

    def __init__(
        self,
        number: int,
        *,
        stepped: bool,
        codec: Codec,
        chunk_max: int = CHUNK_MAX,
        decoded_max: int = DECODED_MAX,
        tally: Tally | None = None,
        silent: bool = False,
    ) -> None:
        self.number = number
        self.stepped = stepped
        self.silent = silent
        self.applied = -1
        """The journal offset applied last; entries up to it are skipped."""
        self.step: int | None = None
        """The exercise step applied last."""
        self.at = 0
        """The time of the latest tick."""
        self.reached: tuple[int, str] | None = None
        """The offset of an entry that is applied to some of its keys and not to all, and the last of these keys."""
        self.held: list[Read] = []
        """Entries that wait for their step's tick."""
        self.states = States(codec, decoded_max, tally)
        self.packs = Packs()
        # What stands within an instance is never altered. Who wants no outputs seldom writes a state twice.
        self.encode = codec.encode if silent else codec.keeping(INSTANCE, DECODED_MAX)
        self._codec = codec
        self._types: dict[bytes, str] = {}
        """Event types by the framing of values that the newest schema wrote."""
        self._chunk_max = chunk_max
        self._read = -1
        self._due = DueIndex()

    # Restore

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take in keys and values of this partition of ``workflow.instances``, in the order of the log."""
        types, key_of, instance_of = self._types, self.states.restore_key, self.states.restore_instance
        for key, value in records:
            event_type, renewed = types.get(value[:FRAMING]), value
            if event_type is None:
                event_type, renewed = self._renewed(value)
            if event_type == KEY:
                key_of(key.decode(), renewed)
            elif event_type == INSTANCE:
                instance_of(key.decode(), renewed)
            else:
                self._restore(event_type, self._codec.decode(renewed, event_type))

    def _renewed(self, value: bytes) -> tuple[str, bytes]:
        """The event type of a value, and the value as the newest schema writes it."""
        event_type = self._codec.type_of(value)
        renewed = self._codec.encode(event_type, self._codec.decode(value, event_type))
        if renewed[:FRAMING] == value[:FRAMING]:
            self._types[value[:FRAMING]] = event_type
            return event_type, value
        return event_type, renewed

    def _restore(self, event_type: str, data: dict[str, Any]) -> None:
        if event_type == "workflow.PackStored":
            self.packs.restore(data)
            return
        self.applied, self.step, self.at = data["offset"], data["step"], data["at"]
        self.reached = None if data["entry"] is None else (data["entry"], data["key"])
        self._read = self.applied

    def restored(self) -> None:
        """All records were taken in."""
        self._due = DueIndex(self.states.restored())

    # What a worker asks

    @property
    def next_due(self) -> int | None:
        """The earliest time at which a tick would let something happen."""
        return self._due.earliest

    def under_way(self, last: int) -> bool:
        """Whether an entry up to offset ``last`` is applied to some of its keys and not to all."""
        return self.reached is not None and self.reached[0] <= last

    @property
    def held_from(self) -> int | None:
        """The offset of the first entry that is held for its step's tick; it must not be committed yet."""
        return self.held[0][0] if self.held else None

    @property
    def stands(self) -> tuple[int, str]:
        """The offset of the last entry that is applied to all of its keys, and of the next one the last key done.

        Later ones are greater; the key is empty where no entry is under way.
        """
        return self._read, "" if self.reached is None else self.reached[1]

    # Apply

    def apply(self, entries: Sequence[Read], rejected: Rejected = frozenset()) -> list[Output]:
        """All chunks of consecutive entries at once, for those who need not write them: see ``chunks``."""
        return [output for chunk in self.chunks(entries, rejected) for output in chunk]

    def chunks(self, entries: Sequence[Read], rejected: Rejected = frozenset()) -> Iterator[list[Output]]:
        """Apply consecutive entries; answers what to write, transaction by transaction, empty when there is nothing.

        A chunk stands when it is handed out: with its states, or with none of them where ``RejectedEntry`` is raised,
        because an entry cannot be applied to a key. ``rejected`` is what the journal says is to be passed over. Where
        one goes on with the same entries, after that or from a restored partition, what stands is skipped.
        """
        batch, last = _Batch(self, rejected), self._read
        for offset, entry, data in entries:
            if offset <= last:
                continue
            read = (offset, dated(entry), data)
            names, work = self._plan(batch, read)
            done, weight = self._done(offset), 0
            for name in names:
                if name <= done:
                    continue
                if weight >= self._chunk_max:
                    yield self._stand(batch, last, (offset, done))
                    weight = 0
                before, state = len(batch.outputs), batch.states.get(name)
                work(name)
                weight += len(batch.outputs) - before
                if (after := batch.states.get(name)) is not state:  # what came before decides nothing
                    weight += _tasks(after)
                done = name
            if read[1]["kind"] == "tick":
                self._end(batch, read[1], offset)
            last = offset
        yield self._stand(batch, last, None if self.under_way(last) else self.reached)

    def _done(self, offset: int) -> str:
        """The last key to which an entry is applied; empty where it is not under way."""
        return self.reached[1] if self.reached is not None and self.reached[0] == offset else ""

    def _plan(self, batch: _Batch, read: Read) -> tuple[Iterable[str], Work]:
        """The keys that an entry concerns, in order, and what it does to each."""
        offset, entry, _ = read
        kind = entry["kind"]
        if kind == "tick":
            return self._step(batch, entry, offset) if self.stepped else self._tick(batch, entry, offset)
        of_pack = kind in ("activation", "retirement")
        if kind == "rejection":
            pass
        elif self.stepped and not of_pack:
            batch.held.append(read)
        elif (why := unfit(entry)) is not None:
            if self.stepped:  # until the tick, for what is held is read again after a crash
                batch.held.append(read)
            else:
                batch.outputs.append(malformed_note(entry, why, offset))
        elif of_pack:
            self._pack(batch, entry, offset)
        else:
            names = [key_name(entry)] if entry["key"] else sorted(batch.known(entry["workflow"]))
            return names, lambda name: self._entry(batch, name, read, offset)
        return (), _nothing

    def _entry(self, batch: _Batch, name: str, read: Read, offset: int) -> None:
        """``offset`` is what snapshots name: the entry's own, or that of the tick until which it was held."""
        own, entry, data = read
        if batch.rejected and (own, name) in batch.rejected:
            return
        if not entry["key"] and not _within(batch.region(name), entry):
            return
        state = batch.state(name)
        try:
            result = apply_entry(self.packs, state, entry, data, offset, self._decode, batch.draft(name))
        except RegistryError:
            raise  # not this entry's fault, and gone when the worker starts again
        except Exception as error:  # a bug: the journal says that it was passed over
            raise RejectedEntry(own, name, f"{type(error).__name__}: {error}") from error
        batch.put(name, state, result, offset)

    def _tick(self, batch: _Batch, tick: Entry, offset: int) -> tuple[Iterable[str], Work]:
        """Actual life: all that is due by now happens, and what that makes due as well."""
        until = max(batch.at, tick["at"]) + 1

        def work(name: str) -> None:
            self._happen(batch, name, self._heap(batch, name, until), until, offset, anew=True)

        return sorted(self._due_keys(batch, until)), work

    def _step(self, batch: _Batch, tick: Entry, offset: int) -> tuple[Iterable[str], Work]:
        """Exercise time: the step's entries and what falls due in it, merged; what it makes due waits for the next."""
        until = max(batch.at, tick["at"])
        held: list[tuple[Any, str, Read]] = []
        for read in of_step(tick, batch.held):
            if (why := unfit(read[1])) is None:
                held.append((entry_order(read[1]), key_name(read[1]), read))
            elif not self._done(offset):  # else it stands in an earlier chunk
                batch.outputs.append(malformed_note(read[1], why, read[0]))
        held.sort(key=itemgetter(0))
        due = self._due_keys(batch, until)
        by_key: dict[str, list[Read]] = {name: [] for name in due}
        by_key |= {name: [] for _, name, read in held if read[1]["key"]}
        for _, name, read in held:
            if read[1]["key"]:
                by_key[name].append(read)
                continue
            names = {known for known in by_key if known.startswith(name)}
            names.update(known for known in batch.known(read[1]["workflow"]) if _within(batch.region(known), read[1]))
            for known in names:
                by_key.setdefault(known, []).append(read)

        def work(name: str) -> None:
            began = len(batch.outputs)
            items = self._heap(batch, name, until) if name in due else []
            for read in by_key[name]:
                if items and items[0][0] < read[1]["at"]:
                    self._happen(batch, name, items, read[1]["at"], offset, anew=False)
                self._entry(batch, name, read, offset)
            if items:
                self._happen(batch, name, items, until, offset, anew=False)
            marked(tick, batch.outputs[began:])

        return sorted(by_key), work

    def _end(self, batch: _Batch, tick: Entry, offset: int) -> None:
        """A tick is applied to every key: the step is over, if one was."""
        held, batch.held = batch.held, []
        batch.outputs += [put_off(self.number, own, entry, offset) for own, entry, _ in held if made_in(tick, entry)]
        batch.at, batch.step = max(batch.at, tick["at"]), tick["step"]

    def _heap(self, batch: _Batch, name: str, until: int) -> list[DueItem]:
        items = [item for item in batch.items(name) if item[0] < until]
        heapq.heapify(items)
        return items

    def _happen(self, batch: _Batch, name: str, items: list[DueItem], until: int, offset: int, *, anew: bool) -> None:
        draft, state = batch.draft(name), batch.state(name)
        for result in happen(self.packs, state, items, until, offset, draft, anew=anew):
            state = batch.put(name, state, result, offset)

    def _due_keys(self, batch: _Batch, until: int) -> set[str]:
        """The keys in which something falls due before ``until``; the index knows what stands, the batch the rest."""
        due = batch.due(until)
        due.update(name for name in self._due.before(until) if name not in batch.states)
        return due

    def _pack(self, batch: _Batch, entry: Entry, offset: int) -> None:
        """A pack comes into or out of force. Done at once: a pack once known stays known."""
        pack = self.packs.change(entry)
        if pack is not None:
            batch.forget_items()
            batch.outputs.append(pack_record(pack, self.number, entry, offset))

    # States

    def _stand(self, batch: _Batch, last: int, reached: tuple[int, str] | None) -> list[Output]:
        """Let the batch's states be the partition's, and hand out what goes with them; the batch begins anew."""
        batch.stand(self._due)
        outputs = batch.outputs
        self.held, self.at, self.step = batch.held, batch.at, batch.step
        self._read = last
        self.applied = self.held[0][0] - 1 if self.held else last
        if outputs or reached != self.reached:
            outputs.append(partition_record(self.number, self.applied, self.at, self.step, reached, last))
        self.reached = reached
        batch.begin()
        batch.held = list(self.held)
        return outputs

    def _decode(self, event_type: str, value: bytes) -> dict[str, Any]:
        return self._codec.decode(value, event_type)


def _nothing(name: str) -> None:
    """What an entry that concerns no key does to keys."""


def _tasks(state: KeyState | None) -> int:
    return 0 if state is None or state.instance is None else len(state.instance["tasks"])


def _within(region: str | None, entry: Entry) -> bool:
    """Whether an event that concerns instances by containment concerns those of a region."""
    event = entry["event"]
    if not region or not event or not event["region"]:
        return False
    return overlap(region, event["region"])
