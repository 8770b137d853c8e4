"""The ``advance`` worker: owns partitions of the journal, each with its states, its transactions and its batches.

One partition computes at a time (``turn``); commits, which take milliseconds of waiting, go on beside it, in threads.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from faust.types import TP

from deptbus.blocked import ADVICE, Blocked
from deptbus.errors import LetterUnwritten
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Measure
from deptbus.record import Record
from deptbus.streams.app import BUFFER_MAX, App
from deptbus.streams.intake import Intake
from deptbus.streams.lag import Lag
from deptbus.streams.owner import Computed, Done, Owner
from deptbus.streams.ticker import Ticker
from deptbus.streams.transport import RECORDS_MAX
from deptbus.streams.wiring import APPENDED, JOURNAL, Wiring

HOLD_FROM = 5_000
"""With so many entries at hand, nothing more of a partition is fetched: it waits, and no other with it."""
INTAKE_MAX = HOLD_FROM + RECORDS_MAX * (BUFFER_MAX + 1)
"""Entries of one partition at hand at most: what was fetched already still comes."""
THREADS_MAX = 32
COUNT_MAX = 200
COUNT_PAUSE_S = 0.1
"""So many restored instances are counted at a time, for metrics, and so long others have the process to themselves."""

_log = structlog.get_logger("deptbus.streams.advance")


class Lane:
    """One partition of this worker: what has arrived, and who works it off."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.intake: Intake[Record] = Intake(INTAKE_MAX)
        self.done: Done | None = None
        self.taken: list[Record] = []
        """The batch under way."""
        self.ticked_at = 0
        """The time of the latest tick that was appended by us."""
        self.busy = asyncio.Lock()
        self.task: asyncio.Task[None] | None = None


class Advance:
    """See the module."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self.topics: tuple[str, ...] = (wiring.world.physical(JOURNAL),)
        self._lanes: dict[int, Lane] = {}
        self._blocked: Blocked[int] = Blocked(wiring.limits.pause_s)
        """Partitions whose dead letters cannot be written."""
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="advance")
        self._closed = threading.Event()
        self._entries = 0
        self._chunks = 0
        self._ticker: Ticker | None = None
        self._received = PROCESS.count(names.RECEIVED, APPENDED)
        self._took = PROCESS.timing(names.BATCH, wiring.role)
        self._lag = Lag(wiring)
        self._app: App

    def start(self, app: App) -> None:
        """In actual life, begin to look for what falls due."""
        self._app = app
        if not self._wiring.stepped:
            self._ticker = Ticker(self._wiring, lambda: list(self._lanes.items()))
            app.spawn(self._tick(), "ticks")
        if self._wiring.settings.metrics_port is not None:
            app.spawn(self._count(), "counts")

    async def assigned(self, partitions: set[TP]) -> None:
        """Take the partitions over: fence, restore, then work off what arrives."""
        for tp in sorted(partitions):
            lane = Lane(Owner(self._wiring, tp.partition))
            self._lanes[tp.partition] = lane
            lane.task = self._app.spawn(self._work(tp, lane), f"partition-{tp.partition}")
        _log.info("assigned", worker=self._wiring.worker, partitions=sorted(self._lanes))

    async def revoked(self) -> None:
        """Finish the batches under way, drop the rest with all states."""
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(self._end(lane) for lane in lanes))

    async def receive(self, tp: TP, records: Sequence[Record]) -> None:
        """Take entries; of a partition that was taken away meanwhile, nothing."""
        lane = self._lanes.get(tp.partition)
        if lane is not None:
            await lane.intake.put(records)
            if len(lane.intake) >= HOLD_FROM:
                self._app.bus_consumer.held.add(tp)

    def fetched(self, reached: Mapping[TP, int], delivered: Mapping[TP, int]) -> None:
        """Positions follow from the entries."""

    async def close(self) -> None:
        """Let go of everything."""
        self._closed.set()
        await asyncio.get_running_loop().run_in_executor(None, self._let_go)

    def _let_go(self) -> None:
        """Wait for what is under way, which may take as long as a broker that is away; the loop does not wait."""
        self._pool.shutdown()
        if self._ticker is not None:
            self._ticker.close()
        self._wiring.close()

    def health(self) -> dict[str, int]:
        """What was done so far."""
        return {
            "partitions": len(self._lanes), "entries": self._entries, "chunks": self._chunks,
            "dead_letters_blocked": len(self._blocked),
        }  # fmt: skip

    def unready(self) -> list[str]:
        """Which partitions are not restored."""
        lanes = self._lanes.copy()
        return [
            f"partition {number} is being restored"
            for number, lane in lanes.items()
            if lane.done is None or lane.owner.restored < 1
        ]

    def measures(self) -> Iterator[Measure]:
        """What the partitions hold and how far they are."""
        done = {TP(self.topics[0], number): lane.done for number, lane in self._lanes.items() if lane.done is not None}
        yield from self._lag.measures(self._app.bus_consumer, {tp: one.offset for tp, one in done.items()})
        yield Measure(names.BLOCKED, (), len(self._blocked))
        for lane in self._lanes.values():
            yield from lane.owner.measures()
        for tp, one in done.items():
            if one.next_due is not None and not self._wiring.stepped:
                yield Measure(names.NEXT_DUE, (str(tp.partition),), one.next_due / 1000)

    async def _work(self, tp: TP, lane: Lane) -> None:
        settings = self._wiring.settings
        await self._written(lane, partial(self._open, tp, lane))
        while True:
            await lane.intake.filled()
            if not self._wiring.stepped and len(lane.intake) < settings.batch_max:
                await asyncio.sleep(settings.batch_wait_ms / 1000)  # many entries cost one commit
            await self._written(lane, partial(self._entries_at_hand, tp, lane))

    async def _open(self, tp: TP, lane: Lane) -> None:
        async with lane.busy:
            delivered = await self._app.bus_consumer.committed(tp)
            lane.done = await asyncio.get_running_loop().run_in_executor(self._pool, lane.owner.open, delivered)

    async def _entries_at_hand(self, tp: TP, lane: Lane) -> None:
        done = await self._chunk(tp, lane, lambda: self._batch(tp, lane))
        while done.more:  # between the chunks of an entry the partition may be given up
            done = await self._chunk(tp, lane, lambda: lane.owner.proceed)

    async def _written(self, lane: Lane, work: Callable[[], Awaitable[None]]) -> None:
        """Work; while a dead letter cannot be written, this partition stands still and is tried again (I7)."""
        number = lane.owner.number
        while True:
            try:
                await work()
            except LetterUnwritten as error:
                now = time.monotonic()
                block = self._blocked.hold(number, error.offset, error.reason, now)
                _log.error(
                    "held", topic=JOURNAL, partition=number, offset=error.offset, reason=str(error),
                    tries=block.tries, advice=ADVICE,
                )  # fmt: skip
                lane.intake.put_first(lane.taken)
                lane.taken = []
                await asyncio.sleep(block.until - now)
            else:
                break
        if self._blocked and (passed := self._blocked.passed(number)) is not None:
            _log.info("goes_on", topic=JOURNAL, partition=number, offset=passed.offset)

    async def _chunk(self, tp: TP, lane: Lane, next_work: Callable[[], Callable[[Computed], Done]]) -> Done:
        """Have the next transaction worked out and committed; only its working out is in our turn."""
        async with self._app.turns.turn() as share, lane.busy:
            work = next_work()
            began = time.perf_counter()
            done = lane.done = await asyncio.get_running_loop().run_in_executor(self._pool, work, share.over)
            self._took.add(time.perf_counter() - began)
            self._chunks += 1
            self._app.bus_consumer.done(tp, done.offset)
        return done

    def _batch(self, tp: TP, lane: Lane) -> Callable[[Computed], Done]:
        """What is at hand now, after waiting for the turn."""
        batch = lane.taken = lane.intake.take(self._wiring.settings.batch_max)
        if len(lane.intake) < HOLD_FROM:
            self._app.bus_consumer.held.discard(tp)
        if tp.partition not in self._blocked:  # else they were counted
            self._entries += len(batch)
            self._received.value += len(batch)
        return partial(lane.owner.process, batch)

    async def _end(self, lane: Lane) -> None:
        """Wait for the batch under way; the lane takes no other, for its task is cancelled while it waits."""
        async with lane.busy:
            if lane.task is not None:
                lane.task.cancel()
        lane.intake.clear()
        self._blocked.passed(lane.owner.number)
        await asyncio.get_running_loop().run_in_executor(self._pool, lane.owner.close)

    async def _count(self) -> None:
        """Count restored instances, a few at a time."""
        loop = asyncio.get_running_loop()
        while not self._closed.is_set():
            await asyncio.sleep(COUNT_PAUSE_S)
            for lane in list(self._lanes.values()):
                if lane.done is not None and lane.owner.uncounted:
                    async with self._app.turns.turn(), lane.busy:
                        await loop.run_in_executor(self._pool, lane.owner.count, COUNT_MAX)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._ticker is not None
        while not self._closed.is_set():
            await loop.run_in_executor(self._pool, self._ticker.look)
