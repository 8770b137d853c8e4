"""Faust's transport on librdkafka, made quick and made to commit only what we say.

What differs from the drivers that Faust brings, and why (each was measured on faust-streaming 0.15.3):

- ``done`` alone decides what is committed. Faust acknowledges the event of an agent that raises, and its own
  offset computation commits past an event that was never acknowledged.
- Records are fetched and taken apart by librdkafka, in threads that do not need the interpreter: in Python each fetch
  costs milliseconds, more than what is done with the few records that it brings while there is little to do.
- What was fetched of a partition travels through Faust's conductor, channel and stream as one message, a
  ``Batch``: a message for each record costs 25 µs of the loop's time.
- The consumer polls from its beginning to its end, and not only while Faust's fetcher runs: partitions are shared out
  inside ``poll``. So nothing is handed on while they are, and what Faust holds was never taken away meanwhile.
- A partition whose intake is full is left alone (``held``) while others go on; Faust's buffers are all partitions'.
- A graceful end leaves the group although members are static, so that others take over at once.
- There is no producer: everything is written elsewhere.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from faust.transport import base
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.producer import Producer as FaustProducer
from faust.types import TP, ConsumerMessage
from mode import Service

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.member import GroupMember
from deptbus.record import Record
from deptbus.streams.errands import Errands
from deptbus.transport import Partition

if TYPE_CHECKING:
    from deptbus.streams.app import App

POLL_S = (0.004, 0.05)
"""How long one request for records waits inside the process: after records came, and after long silence. Data wake it
at once; whatever else is asked of the member waits so long. In actual life that is a commit a second, and it waits long
always: each request is half a millisecond of CPU."""
BUSY_S = 0.005
"""How long nothing is asked for while a batch is worked out: what comes would wait all the same, and comes together."""
RECORDS_MAX = 2_000
"""Records handed on at once."""
_CREATE_TIME = 1


class Batch(ConsumerMessage):
    """Consecutive records of one partition, as Faust carries them: with the coordinates of the first."""

    __slots__ = ("records",)

    records: Sequence[Record]


class Consumer(FaustConsumer):
    """A member of the group, and Faust's consumer, whose offsets only ``done`` moves."""

    app: "App"
    _member: GroupMember

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._errands: Errands
        """Where the member is used."""
        self._subscribed = asyncio.Event()
        self._physical = self.app.settings.world.physical
        self._generation = 0
        self._partitions: dict[TP, Partition] = {}
        """Those assigned, and what the member calls them."""
        self._done: dict[TP, int] = {}
        self.delivered: dict[TP, int] = {}
        """The offset after the last record handed on, by partition."""
        self.held: set[TP] = set()
        """Partitions of which nothing more is wanted for now; what was taken before still comes."""

    # What is done

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

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit. A group that is rebalancing refuses; what is uncommitted is then delivered again."""
        known = {self._partitions[tp]: offset for tp, offset in offsets.items() if tp in self._partitions}
        return not known or await self._errands.run(self._member.commit, known)

    # Where partitions stand

    def assignment(self) -> set[TP]:
        """The partitions of this member."""
        return set(self._partitions)

    def reached(self) -> dict[TP, int]:
        """Where the next fetch of each partition begins, transaction markers included."""
        reached = self._member.reached.copy()
        return {tp: reached[partition] for tp, partition in self._partitions.items() if partition in reached}

    def ends_seen(self) -> dict[TP, int]:
        """Where the assigned partitions ended when they were last fetched from."""
        ends = self._member.ends_seen
        return {tp: ends[partition] for tp, partition in self._partitions.items() if partition in ends}

    async def committed(self, tp: TP) -> int:
        """The offset committed for a partition: what is delivered begins there."""
        partition = self._partitions[tp]
        return (await self._errands.run(self._member.committed, [partition]))[partition]

    async def perform_seek(self) -> None:
        """Faust's return to what is committed: every assignment begins there anyway."""

    def _not_asked(self, *_: object, **__: object) -> Any:
        """What Faust asks for its tables, of which there are none, and for its own way of fetching."""
        raise NotImplementedError

    _getmany = _new_topicpartition = _seek = _to_message = create_topic = earliest_offsets = highwater = _not_asked
    highwaters = key_partition = position = seek_to_committed = seek_wait = topic_partitions = _not_asked

    # Reading

    async def on_start(self) -> None:
        """Make the member."""
        await super().on_start()
        app = self.app
        instance = app.conf.consumer_group_instance_id
        errands = self._errands = Errands("consumer", asyncio.get_running_loop())
        self._member = GroupMember(
            app.settings, app.conf.id, instance,
            given=lambda partitions: errands.wait_for(self._give(partitions)),
            taken=lambda partitions: errands.wait_for(self._take(partitions)),
        )  # fmt: skip

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group."""
        await self._errands.run(self._member.subscribe, sorted(topics))
        self._subscribed.set()

    @Service.task  # type: ignore[untyped-decorator]
    async def _read(self) -> None:
        """Hand on what comes, in order, until the end."""
        await self._subscribed.wait()
        shortest, longest = POLL_S
        if self.app.settings.world.mode == "actual":
            shortest = longest
        wait_s = shortest
        try:
            while not self.should_stop:
                records = await self._errands.run(self._member.poll, self._wanted(), RECORDS_MAX, wait_s)
                wait_s = shortest if records else min(2 * wait_s, longest)
                await self._hand_on(records)
                if self.app.turns.taken:
                    await asyncio.sleep(BUSY_S)
                if self.flow_active and self._member.moved:
                    self._tell_where()
        except Exception as error:
            self.app.fail(error)

    def _tell_where(self) -> None:
        """Tell the processor where partitions stand that have moved."""
        moved, self._member.moved = self._named(self._member.moved), set()
        reached = {tp: self._member.reached[partition] for tp, partition in moved.items()}
        self.app.processor.fetched(reached, {tp: self.delivered[tp] for tp in moved if tp in self.delivered})

    def _wanted(self) -> set[Partition]:
        """What may be fetched: nothing while partitions are shared out, or while buffers are full."""
        if not self.flow_active:
            return set()
        return {self._partitions[tp] for tp in self._get_active_partitions() - self.held if tp in self._partitions}

    async def _hand_on(self, records: Sequence[Record]) -> None:
        """Pass records to the streams."""
        by_partition: dict[Partition, list[Record]] = {}
        for record in records:
            by_partition.setdefault((record.topic, record.partition), []).append(record)
        for partition, found in by_partition.items():
            if not self.flow_active:
                break
            tp = self._tp(partition)
            await self.callback(_batch(tp, found, self._generation))
            self.delivered[tp] = found[-1].offset + 1

    async def on_stop(self) -> None:
        """Commit what is done, and leave the group."""
        await super().on_stop()
        with contextlib.suppress(ClusterUnreachable):  # then its place is kept until its session is over
            await self._errands.run(self._member.close)
        self._errands.end()

    # Sharing out

    async def _take(self, partitions: frozenset[Partition]) -> None:
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(set(self._named(partitions)))
        self._partitions = {tp: partition for tp, partition in self._partitions.items() if partition not in partitions}

    async def _give(self, partitions: frozenset[Partition]) -> None:
        if not self.app.rebalancing:
            self.app.on_rebalance_start()
        self._partitions = self._named(partitions)
        self._generation += 1
        self.app.consumer_generation_id = self._generation
        await self.on_partitions_assigned(set(self._partitions), self._generation)

    def _named(self, partitions: Iterable[Partition]) -> dict[TP, Partition]:
        return {self._tp(partition): partition for partition in partitions}

    def _tp(self, partition: Partition) -> TP:
        return TP(self._physical(partition[0]), partition[1])


def _batch(tp: TP, records: Sequence[Record], generation: int) -> Batch:
    first = records[0]
    made = Batch(
        tp.topic, tp.partition, first.offset, first.timestamp_ms / 1000, _CREATE_TIME, (), None, None, None,
        tp=tp, generation_id=generation,
    )  # fmt: skip
    made.records = records
    return made


class Producer(FaustProducer):
    """Faust's producer, through which nothing is written."""

    async def flush(self) -> None:
        """Nothing to wait for."""


class Fetcher(Service):
    """Faust's fetcher, which has nothing to do: the consumer reads by itself."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)


class Transport(base.Transport):
    """The transport of ``correlate`` and ``advance``."""

    Consumer: ClassVar[type] = Consumer
    Producer: ClassVar[type] = Producer
    Fetcher: ClassVar[type] = Fetcher
    driver_version = "librdkafka"
