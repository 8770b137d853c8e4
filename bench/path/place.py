"""One side's topics: publishing into them, and watching until everything has come out at their ends."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from confluent_kafka import Message, Producer

from bench.path.load import CASES_EACH, EVENTS_EACH, TOPIC, Expected, Made
from bench.suite.processes import MeasurementFailed
from deptbus.catalogue import Catalogue
from deptbus.codec import Codec
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, producer_configuration, reader_configuration
from deptbus.kafka.consumer import END, Tail, read_partition
from deptbus.kafka.ends import end_offsets
from deptbus.namespace import Namespace
from deptbus.record import Record
from deptbus.settings import Settings

TOPICS = (TOPIC, "workflow.journal", "workflow.tasks", "workflow.events", "workflow.timeline", "workflow.instances")
CHECKPOINT_S = 15.0
"""Checkpoints come more often."""
LIMIT_S = 180.0
"""A side that needs longer for one run has lost something."""


class Came(NamedTuple):
    """What came of a run."""

    ended_ms: int
    """When the last output was readable, by the machine's clock, which is the broker's too."""
    digest: str
    """Of the tasks: ids, types and keys."""


class Place:
    """The topics of a side. ``snapshots`` (physical): where states go at checkpoints instead of with each batch."""

    def __init__(
        self, settings: Settings, world: Namespace, catalogue: Catalogue, codec: Codec, snapshots: str | None = None
    ) -> None:
        self.world = world
        self._codec = codec
        self._reading = reader_configuration(settings)
        self._snapshots = snapshots or world.physical("workflow.instances")
        self._checkpoints = snapshots is not None
        topics = [catalogue.topic(name) for name in TOPICS]
        Admin(client_configuration(settings)).create_namespace_topics(world, topics)
        self._producer = Producer(producer_configuration(settings) | {"linger.ms": 5})

    def append(self, key: str, value: bytes, headers: list[tuple[str, bytes]], partitions: Iterable[int]) -> None:
        """Append the same to partitions of the journal."""
        for partition in partitions:
            self._producer.produce(self.world.physical("workflow.journal"), value, key, partition, headers=headers)
        self._producer.flush()

    def publish(self, events: Sequence[Made]) -> int:
        """Publish all as fast as can be; answers when the first was appended, by the broker's clock, in milliseconds.

        Events of one region get different milliseconds: what overtook what would else be decided by chance.
        """
        regions = len(events) // EVENTS_EACH
        times = [self._publish(events[start : start + regions]) for start in range(0, len(events), regions)]
        return times[0][0]

    def _publish(self, events: Sequence[Made]) -> list[int]:
        times: list[int] = []

        def answered(error: object, message: Message) -> None:
            if error is not None:
                raise MeasurementFailed(f"an event could not be published: {error}")
            times.append(message.timestamp()[1])

        topic = self.world.physical(TOPIC)
        for event in events:
            self._producer.produce(topic, event.value, event.key, headers=event.headers, on_delivery=answered)
            self._producer.poll(0)
        self._producer.flush()
        if len(times) != len(events):
            raise MeasurementFailed(f"{len(times)} of {len(events)} events were acknowledged")
        while time.time_ns() // 1_000_000 <= max(times):
            time.sleep(0.000_2)
        return sorted(times)

    def watch(self) -> "Watch":
        """Begin to watch what comes from now on."""
        return Watch(self)

    def ends(self, topic: str) -> dict[int, int]:
        """Where the partitions of a topic (physical) end."""
        return end_offsets(self._reading, topic)

    def read(self, topic: str, starts: dict[int, int]) -> Iterable[Record]:
        """What has come to a topic (physical) since then."""
        for partition, start in starts.items():
            yield from read_partition(self._reading, topic, partition, start)

    def tail(self, topic: str) -> Tail:
        """Follow a topic (physical) from its end."""
        return Tail(self._reading, {topic: END})

    def count_timeline(self, starts: dict[int, int]) -> tuple[int, int]:
        """When the last record of the timeline was written, and how many there are."""
        records = list(self.read(self.world.physical("workflow.timeline"), starts))
        return max((record.timestamp_ms for record in records), default=0), len(records)

    def check_states(self, starts: dict[int, int], regions: int) -> int:
        """Every region must have ended with all its cases; when the last snapshot was written, in milliseconds.

        States that are written at checkpoints are waited for, and their time does not count: 0.
        """
        limit = time.monotonic() + CHECKPOINT_S * self._checkpoints
        while True:
            try:
                last = self._check_states(starts, regions)
                return 0 if self._checkpoints else last
            except MeasurementFailed:
                if time.monotonic() > limit:
                    raise

    def _check_states(self, starts: dict[int, int], regions: int) -> int:
        cases: dict[str, int] = {}
        last = 0
        for record in self.read(self._snapshots, starts):
            last = max(last, record.timestamp_ms)
            value = record.value or b""
            if self._codec.schema_id(value) == self._codec.schema("workflow.InstanceChanged").id:
                state = self._codec.decode(value)
                cases[state["instance"]] = state["facts"]["cases"]
        if len(cases) != regions or set(cases.values()) != {EVENTS_EACH * CASES_EACH}:
            raise MeasurementFailed(f"the states of {len(cases)} of {regions} regions hold {Counter(cases.values())}")
        return last


class Watch:
    """Watches one run."""

    def __init__(self, place: Place) -> None:
        self._place = place
        physical = place.world.physical
        self._timeline = physical("workflow.timeline")
        self._starts = {topic: place.ends(topic) for topic in (self._timeline, place._snapshots)}
        self._tail = place.tail(physical("workflow.tasks"))

    def wait(
        self, regions: int, expected: Expected, alive: Callable[[], None], seen: Callable[[], None] | None = None
    ) -> Came:
        """Until every task has come, and all else is checked; ``seen`` is called between the two."""
        tasks: list[str] = []
        limit = time.monotonic() + LIMIT_S
        while len(tasks) < regions * expected.tasks:
            if time.monotonic() > limit:
                raise MeasurementFailed(f"{len(tasks)} of {regions * expected.tasks} tasks came in {LIMIT_S:.0f} s")
            alive()
            for record in self._tail.poll(0.05, 5_000):
                headers = dict(record.headers)
                tasks.append(f"{headers['ce_id']!r} {headers['ce_type']!r} {record.key!r}")
        seen_ms = time.time_ns() // 1_000_000
        if seen is not None:
            seen()
        self._tail.close()
        last, timeline = self._place.count_timeline(self._starts[self._timeline])
        if timeline != regions * expected.timeline or len(set(tasks)) != len(tasks):
            raise MeasurementFailed(f"{timeline} timeline records and {len(set(tasks))} different tasks came")
        last = max(last, self._place.check_states(self._starts[self._place._snapshots], regions))
        return Came(max(seen_ms, last), hashlib.sha256("\n".join(sorted(tasks)).encode()).hexdigest())
