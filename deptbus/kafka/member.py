"""A static member of a consumer group: in a place of its own, whose partitions it has again after a restart. Blocking.

Partitions are shared out anew inside ``poll`` and nowhere else, and the member waits until whoever uses it has finished
with those that are taken away. Used from one thread, also while it waits: librdkafka's client for Python lets nobody
else in before the ``poll`` is over.

A broker that stands still for longer than a session takes a static member's place for lost. When it goes on, what the
member had asked under its old name may come after it has joined under a new one, and then librdkafka's client is of no
further use: it was fenced, as it were, by itself. So a fenced member joins anew, with another client; what was not
committed is delivered again.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from deptbus.errors import BusError, ClusterUnreachable
from deptbus.kafka.asking import Broker
from deptbus.kafka.committing import AWAY, REBALANCING, Commits
from deptbus.kafka.configuration import consumer_configuration
from deptbus.kafka.forgetting import let_go
from deptbus.kafka.reader import Reader, logical_name
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.transport import Partition

APART_S = 5.0
"""A member that loses its place so soon after it came is not alone in it, in seconds: no session is over by then."""
REQUEST_S = 40.0
"""How long a broker may be away while it is asked about offsets, in seconds."""
GATHERED = {"fetch.min.bytes": 64 * 1024, "fetch.wait.max.ms": 25}
"""In actual life the broker waits a moment for more before it answers: an answer for each event costs broker and member
more than the event itself. In an exercise everyone waits for the step to be over, and for nothing besides."""
_AGAIN_S = 0.1
_LOOK_S = 1.0
_PORT = "9092"
"""Where an address names none, as librdkafka has it."""

T = TypeVar("T")
Shared = Callable[[frozenset[Partition]], None]
_FENCED = frozenset({KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL})


class SlotTaken(BusError):
    """Two processes are in one place of a group."""


class GroupMember(Reader):
    """See the module. ``group`` and topics are physical names; ``instance`` names the place.

    ``given`` is told which partitions are this member's from now on, ``taken`` before some are somebody else's, both
    inside ``poll``.
    """

    def __init__(self, settings: Settings, group: str, instance: str, given: Shared, taken: Shared) -> None:
        self._commits = Commits()
        configuration = consumer_configuration(settings, group) | {
            "client.id": instance,
            "group.instance.id": instance,
            "partition.assignment.strategy": "roundrobin",
            "heartbeat.interval.ms": 1_000,
            "on_commit": self._commits.answered,
        }
        if settings.world.mode == "actual":
            configuration |= GATHERED
        super().__init__(configuration)
        self.assignment: frozenset[Partition] = frozenset()
        self.ends_seen: dict[Partition, int] = {}
        """Where the partitions ended when they were last fetched from, as of the last second."""
        self._seen_at = 0.0
        self.moved: set[Partition] = set()
        """Partitions whose position is another than when whoever looks emptied this."""
        self._settings = settings
        self._group, self._instance = group, instance
        self._given, self._taken = given, taken
        self._physical: dict[str, str] = {}
        self._paused: set[Partition] = set()
        self._shared_out = False
        """Whether that happened during the present ``poll``."""
        self._lost = False
        """Whether partitions that are being taken away are somebody else's already."""
        self._fenced = False
        """Whether this client is of no further use."""
        self._came_at = time.monotonic()
        """When this member came into its place."""
        self._closing = False

    def subscribe(self, topics: Collection[str]) -> None:
        """Join the group, for these topics."""
        self._physical = {logical_name(topic): topic for topic in topics}
        self._join()

    def poll(self, wanted: Collection[Partition], count_max: int, timeout_s: float) -> list[Record]:
        """The next records of wanted partitions, waiting at most ``timeout_s`` for the first.

        What was fetched of a partition before it was no longer wanted may still come. Raises ``SlotTaken`` when another
        process has come into this place.
        """
        if self._fenced:
            self._begin_anew()
        self._ask()
        self._want(wanted)
        self._shared_out = False
        limit = time.monotonic() + timeout_s
        while True:
            records = self._records(count_max, max(0.0, limit - time.monotonic()))
            if self._shared_out and records:  # of before or of after: nobody can tell
                records = []
                if self.assignment:
                    self._begin()
            now = time.monotonic()
            if records or self._shared_out or now >= limit:  # else a partition's end was told
                break
        if now - self._seen_at > _LOOK_S:
            self._seen_at = now
            self._look()
        self.moved.update((record.topic, record.partition) for record in records)
        return records

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Have these committed, without waiting; False where this place is lost."""
        if self._lost or self._fenced:
            return not offsets
        self._commits.add({(self._physical[topic], number): at for (topic, number), at in offsets.items()})
        self._ask()
        return not self._fenced

    def _ask(self) -> None:
        refused = self._commits.ask(self._consumer)
        if refused is not None and not self._is_fenced(refused):
            raise ClusterUnreachable(f"Offsets could not be committed: {refused.str()}")

    def committed(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The offsets committed, 0 for none."""
        places = self._places(partitions)
        found = _patiently("read offsets", lambda: self._consumer.committed(places, REQUEST_S)) if places else ()
        return {(logical_name(place.topic), place.partition): max(0, place.offset) for place in found}

    def close(self) -> None:
        """Leave the group at once: others would wait for a static member's session to be over."""
        self._closing = True
        self._commits.settle(self._consumer)
        let_go(self._consumer)
        with self._coordinator() as broker:
            broker.leave(self._group, self._instance)

    def _coordinator(self) -> Broker:
        refused: BusError = ClusterUnreachable("BUS_BOOTSTRAP_SERVERS names no broker.")
        for server in self._settings.bootstrap_servers.split(","):
            host, port = server.strip().rsplit(":", 1) if ":" in server else (server.strip(), _PORT)
            try:
                with Broker(self._settings, host, int(port)) as broker:
                    where = broker.coordinator(self._group)
                return Broker(self._settings, *where)
            except BusError as error:
                refused = error
        raise refused

    def _look(self) -> None:
        self.ends_seen = {}
        for place in self._places(self.assignment):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            if end >= 0:
                self.ends_seen[logical_name(place.topic), place.partition] = end

    def _begin(self) -> None:
        """Read everything from where it is committed, once it is wanted."""
        self.reached = committed = self.committed(self.assignment)
        places = self._at(committed)
        self._consumer.assign(places)
        self._consumer.pause(places)
        self._paused = set(self.assignment)
        self.moved = set(self.assignment)

    def _event(self, message: Message) -> None:
        end = message.error().code() == KafkaError._PARTITION_EOF
        if end and self._shared_out:  # of before: what is given is read only after this poll
            return
        super()._event(message)
        if end:
            self.moved.add((self._logical[message.topic()], message.partition()))

    def _want(self, wanted: Collection[Partition]) -> None:
        paused = set(self.assignment.difference(wanted))
        if paused == self._paused:
            return
        if more := self._places(paused - self._paused):
            self._consumer.pause(more)
        if fewer := self._places(self._paused - paused):
            self._consumer.resume(fewer)
        self._paused = paused

    def _assigned(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        if self._closing or consumer is not self._consumer:  # it was let go of
            return
        self._shared_out, self._came_at, self._waits_since = True, time.monotonic(), None
        self.assignment = frozenset((logical_name(place.topic), place.partition) for place in partitions)
        self._begin()
        self._given(self.assignment)

    def _revoked(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        if self._closing or consumer is not self._consumer:
            return
        self._shared_out, self._waits_since = True, time.monotonic()
        taken = frozenset((logical_name(place.topic), place.partition) for place in partitions)
        self._taken(taken)
        if not self._lost:
            self._commits.ask(consumer, at_once=True)
        self._commits.drop((place.topic, place.partition) for place in partitions)
        self.assignment -= taken
        self._paused -= taken
        self.moved -= taken
        for partition in taken:
            self.reached.pop(partition, None)

    def _places(self, partitions: Collection[Partition]) -> list[TopicPartition]:
        return [TopicPartition(self._physical[topic], partition) for topic, partition in partitions]

    def _at(self, offsets: Mapping[Partition, int]) -> list[TopicPartition]:
        return [TopicPartition(self._physical[topic], number, at) for (topic, number), at in offsets.items()]

    def _gone(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        """The broker has heard nothing of us for a session: nothing can be committed any more."""
        self._lost = True
        try:
            self._revoked(consumer, partitions)
        finally:
            self._lost = False

    def _join(self) -> None:
        self._waits_since = time.monotonic()
        topics = sorted(self._physical.values())
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._gone)

    def _any_topic(self) -> str | None:
        return next(iter(self._physical.values()), None)

    def _begin_anew(self) -> None:
        """Come into this place once more; what librdkafka has not taken away for us is."""
        self._gone(self._consumer, self._places(self.assignment))
        self._exchange()
        self._fenced, self._came_at = False, time.monotonic()
        self._join()

    def _failed(self, error: KafkaError, message: Message) -> None:
        if not self._is_fenced(error):
            super()._failed(error, message)

    def _is_fenced(self, error: KafkaError) -> bool:
        """Whether this says that the place is lost; ``SlotTaken`` where somebody else must have come into it."""
        if error.code() not in _FENCED:
            return False
        if not self._fenced and time.monotonic() - self._came_at < APART_S:
            raise SlotTaken(
                f"The place in the group {self._group} is lost: another process runs as {self._instance} "
                f"({error.str()}). Give every worker a slot of its own (--worker)."
            )
        self._fenced = True
        return True


def _patiently(what: str, ask: Callable[[], T]) -> T:
    """Ask until there is an answer, while the broker is away."""
    limit = time.monotonic() + REQUEST_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            refused = error.args[0]
            if refused.code() in REBALANCING or not (refused.retriable() or refused.code() in AWAY):
                raise
            if time.monotonic() > limit:
                raise ClusterUnreachable(f"The broker does not {what}: {refused.str()}") from error
            time.sleep(_AGAIN_S)
