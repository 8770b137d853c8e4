"""Faust's aiokafka transport, made quick and made to commit only what we say.

What differs from Faust's own, and why (each was measured on faust-streaming 0.15.3):

- ``done`` alone decides what is committed. Faust acknowledges the event of an agent that raises, and its own
  offset computation commits past an event that was never acknowledged.
- What was fetched of a partition travels through Faust's conductor, channel and stream as one message, a
  ``Batch``: a message for each record costs 25 µs of the loop's time.
- The drain loop asks for 0.05 s instead of 1 s: a partition whose buffer was full when it asked is else left alone
  for that whole second.
- Records that were taken and not handed on, because a rebalance came between, are fetched again: a request that
  waits through a quick rebalance is answered after Faust has sought to what is committed.
- A partition whose intake is full is left alone (``held``) while others go on; Faust's buffers are all partitions'.
- Consumers are read_committed: aiokafka drops the records of aborted transactions only then.
- A graceful end leaves the group although members are static, so that others take over at once.
- There is no producer: everything is written by librdkafka, elsewhere.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from deptbus.errors import BusError

ASK_S = 0.05
"""How long one request for records waits inside the process; data wake it at once."""
FETCH_WAIT_MS = 500
"""How long the broker may hold a fetch open that finds nothing; data answer it at once."""
FETCH_BYTES_MAX = 1_048_576
"""Per partition and fetch; a larger record still comes, alone."""
RECORDS_MAX = 2_000
"""Records handed on at once."""
RETRY_BACKOFF_MS = 50
LOSSES_MAX = 5
LOSSES_S = 20.0
"""So many losses of membership in so short a time are not stalls: each of these takes a session, six seconds."""


class Batch(ConsumerMessage):
    """Consecutive records of one partition, as Faust carries them: with the coordinates of the first."""

    __slots__ = ("records",)

    records: Sequence[aiokafka.ConsumerRecord]


class SlotTaken(BusError):
    """Two processes run in one worker slot."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka lives."""

    consumer: "Consumer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reached: dict[TP, int] = {}
        """The next offset of each assigned partition, transaction markers included, as of the latest fetch."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            max_poll_records=RECORDS_MAX,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            retry_backoff_ms=RETRY_BACKOFF_MS,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # Faust's signature
        max_records: int | None = None,
    ) -> Mapping[TP, list[Any]]:
        records: Mapping[TP, list[Any]] = await super()._fetch_records(
            consumer, active_partitions, timeout, max_records
        )
        # No await since the records were taken: the positions are those after exactly these records.
        subscription = consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if assignment:
            self.reached = {
                TP(tp.topic, tp.partition): state.position
                for tp in assignment.tps
                if (state := assignment.state_value(tp)).has_valid_position
            }
        return records

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit. A group that is rebalancing refuses; what is uncommitted is then delivered again."""
        consumer = self._ensure_consumer()
        assigned = self.assignment()
        wanted = {driver.ensure_aiokafka_TP(tp): offset for tp, offset in offsets.items() if tp in assigned}
        try:
            await consumer.commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.info("Offsets were not committed: %s", error)
            return False
        return True

    def ends_seen(self) -> dict[TP, int]:
        """Where the assigned partitions ended, for readers of committed records, when they were last fetched from."""
        subscription = self._consumer and self._consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if not assignment:
            return {}
        states = {TP(tp.topic, tp.partition): assignment.state_value(tp) for tp in assignment.tps}
        return {tp: state.lso for tp, state in states.items() if state is not None and (state.lso or -1) >= 0}

    async def ends(self) -> dict[TP, int]:
        """Where the assigned partitions end now."""
        return dict(await self.call_thread(self._ends))

    async def _ends(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        ends = await consumer.end_offsets(list(consumer.assignment()))
        return {TP(tp.topic, tp.partition): offset for tp, offset in ends.items()}

    async def committed(self, tp: TP) -> int:
        """The offset committed for a partition, 0 for none."""
        return int(await self.call_thread(self._committed, tp))

    async def _committed(self, tp: TP) -> int:
        return await self._ensure_consumer().committed(driver.ensure_aiokafka_TP(tp)) or 0

    async def rewind(self) -> None:
        """Fetch anew from where the assigned partitions are committed, or from their beginnings.

        Raises ``IllegalStateError`` when a rebalance comes between.
        """
        await self.call_thread(self._rewind)

    async def _rewind(self) -> None:
        consumer = self._ensure_consumer()
        partitions = list(consumer.assignment())
        if not partitions:
            return
        known = await consumer._coordinator.fetch_committed_offsets(partitions)
        committed = {partition: found.offset for partition, found in known.items() if found.offset >= 0}
        for partition, offset in committed.items():
            consumer.seek(partition, offset)
        if never := [partition for partition in partitions if partition not in committed]:
            await consumer.seek_to_beginning(*never)

    async def on_start(self) -> None:
        """Connect, and watch for a membership that is lost again and again."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        reset = coordinator.reset_generation
        losses: deque[float] = deque(maxlen=LOSSES_MAX)

        def lost() -> None:
            reset()
            losses.append(time.monotonic())
            if len(losses) == LOSSES_MAX and losses[-1] - losses[0] < LOSSES_S:
                self.app.loop.call_soon_threadsafe(self.app.fail, SlotTaken(
                    f"Membership in the group {self.app.conf.id} is lost again and again: another process runs as "
                    f"{self.app.conf.consumer_group_instance_id}. Give every worker a slot of its own (--worker)."
                ))  # fmt: skip

        # aiokafka cannot tell: its heartbeats do not name the instance, so it is not told that it is fenced.
        coordinator.reset_generation = lost

    async def on_thread_stop(self) -> None:
        """Leave the group and stop. aiokafka has static members stay; others would wait for their session."""
        if self._consumer is not None and self._consumer._coordinator is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()


class Consumer(driver.Consumer):
    """Faust's consumer with offsets that only ``done`` moves."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._done: dict[TP, int] = {}
        self.delivered: dict[TP, int] = {}
        """The offset after the last record handed on, by partition."""
        self.held: set[TP] = set()
        """Partitions of which nothing more is wanted for now; what was taken before still comes."""
        self._astray = False
        """Whether records may have been taken that were not handed on: the next fetch would begin after them."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def done(self, tp: TP, offset: int) -> None:
        """Everything before ``offset`` is done with and may be committed."""
        if offset > self._done.get(tp, -1):
            self._done[tp] = offset

    async def commit_done(self) -> bool:
        """Commit what is done now, and not at the next occasion; False where the group is being shared out anew."""
        new = {tp: offset for tp, offset in self._done.items() if self._committed_offset.get(tp) != offset}
        return not new or await self._commit_offsets(new)

    def forget(self) -> None:
        """Nothing that was done counts any more: the partitions are about to be somebody else's."""
        self._done.clear()
        self.held.clear()
        self.delivered.clear()

    def reached(self) -> Mapping[TP, int]:
        """Where the next fetch of each partition begins."""
        return self._thread.reached

    def ends_seen(self) -> dict[TP, int]:
        """Where the assigned partitions ended when they were last fetched from."""
        return self._thread.ends_seen()

    async def ends(self) -> dict[TP, int]:
        """Where the assigned partitions end now (high watermarks)."""
        return await self._thread.ends()

    async def committed(self, tp: TP) -> int:
        """The offset committed for a partition: what is delivered begins there."""
        return await self._thread.committed(tp)

    def ack(self, message: ConsumerMessage) -> bool:
        """Faust's own acknowledgement: it moves nothing."""
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[TP]:
        return list(self._done)

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.get(tp)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        committed: bool = await self._commit(offsets)
        if committed:
            self._committed_offset.update(offsets)
        return committed

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what is fetched, in order, until the consumer or its fetcher is stopped."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                    continue
                active = self._get_active_partitions() - self.held
                if not active:  # every buffer is full
                    await asyncio.sleep(0.002)
                    continue
                if self._astray:
                    await self._rewind()
                    continue
                generation = self.app.consumer_generation_id
                self._astray = True
                records = await self._getmany(active, ASK_S)
                reached = self._thread.reached
                if await self._hand_on(records, generation):
                    self._astray = False
                    self.app.processor.fetched(reached, self.delivered)
        except ConsumerStoppedError:
            if not self.transport.app.should_stop:
                raise

    async def _rewind(self) -> None:
        """Have the records that were not handed on fetched again, once it is clear whose they are."""
        with contextlib.suppress(IllegalStateError):  # the next rebalance has come; then again
            await self._thread.rewind()
            self._astray = False

    async def _hand_on(self, records: Mapping[TP, list[Any]], generation: int) -> bool:
        """Pass records to the streams; False if a rebalance came between: they are then fetched again."""
        for tp, found in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return False
            await self.callback(_batch(tp, found, generation))
            self.delivered[tp] = found[-1].offset + 1
        return bool(self.flow_active) and self.app.consumer_generation_id == generation


def _batch(tp: TP, records: Sequence[Any], generation: int) -> Batch:
    first = records[0]
    made = Batch(
        tp.topic, tp.partition, first.offset, first.timestamp / 1000, first.timestamp_type, (), None, None, None,
        tp=tp, generation_id=generation,
    )  # fmt: skip
    made.records = records
    return made


class Producer(driver.Producer):
    """Faust's producer, never started: nothing is written through it."""

    async def on_start(self) -> None:
        """Connect to nothing."""

    async def on_stop(self) -> None:
        """Nothing to end."""

    async def flush(self) -> None:
        """Nothing to wait for."""


class Transport(driver.Transport):
    """The transport of ``correlate`` and ``advance``."""

    Consumer: ClassVar[type] = Consumer
    Producer: ClassVar[type] = Producer
