"""Runs one channel: reads events in order, delivers, commits.

One notification at a time is under way. An offset is committed once its notification is delivered or on the dead
letters, so that after a crash it is delivered again under the same id. While the channel waits, the group is kept:
what the receiver hands out meanwhile is put back.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from deptbus.blocked import ADVICE, LETTER_S, Blocked, why_unwritten
from deptbus.deadletters import DeadLetters
from deptbus.errors import CodecError
from deptbus.failpoint import hit
from deptbus.notify.config import Channel
from deptbus.notify.deciding import Decide
from deptbus.notify.message import Notification
from deptbus.notify.schedule import Patience, Verdict, pause_s
from deptbus.observe import names
from deptbus.observe.counting import Measure
from deptbus.record import Record
from deptbus.transport import Partition, Position, Receiver

POLL_WAIT_S = 0.2
"""How long a poll waits for the first record; a stop takes effect within it."""
BATCH_MAX = 500
COMMIT_S = 5.0
"""How often the offsets of events that were not for the channel are committed, and access is looked at."""


class Sink(Protocol):
    """Whatever delivers."""

    async def deliver(self, notification: Notification) -> Verdict:
        """One attempt; never raises for what the receiver does."""

    async def close(self) -> None:
        """Let go."""


@dataclass(slots=True)
class Worker:
    """Everything one channel needs. ``counts`` is what its health is told from."""

    channel: Channel
    receiver: Receiver
    decide: Decide
    sink: Sink
    letters: DeadLetters
    patience: Patience
    log: FilteringBoundLogger
    check_access: Callable[[], None]
    """Raises ``NotGranted`` when a grant has lapsed."""
    ends: Mapping[Partition, int] | None = None
    """Where to stop; without, it goes on until it is told to."""
    counts: Counter[str] = field(default_factory=Counter)
    """``delivered``, ``retried``, ``dead_letters``, ``passed_over``."""
    waits_until: float = 0.0
    """Monotonic time before which nothing is tried."""
    blocked: Blocked[Partition] = field(init=False)
    """Partitions whose dead letters cannot be written; the others of the channel go on."""
    positions: list[Position] = field(default_factory=list)
    """Where it stands, a few seconds old at most."""
    _held: set[Partition] = field(default_factory=set)
    _done: dict[Partition, int] = field(default_factory=dict)
    """Offsets that are finished and not committed yet."""
    _stopping: bool = False

    def __post_init__(self) -> None:
        self.blocked = Blocked(lambda tries: pause_s(tries, 0.0, self.patience.bounds))

    def stop(self) -> None:
        """Finish the attempt under way, commit and return from ``run``."""
        self._stopping = True

    async def run(self) -> None:
        """Go on until stopped, or until ``ends`` are reached."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="notify-poll") as pool:
            looked = time.monotonic()
            try:
                while not self._stopping:
                    records = await loop.run_in_executor(pool, self.receiver.poll, BATCH_MAX, POLL_WAIT_S)
                    await self._batch(pool, records)
                    if self._held and not self._waits():
                        self._release()
                    if time.monotonic() - looked > COMMIT_S:
                        looked = time.monotonic()
                        self.positions = await loop.run_in_executor(pool, self.receiver.positions)
                        self.check_access()
                        await self._commit(pool)
                    if self.ends is not None and not records and not self._held and self._has_reached(self.ends):
                        return
            finally:
                await self._commit(pool)
                await loop.run_in_executor(pool, self.receiver.close)
                await self.sink.close()

    def _release(self) -> None:
        """Deliver held partitions again, save those whose dead letters cannot be written yet."""
        due = set(self.blocked.due(time.monotonic()))
        for partition in [one for one in self._held if one in due or one not in self.blocked]:
            self.receiver.release(partition)
            self._held.discard(partition)

    def measures(self) -> Iterator[Measure]:
        """What became of events, and where the channel stands."""
        channel = self.channel.id
        for result in ("delivered", "retried", "dead_letters", "passed_over"):
            yield Measure(names.NOTIFICATIONS, (channel, result), self.counts[result])
        yield Measure(names.WAITING, (channel,), self._waits())
        yield Measure(names.BLOCKED, (), len(self.blocked))
        for at in self.positions:
            where = (self.channel.group, at.topic, str(at.partition))
            yield Measure(names.LAG, where, at.lag)
            yield Measure(names.STALLED, where, at.stalled_s)

    def _waits(self) -> bool:
        return time.monotonic() < self.waits_until

    async def _batch(self, pool: ThreadPoolExecutor, records: list[Record]) -> None:
        put_back: set[Partition] = set()
        for record in records:
            partition = (record.topic, record.partition)
            if partition in put_back:
                continue
            if self._stopping or self._waits() or not await self._record(pool, record):
                self.receiver.hold(partition, record.offset)
                put_back.add(partition)
                self._held.add(partition)

    async def _record(self, pool: ThreadPoolExecutor, record: Record) -> bool:
        """Have a record behind us; False if it has to be tried again."""
        try:
            notification = self.decide(record)
        except CodecError as error:
            settled = await self._bury(record, error.reason, str(error), 0)
        else:
            if notification is None:
                self.counts["passed_over"] += 1
                self._done[record.topic, record.partition] = record.offset + 1
                return True
            settled = await self._deliver(record, notification)
        if settled:
            self._done[record.topic, record.partition] = record.offset + 1
            await self._commit(pool)
        return settled

    async def _deliver(self, record: Record, notification: Notification) -> bool:
        verdict = await self.sink.deliver(notification)
        log = self.log.bind(at=record.coordinates, id=notification.id)
        if verdict.kind == "delivered":
            hit("after-delivery")
            self.patience.delivered(notification.id)
            self.counts["delivered"] += 1
            self.blocked.passed((record.topic, record.partition))
            log.info("delivered", what=notification.content["what"])
            return True
        step = self.patience.missed(notification.id, verdict, time.monotonic(), random.random())
        self.waits_until = time.monotonic() + step.pause_s
        if step.given_up is None:
            self.counts["retried"] += 1
            log.warning("not_delivered", reason=verdict.reason, attempt=step.attempts, pause_s=round(step.pause_s, 1))
            return False
        message = f"{self.channel.id}: {verdict.reason}"
        return await self._bury(record, step.given_up, message, step.attempts)

    async def _bury(self, record: Record, reason: str, message: str, attempts: int) -> bool:
        """Keep a record whole on the dead letters; False if that cannot be done now."""
        self.log.error("dead_letter", at=record.coordinates, reason=reason, message=message, attempts=attempts)
        letter = self.letters.send(record, reason, message, attempts)
        await asyncio.to_thread(letter.within, LETTER_S)
        partition = (record.topic, record.partition)
        why = why_unwritten(letter)
        if why is None:
            self.counts["dead_letters"] += 1
            self.blocked.passed(partition)
            return True
        self.blocked.hold(partition, record.offset, why, time.monotonic())
        reason = f"its dead letter cannot be written: {why}"
        self.log.error("held", at=record.coordinates, reason=reason, advice=ADVICE)
        return False

    async def _commit(self, pool: ThreadPoolExecutor) -> None:
        if self._done:
            done, self._done = self._done, {}
            await asyncio.get_running_loop().run_in_executor(pool, self.receiver.commit, done)

    def _has_reached(self, ends: Mapping[Partition, int]) -> bool:
        reached = {(position.topic, position.partition): position.reached for position in self.receiver.positions()}
        return all(reached.get(partition, 0) >= end for partition, end in ends.items())
