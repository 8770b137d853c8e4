"""The owner of one journal partition: its states, its transactions. Blocking, used from one thread at a time.

A batch is consecutive entries: fold, send the outputs and snapshots, commit; only then is its end told, for the
input offsets to follow (I4). An entry that concerns very many keys takes several transactions, one for each chunk;
whoever calls may do something else between them. After anything unclear the producer is closed and made anew, the
states are restored from the log, and what the log does not show as applied is applied again.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import structlog

from deptbus.allocator import give_back
from deptbus.errors import ClusterUnreachable, CodecError, LetterUnwritten, TransactionUnclear
from deptbus.failpoint import armed, hit
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_newest, read_pairs, read_partition
from deptbus.kafka.ends import end_offsets
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Measure
from deptbus.outcome import Pending
from deptbus.record import Record
from deptbus.streams.wiring import APPENDED, EVENTS, INSTANCES, JOURNAL, TASKS, Wiring
from deptbus.streams.writer import Writer
from deptbus.workflow.output import Output
from deptbus.workflow.partition import Partition, RejectedEntry
from deptbus.workflow.state import Read
from deptbus.workflow.tally import Tally

RECOVERY_S = 120.0
"""A partition whose transactions stay unclear for so long ends the process."""
RECOVERY_PAUSE_S = 0.5
"""Between two attempts at a broker that does not answer."""
REQUESTED = "workflow.TaskRequested"

_log = structlog.get_logger("deptbus.streams.owner")


Computed = Callable[[], None]
"""Told when a transaction is worked out and what is left is to wait for the broker."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one batch came to."""

    offset: int
    """Everything in the journal partition before it is done with."""
    next_due: int | None
    at: int
    """The time of the latest tick applied."""
    more: bool = False
    """Whether an entry is under way: ``proceed``."""


def _nothing() -> None:
    """Nobody waits to be told."""


class Owner:
    """See the module. ``open`` before anything else; an ``Owner`` that raised is of no further use."""

    def __init__(self, wiring: Wiring, number: int) -> None:
        self.number = number
        self._wiring = wiring
        self._settings = wiring.settings
        self._reading = reader_configuration(wiring.settings)
        self._journal = f"{JOURNAL}/{number}"
        self._log = _log.bind(partition=number, worker=wiring.worker)
        self._writer = Writer(wiring, number)
        self._committed = PROCESS.count(names.TRANSACTIONS, "committed")
        self.restored = 0.0
        """Which share of the states is read."""
        self._partition = self._new_partition()
        self._seen = -1
        """The last journal offset that was taken in."""
        self._last = -1
        """The last journal offset of the batch under way."""
        self._reads: list[Read] = []
        """What could be decoded of the batch under way."""
        self._chunks: Iterator[list[Output]] = iter(())
        self._rejected: list[RejectedEntry] = []
        """What is passed over in the batch under way."""
        self._asked = 0
        """Tasks asked for in the batch under way."""
        self._more = False
        """Whether the batch under way has more chunks."""

    def open(self, delivered: int = 0) -> Done:
        """Fence older owners, restore the states; reports where exercises want it.

        ``delivered``: no entry before this offset will be handed to ``process``. Those of them that the log does not
        show as applied are applied here. Raises ``TransactionUnclear``, ``ClusterUnreachable``, and
        ``LetterUnwritten`` as ``process``: it may be called again.
        """
        return self._patiently(lambda: self._open(delivered), delivered - 1)

    def _open(self, delivered: int) -> Done:
        began = time.monotonic()
        mended = self._writer.open()
        if mended.freed or mended.again:
            self._log.warning("freed", partitions=mended.freed, written_again=mended.again)
        records = self._restore()
        self._seen, self._more = self._partition.applied, False
        if self._wiring.stepped:
            self._writer.ends = {} if self._partition.step is None else self._ends()
            self._report(0)
        self._log.info(
            "restored", offset=self._partition.applied, records=records,
            keys=len(self._partition.states), ms=round((time.monotonic() - began) * 1000),
        )  # fmt: skip
        self._catch_up(delivered)
        return self._done()

    def _catch_up(self, end: int) -> None:
        if end <= self._seen + 1:
            return
        journal = self._wiring.world.physical(JOURNAL)
        records = read_partition(self._reading, journal, self.number, self._seen + 1, end)
        while batch := list(islice(records, self._settings.batch_max)):
            self._log.info("caught_up", offset=batch[-1].offset, records=len(batch))
            self._advance(batch)

    def close(self) -> None:
        """Let go of the producer; an open transaction is ended by the next owner's ``open``."""
        self._writer.close()

    def measures(self) -> Iterator[Measure]:
        """What the partition holds; from any thread."""
        partition, number = self._partition, (str(self.number),)
        tally = partition.states.tally
        if tally is None:
            return
        yield Measure(names.RESTORE, number, self.restored)
        yield Measure(names.KEYS, number, len(partition.states))
        yield Measure(names.STATE, number, tally.bytes)
        yield Measure(names.UNCOUNTED, (), len(tally.uncounted))
        for workflow, count in tally.instances.copy().items():
            yield Measure(names.INSTANCES, (workflow,), count)
            yield Measure(names.TASKS, (workflow,), tally.tasks.get(workflow, 0))
            yield Measure(names.OVERDUE, (workflow,), tally.overdue.get(workflow, 0))

    @property
    def uncounted(self) -> bool:
        """Whether there are restored instances that nobody has counted."""
        tally = self._partition.states.tally
        return tally is not None and bool(tally.uncounted)

    def count(self, most: int) -> None:
        """Count so many of these."""
        self._partition.states.count(most)

    def process(self, records: Sequence[Record], computed: Computed = _nothing) -> Done:
        """Apply a batch, or its first chunk.

        Raises ``TransactionFenced`` when the partition has another owner, and ``LetterUnwritten``, before anything is
        done, when an entry's dead letter cannot be written: the same batch is to be given again.
        """
        fresh = [record for record in records if record.offset > self._seen]
        if not fresh:
            return self._done()
        hit("after-poll")
        self._last = fresh[-1].offset
        return self._settled(lambda: self._begin(fresh, computed))

    def proceed(self, computed: Computed = _nothing) -> Done:
        """Apply the next chunk of the entry under way; raises as ``process``."""
        return self._settled(lambda: self._next(computed))

    def _settled(self, work: Callable[[], Done]) -> Done:
        last = self._last
        try:
            return work()
        except TransactionUnclear as error:
            self._log.warning("unclear", offset=last, error=str(error))
            PROCESS.count(names.TRANSACTIONS, "unclear").value += 1
        return self._recover(last)

    def _recover(self, last: int) -> Done:
        """Start from what the log shows, and apply the journal up to ``last`` again."""
        return self._patiently(lambda: self._open(last + 1), last)

    def _patiently(self, work: Callable[[], Done], last: int) -> Done:
        """Work; again while the broker is away."""
        limit = time.monotonic() + RECOVERY_S
        while True:
            try:
                return work()
            except (TransactionUnclear, ClusterUnreachable) as error:
                if time.monotonic() > limit:
                    raise
                self._log.warning("recovering", offset=last, error=str(error))
                time.sleep(RECOVERY_PAUSE_S)  # nothing wakes us when it is back

    def _advance(self, records: Sequence[Record]) -> Done:
        """Apply all chunks of a batch."""
        self._last = records[-1].offset
        done = self._begin(records)
        while done.more:
            done = self._next()
        return done

    def _begin(self, records: Sequence[Record], computed: Computed = _nothing) -> Done:
        self._reads, letters = self._decoded(records)
        for offset, reason in self._wiring.unwritten((), letters).items() if letters else ():
            raise LetterUnwritten(offset, reason)
        self._rejected, self._asked = [], 0
        self._chunks = self._partition.chunks(self._reads)
        return self._next(computed)

    def _next(self, computed: Computed = _nothing) -> Done:
        """Apply and commit the next chunk."""
        outputs, rejections = self._apply()
        hit("after-outputs")
        if outputs or rejections:
            self._writer.write(outputs, rejections, self._partition.at, self._partition.stands)
            computed()
            self._writer.commit()
            self._committed.value += 1
            if self._partition.states.tally is not None:
                self._partition.states.tally.written()
        self._writer.traces.committed()
        self._asked += sum(output.type == REQUESTED for output in outputs)
        self._more = self._partition.under_way(self._last)
        if not self._more:
            self._seen = self._last
            if self._wiring.stepped and any(read[1]["kind"] == "tick" for read in self._reads):
                self._report(self._asked)
        return self._done()

    def _decoded(self, records: Sequence[Record]) -> tuple[list[Read], dict[int, Pending]]:
        """The entries, and by offsets the dead letters of what cannot be decoded, which the fold passes over, too."""
        reads: list[Read] = []
        letters: dict[int, Pending] = {}
        self._writer.traces.begin(held=bool(self._partition.held))
        for record in records:
            try:
                entry = self._wiring.decode(record.value, APPENDED)["entry"]
                body = None
                if entry["event"] is not None:
                    self._writer.traces.add(entry["event"]["id"], record)
                    if entry["body"] is not None:
                        body = self._wiring.decode(entry["body"], entry["event"]["type"])
                reads.append((record.offset, entry, body))
            except CodecError as error:
                self._log.error("undecodable", offset=record.offset, reason=error.reason, error=str(error))
                letters[record.offset] = self._wiring.letters.send(record, error.reason, str(error), 1)
        self._writer.traces.read()
        return reads, letters

    def _apply(self) -> tuple[list[Output], list[RejectedEntry]]:
        """The next chunk, and what had to be passed over in it."""
        before = len(self._rejected)
        while True:
            try:
                return next(self._chunks), self._rejected[before:]
            except RejectedEntry as rejection:
                self._log.error("rejected", offset=rejection.offset, key=rejection.key, reason=rejection.reason)
                self._rejected.append(rejection)
                PROCESS.count(names.REJECTED).value += 1
                passed_over = frozenset((rejected.offset, rejected.key) for rejected in self._rejected)
                self._chunks = self._partition.chunks(self._reads, passed_over)

    def _restore(self) -> int:
        """Take the states from the log; how many records there were."""
        partition = self._new_partition()
        count = 0
        self.restored = 0.0
        topic = self._wiring.world.physical(INSTANCES)
        for records in read_pairs(self._reading, topic, self.number, self._is_read):
            partition.restore(_passing(records) if armed("while-restoring") else records)
            count += len(records)
        hit("while-restoring")
        partition.restored()
        give_back()
        self._partition = partition
        self.restored = 1.0
        return count

    def _is_read(self, share: float) -> None:
        self.restored = min(share, 1.0)

    def _new_partition(self) -> Partition:
        tally = None if self._settings.metrics_port is None else Tally()
        return Partition(self.number, stepped=self._wiring.stepped, codec=self._wiring, tally=tally)

    def _ends(self) -> dict[str, int]:
        """The offsets after the last committed records of what this partition writes, as reports name them."""
        ends = {}
        for topic in (TASKS, EVENTS):
            physical = self._wiring.world.physical(topic)
            newest = read_newest(
                self._reading, physical, self.number, end_offsets(self._reading, physical)[self.number]
            )
            ends[f"{topic}/{self.number}"] = next((record.offset + 1 for record in newest), 0)
        return ends

    def _report(self, asked: int) -> None:
        """Say how far exercise time has come here; waits until it is said, for the offsets follow."""
        partition = self._partition
        pending = self._wiring.report(
            {self._journal: self._seen + 1}, step=partition.step, outputs=self._writer.ends,
            next_at=partition.next_due, asked=asked,
        )  # fmt: skip
        self._wiring.flush()
        pending.result().require()

    def _done(self) -> Done:
        partition = self._partition
        held = partition.held_from
        next_due = partition.next_due if partition.reached is None else None  # what is under way comes to that too
        return Done(self._seen + 1 if held is None else held, next_due, partition.at, self._more)


def _passing(records: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for record in records:
        hit("while-restoring")
        yield record
