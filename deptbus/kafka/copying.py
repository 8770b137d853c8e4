"""Copies ranges of a log into other topics, once each whatever dies: positions travel in the records' transactions.

The transactional id fences: a second process that takes the copy up ends the first. Where a copy has come stands in a
consumer group of its own, written in the same transactions as the records; nothing else is needed to go on.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, errors
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException
from confluent_kafka import TopicPartition as Where

from deptbus.errors import BusError, ClusterUnreachable, TransactionFenced, TransactionUnclear
from deptbus.failpoint import hit
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.rawlog import LogReader, Partition, Piece, Ranges
from deptbus.kafka.recordbytes import BATCH_BYTES, Batch, Outgoing, Span, assembled, spans
from deptbus.kafka.security import connection
from deptbus.settings import Settings

TRANSACTION_S = 5.0
TRANSACTION_TIMEOUT_MS = 60_000
"""After this the broker gives up what a process that stands still has left open."""
SLICES_S = 4
"""A copy with a rate sends so many batches a second."""
TAKEN_UP_MAX = 10
"""A copy whose transactions stay unclear so often in a row gives up."""
_PAUSE_S = 1.0
_REPLY_S = 10.0


class Chooser(Protocol):
    """Which records of a source are copied."""

    def chosen(self, topic: str, partition: int, batch: Batch, data: bytes, span: Span) -> bool:
        """Whether this one is; ``topic`` is its physical name."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What is copied where. All names are physical."""

    transactional_id: str
    group: str
    """Under which the positions stand."""
    ranges: Ranges
    targets: Mapping[str, str]
    """By source topic; partition numbers stay."""
    extra: bytes
    """A header more for every record, as it stands in the log: its last."""
    before: bytes = b""
    """Another that becomes its first, where there is one."""
    chooser: Chooser | None = None
    """None: everything."""
    rate: float | None = None
    """Records in a second at most."""


@dataclass(slots=True)
class Progress:
    """How far a copy has come."""

    offsets: int = 0
    """Of the source, done with and committed."""
    of: int = 0
    copied: int = 0
    """Records handed over by this process."""
    began_s: float = field(default_factory=time.monotonic)


Watch = Callable[[Progress], None]


def copied_to(settings: Settings, group: str, ranges: Ranges) -> dict[Partition, int]:
    """Where the copy under a group has come; empty before its first transaction. Waits for open transactions."""
    consumer = Consumer(reader_configuration(settings) | {"group.id": group})
    try:
        found = consumer.committed([Where(*where) for where in ranges], _REPLY_S)
    except KafkaException as error:
        raise ClusterUnreachable(f"The positions of {group} cannot be read ({error.args[0].str()}).") from error
    finally:
        consumer.close()
    return {(each.topic, each.partition): each.offset for each in found if each.offset != OFFSET_INVALID}


def copy(settings: Settings, work: Copy, stopped: Callable[[], bool], watch: Watch = lambda progress: None) -> bool:
    """Copy what is left; whether it came to its end. ``stopped`` is asked between batches.

    Raises ``TransactionFenced`` where another process has taken it over, ``TransactionUnclear`` or
    ``ClusterUnreachable`` where the cluster does not come back; whatever happens, doing it again goes on.
    """
    progress = Progress(of=sum(end - start for start, end in work.ranges.values()))
    attempts = 0
    while True:
        before = progress.offsets
        try:
            return asyncio.run(_Copying(settings, work, stopped, watch, progress).run())
        except TransactionUnclear:
            attempts = 1 if progress.offsets > before else attempts + 1
            if attempts == TAKEN_UP_MAX:
                raise
            time.sleep(_PAUSE_S)  # the broker is away; nothing wakes us when it is back


class _Copying:
    """One attempt: from where the positions stand to the end, or to the first thing that is unclear."""

    def __init__(
        self, settings: Settings, work: Copy, stopped: Callable[[], bool], watch: Watch, progress: Progress
    ) -> None:
        self._settings, self._work, self._stopped, self._watch = settings, work, stopped, watch
        self._progress = progress
        self._positions: dict[Partition, int] = {}
        self._outgoing: dict[Partition, Outgoing] = {}
        self._sent: list[asyncio.Future[Any]] = []
        self._records = 0
        """Source records in the open transaction."""
        self._opened_s = 0.0
        self._count_max = max(1, int(work.rate / SLICES_S)) if work.rate else 1_000_000
        self._due_s = 0.0
        """With a rate, when the next batch may be sent."""

    async def run(self) -> bool:
        """See ``copy``."""
        producer = AIOKafkaProducer(
            transactional_id=self._work.transactional_id, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            **connection(self._settings),
        )  # fmt: skip
        client = AIOKafkaClient(**connection(self._settings))
        try:
            await producer.start()  # fences whoever copied before, and ends what it has left open
            self._producer = producer
            await client.bootstrap()
            return await self._copy(client)
        except errors.ProducerFenced as error:
            raise TransactionFenced(
                f"{self._work.transactional_id} goes on in another process, which has taken it over."
            ) from error
        except (errors.KafkaError, TimeoutError) as error:
            raise TransactionUnclear(f"{self._work.transactional_id}: {type(error).__name__}: {error}") from error
        finally:
            await client.close()
            await _closed(producer)

    async def _copy(self, client: AIOKafkaClient) -> bool:
        work = self._work
        known = await asyncio.get_running_loop().run_in_executor(
            None, copied_to, self._settings, work.group, work.ranges
        )
        self._positions = {where: known.get(where, start) for where, (start, _) in work.ranges.items()}
        self._told()
        left = {where: (at, work.ranges[where][1]) for where, at in self._positions.items()}
        await self._begin()
        if not known:
            await self._commit()  # where it begins is written down before anything else
            await self._begin()
        reader = LogReader(client, left)
        async with aclosing(reader.pieces()) as pieces:
            async for found in pieces:
                for piece in found:
                    hit("after-poll")
                    if not await self._piece(piece, left):
                        await self._commit()
                        return self._done()
                    await self._kept_short()
                if self._stopped():
                    break
                self._passed(reader)
        await self._commit()
        return self._done()

    def _passed(self, reader: LogReader) -> None:
        """Behind the last record of a partition there may be nothing but markers."""
        for where, end in reader.finished():
            self._positions[where] = max(end, self._positions[where])

    async def _piece(self, piece: Piece, left: Ranges) -> bool:
        """Take a batch; False when asked to stop in the middle of it."""
        where = piece.topic, piece.partition
        batch, (start, end) = piece.batch, left[where]
        out = self._outgoing.get(where)
        if out is None:
            out = self._outgoing[where] = Outgoing(self._work.extra, self._work.before)
        data = batch.records()
        if out.count and out.bytes + len(data) > BATCH_BYTES:  # a batch grows by no more than a record's header
            await self._send(where, out)
            await self._kept_short()
        whole = start <= batch.base and batch.end <= end
        if whole and self._work.chooser is None and out.count + batch.size <= self._count_max:
            out.take(batch, data)
            self._records += batch.size
            self._positions[where] = batch.end
        else:
            time_ms, chooser = batch.time_ms, self._work.chooser
            for span in spans(data, batch.size):
                offset = batch.base + span.offset_delta
                if not self._positions[where] <= offset < end:
                    continue
                if chooser is None or chooser.chosen(piece.topic, piece.partition, batch, data, span):
                    out.add(data, span, batch.first_ms + span.time_delta if time_ms is None else time_ms)
                self._records += 1
                self._positions[where] = offset + 1
                if out.count >= self._count_max or out.bytes >= BATCH_BYTES:
                    await self._send(where, out)
                    await self._kept_short()
                    if self._stopped():
                        return False
            self._positions[where] = max(self._positions[where], min(batch.end, end))
        if out.count >= self._count_max or out.bytes >= BATCH_BYTES:
            await self._send(where, out)
        return not self._stopped()

    async def _send(self, where: Partition, out: Outgoing) -> None:
        count = out.count
        if not count:
            return
        if self._work.rate:
            await self._wait(count / self._work.rate)
        ready = _Ready(count, *out.finish())
        target = self._work.targets[where[0]]
        self._sent.append(await self._producer.send_batch(ready, target, partition=where[1]))
        self._progress.copied += count
        hit("after-outputs")

    async def _wait(self, seconds: float) -> None:
        """Keep to the rate: what has been sent takes its time before the next is."""
        now = time.monotonic()
        while now < self._due_s and not self._stopped():
            await asyncio.sleep(min(1 / SLICES_S, self._due_s - now))
            now = time.monotonic()
        self._due_s = max(now, self._due_s) + seconds

    async def _kept_short(self) -> None:
        """Commit what has become long, or would by the wait before the next batch."""
        now = time.monotonic()
        if (
            self._records >= self._settings.replay_transaction_max
            or max(now, self._due_s) - self._opened_s > TRANSACTION_S
        ):
            await self._commit()
            await self._begin()

    async def _begin(self) -> None:
        await self._producer.begin_transaction()
        self._records, self._opened_s = 0, time.monotonic()

    async def _commit(self) -> None:
        """Send what is left, wait for all of it, commit it with the positions."""
        for where, out in self._outgoing.items():
            await self._send(where, out)
        positions = {TopicPartition(*where): OffsetAndMetadata(at, "") for where, at in self._positions.items()}
        async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):  # aiokafka would ask for ever
            for sent in self._sent:
                await sent
            self._sent.clear()
            hit("inside-transaction")
            await self._producer.send_offsets_to_transaction(positions, self._work.group)
            await self._producer.commit_transaction()
        hit("after-commit")
        self._told()

    def _told(self) -> None:
        self._progress.offsets = sum(self._positions[where] - start for where, (start, _) in self._work.ranges.items())
        self._watch(self._progress)

    def _done(self) -> bool:
        return all(self._positions[where] >= end for where, (_, end) in self._work.ranges.items())


class _Ready:
    """A finished batch, as aiokafka's accumulator takes one: a ``BatchBuilder`` that takes nothing more."""

    def __init__(self, count: int, payload: bytes, first_ms: int, latest_ms: int) -> None:
        self._count, self._payload, self._times = count, payload, (first_ms, latest_ms)
        self._producer = (-1, -1, -1)
        self._buffer: bytearray | None = None

    def closed(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def record_count(self) -> int:
        return self._count

    def size(self) -> int:
        return len(self._payload)

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> bytearray:
        if self._buffer is None:
            self._buffer = assembled(self._payload, self._count, *self._times, self._producer)
        return self._buffer


async def _closed(producer: AIOKafkaProducer) -> None:
    """Close a producer whose transaction may be open: waiting for it would be in vain."""
    try:
        await asyncio.wait_for(producer.stop(), _REPLY_S)
    except (TimeoutError, errors.KafkaError, BusError):
        await producer.client.close()
