"""The ``correlate`` worker: reads every topic that a pack in force reads, and appends to the journal.

A batch's appends and dead letters are flushed together; only then are its records done with. What is repeated
after a crash repeats its ids, and ``advance`` applies it once.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from faust.types import TP

from deptbus.blocked import ADVICE
from deptbus.envelope import Envelope, from_headers
from deptbus.errors import BusError, ClusterUnreachable, CodecError, TopicError
from deptbus.failpoint import hit
from deptbus.ids import derived_id
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import BEGINNING, Tail
from deptbus.kafka.ends import end_offsets
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Count, Measure
from deptbus.outcome import Pending
from deptbus.record import Event, Record
from deptbus.redriven import arrival_ms, is_for
from deptbus.streams.app import App
from deptbus.streams.aside import Aside, Settled
from deptbus.streams.intake import Intake
from deptbus.streams.lag import Lag
from deptbus.streams.packs import PackShelf
from deptbus.streams.positions import Positions
from deptbus.streams.traces import traceparent
from deptbus.streams.wiring import APPENDED, JOURNAL, PACKS, Wiring
from deptbus.workflow.correlate import Appended, Correlator

INTAKE_MAX = 10_000
"""Records at hand at most."""
BATCH_MAX = 2_000
"""Records that are correlated together at most; what follows in the journal is read together as well."""
PULSE_S = 1.0
"""In actual life: how often positions are reported."""
SKEW_MS = 500
"""By how much the clocks of two brokers may differ: so much less is claimed to be read."""
THREADS = 3
"""For batches, for packs, for reports: none of these waits for another."""
_LOOK_S = 0.5

_log = structlog.get_logger("deptbus.streams.correlate")


class SubscriptionStale(BusError):
    """A new pack reads topics that this worker has not subscribed to: start it again."""

    exit_code = 75


class PackReader:
    """Keeps a shelf of the packs in force, from ``bus.packs``, and tells when it changed."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._topic = wiring.world.physical(PACKS)
        self._configuration = reader_configuration(wiring.settings)
        self._tail = Tail(self._configuration, {self._topic: BEGINNING})
        self.shelf = PackShelf()

    def catch_up(self) -> None:
        """Read everything that is there now."""
        ends = {(PACKS, number): end for number, end in end_offsets(self._configuration, self._topic).items()}
        while not self._tail.has_reached(ends):
            self.wait()

    def wait(self) -> bool:
        """Wait a moment for changes; whether there were any."""
        changed = False
        for record in self._tail.poll(_LOOK_S):
            event_type = from_headers(record.headers).type
            changed |= self.shelf.take(event_type, self._wiring.decode(record.value, event_type))
        return changed

    def close(self) -> None:
        """Let go of the broker."""
        self._tail.close()


class Correlate:
    """See the module. ``packs`` has caught up and holds at least one pack."""

    def __init__(self, wiring: Wiring, packs: PackReader) -> None:
        self._wiring = wiring
        self._packs = packs
        self._subscribed = packs.shelf.topics(wiring.catalogue)
        self.topics = tuple(sorted(wiring.world.physical(topic) for topic in self._subscribed))
        self._correlator = Correlator(packs.shelf.packs.values())
        # Asked for, not taken from the catalogue: an exercise may have its own number.
        self._journal = sorted(end_offsets(reader_configuration(wiring.settings), wiring.world.physical(JOURNAL)))
        self._intake: Intake[tuple[TP, Record]] = Intake(INTAKE_MAX)
        self._aside: Aside[TP] = Aside(wiring.limits.pause_s)
        self._positions = Positions()
        self._news = False
        """Whether the assignment is new and not reported yet."""
        self._busy = asyncio.Lock()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="correlate")
        self._closed = threading.Event()
        self._work: list[asyncio.Task[None]] = []
        self.counts: Counter[str] = Counter()
        self._received: dict[str, Count] = {}
        self._took = PROCESS.timing(names.BATCH, wiring.role)
        self._lag = Lag(wiring)
        self._app: App

    # The processor

    def start(self, app: App) -> None:
        """Begin to wait for records and packs."""
        self._app = app
        self._work = [app.spawn(self._batches(), "batches"), app.spawn(self._follow_packs(), "packs")]
        if not self._wiring.stepped:
            self._work.append(app.spawn(self._pulse(), "pulse"))

    async def assigned(self, partitions: set[TP]) -> None:
        """Start from nothing."""
        self._positions.clear()
        self._aside.clear()
        self._news = True
        _log.info("assigned", worker=self._wiring.worker, partitions=len(partitions))

    async def revoked(self) -> None:
        """Finish the batch under way and drop the rest."""
        self._intake.clear()
        async with self._busy:
            self._positions.clear()
            self._aside.clear()

    async def receive(self, tp: TP, records: Sequence[Record]) -> None:
        """Take records."""
        await self._intake.put((tp, record) for record in records)

    def fetched(self, reached: Mapping[TP, int], delivered: Mapping[TP, int]) -> None:
        """Note where the partitions stand."""
        self._positions.fetched(reached, delivered)
        if self._news and reached and self._wiring.stepped:
            self._news = False
            self._wiring.report(self._named(self._positions.all()))

    async def close(self) -> None:
        """Stop everything."""
        self._closed.set()
        for task in self._work:
            task.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._let_go)

    def _let_go(self) -> None:
        """Wait for what is under way, which may take as long as a broker that is away; the loop does not wait."""
        self._pool.shutdown()
        self._packs.close()
        self._wiring.close()

    def health(self) -> dict[str, int]:
        """What was done so far."""
        return {**self.counts, "dead_letters_blocked": len(self._aside)}

    def unready(self) -> list[str]:
        """It holds nothing that would have to be restored."""
        return []

    def measures(self) -> Iterator[Measure]:
        """Where it stands, and what it passed over."""
        yield Measure(names.FOREIGN, (self._wiring.role,), self.counts["foreign_mode"])
        yield Measure(names.BLOCKED, (), len(self._aside))
        yield from self._lag.measures(self._app.bus_consumer, self._positions.all())

    # Batches

    async def _batches(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._intake.filled(), self._aside.next_s())
            async with self._app.turns.turn() as share, self._busy:
                batch = self._aside.batch(self._intake.take(BATCH_MAX))
                if not batch:
                    continue
                unwritten = await loop.run_in_executor(self._pool, self._batch, [one for _, one in batch], share.over)
                settled = self._aside.settle(batch, unwritten)
                if settled.held or settled.gone_on:
                    self._hold(settled)
                consumer = self._app.bus_consumer
                for tp, end in settled.ends.items():
                    self._positions.processed(tp, end)
                    consumer.done(tp, end)
                # What is told may be ticked: no repetition may come after the tick, exercise days later at the worst.
                if self._wiring.stepped and settled.ends and await consumer.commit_done():
                    positions = {tp: at for tp in settled.ends if (at := self._positions.of(tp)) is not None}
                    self._wiring.report(self._named(positions))
                    await loop.run_in_executor(self._pool, self._wiring.flush)

    def _batch(self, records: Sequence[Record], computed: Callable[[], None]) -> dict[int, str]:
        """Correlate; answers which records' dead letters are not written, by their places, and why."""
        hit("after-poll")
        began = time.perf_counter()
        tracer, work = self._wiring.tracer, None
        if tracer is not None:
            work = tracer.batch(self._wiring.role, records[0].topic, len(records), map(traceparent, records))
        pending: list[Pending] = []
        letters: dict[int, Pending] = {}
        for place, record in enumerate(records):
            letter = self._one(record, pending)
            if letter is not None:
                letters[place] = letter
        hit("after-outputs")
        computed()
        unwritten: dict[int, str] = {}
        if letters:
            unwritten = self._wiring.unwritten(pending, letters)
        elif pending:
            self._wiring.flush()
        for each in pending:
            each.result().require()
        self._took.add(time.perf_counter() - began)
        if work is not None:
            work.end()
        hit("after-append")
        return unwritten

    def _one(self, record: Record, pending: list[Pending]) -> Pending | None:
        """Append what one record gives; whatever is wrong with it makes it a dead letter (I7), which is answered."""
        self.counts["events"] += 1
        if not is_for(record.headers, self._wiring.letters.group):
            return None
        try:
            envelope = from_headers(record.headers)
            if envelope.type not in self._correlator.event_types:
                return None
            received = self._received.get(envelope.type)
            if received is None:
                received = self._received[envelope.type] = PROCESS.count(names.RECEIVED, envelope.type)
            received.value += 1
            if (envelope.mode == "actual") == self._wiring.stepped:
                self.counts["foreign_mode"] += 1
                _log.warning(
                    "foreign_mode", topic=record.topic, partition=record.partition, offset=record.offset,
                    event_id=envelope.id, mode=envelope.mode,
                )  # fmt: skip
                return None
            data = self._wiring.decode(record.value, envelope.type)
            at_ms = envelope.time_ms if self._wiring.stepped else arrival_ms(record)
            event = Event(envelope, data, record)
        except CodecError as error:
            return self._bury(record, error.reason, str(error))
        try:
            for appended in self._correlator.entries(envelope, data, record, at_ms):
                pending += self._append(event, appended, at_ms)
        except Exception as error:  # a rule's expression, or an entry that is too large: this event's fault alone
            reason = error.reason if isinstance(error, CodecError) else "correlate"
            return self._bury(record, reason, f"{type(error).__name__}: {error}", envelope)
        return None

    def _append(self, event: Event, appended: Appended, at_ms: int) -> list[Pending]:
        entry = appended.entry
        self.counts["entries"] += 1
        partitions = [-1] if appended.key is not None else self._journal
        key = appended.key if appended.key is not None else entry["workflow"]
        rule = f"{entry['pack']}/{entry['rule']}/{key}"
        return [
            self._wiring.append(
                entry, key, partition, cause=event, region=event.envelope.region, time_ms=at_ms,
                id=derived_id(event.envelope.id, "correlate", APPENDED, rule, max(partition, 0)),
            )
            for partition in partitions
        ]  # fmt: skip

    def _bury(self, record: Record, reason: str, message: str, envelope: Envelope | None = None) -> Pending:
        self.counts["dead_letters"] += 1
        _log.error(
            "dead_letter", topic=record.topic, partition=record.partition, offset=record.offset,
            event_id=envelope.id if envelope else None, reason=reason, error=message,
        )  # fmt: skip
        return self._wiring.letters.send(record, reason, message, 1)

    def _hold(self, settled: Settled[TP]) -> None:
        """Partitions whose dead letters cannot be written stand still; others go on, and these once they can."""
        held = self._app.bus_consumer.held
        for tp, record, block in settled.held:
            held.add(tp)
            _log.error(
                "held", topic=record.topic, partition=record.partition, offset=record.offset,
                reason=f"its dead letter cannot be written: {block.reason}", tries=block.tries, advice=ADVICE,
            )  # fmt: skip
        for tp, record in settled.gone_on:
            held.discard(tp)
            _log.info("goes_on", topic=record.topic, partition=record.partition, offset=record.offset)
        self._intake.put_first(settled.again)

    # Packs

    async def _follow_packs(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed.is_set():
            correlator = await loop.run_in_executor(self._pool, self._next_correlator)
            if correlator is None:
                continue
            more = self._packs.shelf.topics(self._wiring.catalogue) - self._subscribed
            if more:
                raise SubscriptionStale(f"A new pack reads {', '.join(sorted(more))}: this worker starts again.")
            self._correlator = correlator
            _log.info("packs", worker=self._wiring.worker, packs=sorted(correlator.packs))

    def _next_correlator(self) -> Correlator | None:
        return Correlator(self._packs.shelf.packs.values()) if self._packs.wait() else None

    # Reports in actual life

    async def _pulse(self) -> None:
        """Report positions, and as of which broker time they cover the inputs.

        The time comes with the answer to a report; where the inputs end is asked after it; once these ends are
        reached, everything that was there at that time is read.
        """
        loop = asyncio.get_running_loop()
        covered: int | None = None
        goal: tuple[int, dict[TP, int]] | None = None
        while True:
            await asyncio.sleep(PULSE_S)
            if self._news:  # other partitions than before: what was covered says nothing of them
                self._news, covered, goal = False, None, None
            if goal is not None and self._positions.cover(goal[1]):
                covered, goal = goal[0] - SKEW_MS, None
            pending = self._wiring.report(self._named(self._positions.all()), covered_until=covered)
            outcome = await loop.run_in_executor(self._pool, pending.result)
            if goal is None:
                at_ms = outcome.require().timestamp_ms
                ends = await loop.run_in_executor(self._pool, self._ends)
                goal = None if ends is None else (at_ms, ends)

    def _ends(self) -> dict[TP, int] | None:
        """Where the inputs end now, of the partitions that are ours; None while the broker does not say."""
        world, ours = self._wiring.world, self._app.bus_consumer.assignment()
        try:
            ends = self._wiring.admin.end_offsets(world, self._subscribed)
        except (ClusterUnreachable, TopicError) as error:
            _log.warning("ends_unknown", error=str(error))
            self._wiring.ask_anew()
            return None
        return {tp: ends[where] for tp in ours if (where := (world.logical(tp.topic), tp.partition)) in ends}

    def _named(self, positions: Mapping[TP, int]) -> dict[str, int]:
        logical = self._wiring.world.logical
        return {f"{logical(tp.topic)}/{tp.partition}": position for tp, position in positions.items()}
