"""The loop of a subscriber: poll a batch, handle it, have its outputs acknowledged, commit.

Partitions of a batch are handled side by side, events of one partition one after another. Offsets are committed
only up to the first event of a partition that is not finished; what follows is delivered again (I2, I7).
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from structlog.typing import FilteringBoundLogger

from deptbus.batch import Finished, Limits, Progress
from deptbus.blocked import ADVICE, LETTER_S, Blocked, await_answers
from deptbus.clock import Clock
from deptbus.handling import Handling, Waits
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Measure
from deptbus.outcome import Pending
from deptbus.record import Record
from deptbus.service import Service
from deptbus.transport import Partition, Position, Receiver, Sender

POLL_WAIT_S = 0.2
"""How long a poll waits for the first record; a stop takes effect within it."""
BATCH_MAX = 1_000
BATCH_TARGET_S = 1.0
"""A batch that took longer is followed by a smaller one, so that slow handlers do not lose their membership."""
WATCH_S = 5.0
"""How often positions are looked at."""
STALL_S = 30.0
"""A partition with records before it that has not moved for so long is reported."""

_COUNTED = {"retried": names.RETRIES, "duplicates": names.DUPLICATES, "foreign_mode": names.FOREIGN}
"""What a service counts, by its names."""


@dataclass(slots=True)
class Subscriber:
    """Everything one loop needs. Its positions are what health is told from."""

    group: str
    receiver: Receiver
    sender: Sender
    services: Sequence[Service]
    handling: Handling
    limits: Limits
    clock: Clock
    log: FilteringBoundLogger
    positions: list[Position] = field(default_factory=list)
    held: Blocked[Partition] = field(init=False)
    """Partitions whose dead letters cannot be written."""
    _late: list[Pending] = field(default_factory=list)
    """Dead letters that may still be answered; whoever flushes waits for them as well."""
    _batch_max: int = BATCH_MAX
    _lapses_ms: int = 0
    """When the first grant of any service lapses; not known yet."""

    def __post_init__(self) -> None:
        self.held = Blocked(self.limits.pause_s)

    def stop(self) -> None:
        """Finish the events in hand, commit and return from ``run``. Safe to call from anywhere."""
        self.handling.stopping = True

    async def run(self) -> None:
        """Go on until stopped. An error that is not one event's ends it, after committing what is finished."""
        loop = asyncio.get_running_loop()
        watched = 0.0
        forget = PROCESS.ask(self.measures)
        with ThreadPoolExecutor(1, thread_name_prefix="bus-poll") as pool:
            try:
                while not self.handling.stopping:
                    records = await loop.run_in_executor(pool, self.receiver.poll, self._batch_max, POLL_WAIT_S)
                    if records:
                        self._check_access()
                        await self._batch(pool, records)
                    now = time.monotonic()
                    if now - watched > WATCH_S:
                        watched = now
                        await loop.run_in_executor(pool, self._watch)
                    for partition in self.held.due(now):
                        self.receiver.release(partition)
            finally:
                forget()
                await loop.run_in_executor(pool, self.receiver.close)

    def measures(self) -> Iterator[Measure]:
        """Where it stands, and what became of events; positions are a few seconds old at most."""
        for at in self.positions:
            where = (self.group, at.topic, str(at.partition))
            yield Measure(names.LAG, where, at.lag)
            yield Measure(names.STALLED, where, at.stalled_s)
        yield Measure(names.BLOCKED, (), len(self.held))
        for service in self.services:
            for name, metric in _COUNTED.items():
                yield Measure(metric, (service.owner,), service.counts[name])

    def _check_access(self) -> None:
        """A grant that lapses while its service runs ends the run, in words."""
        if self.clock() >= self._lapses_ms:
            self._lapses_ms = min(service.check_access() for service in self.services)

    async def _batch(self, pool: ThreadPoolExecutor, records: list[Record]) -> None:
        began = time.monotonic()
        parts: dict[Partition, list[Record]] = {}
        for record in records:
            parts.setdefault((record.topic, record.partition), []).append(record)
        progress = await self._handle(parts.values())
        loop = asyncio.get_running_loop()
        if any(part.waiting for part in progress):
            await loop.run_in_executor(pool, self._await_answers, progress)
            refused = [self.handling.bury_refused(part) for part in progress]
            if any(refused):
                await loop.run_in_executor(pool, self._await_answers, progress)
        offsets = {}
        for partition, part in zip(parts, progress, strict=True):
            if part.waiting and (again := self.handling.settle(part)) is not None:
                self._hold(partition, again)
            elif self.held and (block := self.held.passed(partition)) is not None:
                self.log.info("goes_on", topic=partition[0], partition=partition[1], offset=block.offset)
            if part.reached is not None and part.reached > parts[partition][0].offset:
                offsets[partition] = part.reached
        if offsets:
            await loop.run_in_executor(pool, self.receiver.commit, offsets)
        for part in progress:
            if part.error is not None:
                raise part.error
        took = time.monotonic() - began
        self._batch_max = max(1, min(BATCH_MAX, int(self._batch_max * min(2.0, BATCH_TARGET_S / max(took, 0.001)))))

    async def _handle(self, parts: Iterable[list[Record]]) -> list[Progress]:
        """Handle the parts of a batch side by side; a task is made only of one that has to wait."""
        progress, waiting = [], []
        for records in parts:
            progress.append(Progress())
            work = self.handling.work(records, progress[-1])
            wait = next(work, None)
            if wait is not None:
                waiting.append(_go_on(work, wait))
        if waiting:
            await asyncio.gather(*waiting)
        return progress

    def _hold(self, partition: Partition, finished: Finished) -> None:
        """Others go on; this partition waits, and its record is tried again."""
        service, record = finished.service, finished.record
        service.counts["held"] += 1
        block = self.held.hold(partition, record.offset, finished.unwritten() or "", time.monotonic())
        service.log.error(
            "held", topic=record.topic, partition=record.partition, offset=record.offset,
            reason=f"its dead letter cannot be written: {block.reason}", tries=block.tries, advice=ADVICE,
        )  # fmt: skip
        self.receiver.hold(partition, record.offset)

    def _await_answers(self, progress: Iterable[Progress]) -> None:
        """Wait for what was published; a dead letter that gets no answer keeps only its own partition waiting."""
        finished = [one for part in progress for one in part.waiting]
        letters = [one.letter for one in finished if one.letter is not None]
        if letters or self._late:
            outputs = [output for one in finished for output in one.outputs]
            late = await_answers(outputs, letters, LETTER_S)
            self._late = [letter for letter in {*self._late, *late} if letter.outcome is None]
        else:
            self.sender.flush()

    def _watch(self) -> None:
        self.positions = self.receiver.positions()
        mine = {(position.topic, position.partition) for position in self.positions}
        for partition in self.held:
            if partition not in mine:  # another member's by now
                self.held.passed(partition)
                self.receiver.release(partition)
        for position in self.positions:
            if position.stalled_s > STALL_S:
                self.log.error(
                    "stalled", topic=position.topic, partition=position.partition, offset=position.reached,
                    lag=position.lag, stalled_s=round(position.stalled_s),
                    advice="a batch there cannot be read, or a transaction was left open",
                )  # fmt: skip


async def _go_on(work: Waits, wait: Awaitable[Any]) -> None:
    """Wait for what the work of a partition waits for, one after another, until it is done."""
    with contextlib.suppress(StopIteration):
        while True:
            try:
                await wait
            except BaseException as error:  # the work decides what becomes of it
                wait = work.throw(error)
            else:
                wait = next(work)
