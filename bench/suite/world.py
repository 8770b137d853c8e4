"""A namespace on the suite's broker with the topics that a measurement needs, and what lies on them."""

from collections.abc import Iterable

from bench.cases import Digest
from bench.suite.bench import Bench
from bench.suite.processes import MeasurementFailed
from deptbus import bootstrap
from deptbus.catalogue import Catalogue, Topic, load_catalogue
from deptbus.clock import system_clock
from deptbus.exercise.exercise import drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.kafka.ends import end_offsets
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings

LINGER_MS = 5
"""How long an event waits for others to travel with it: librdkafka's own default, which its documentation advises."""


class World:
    """A namespace, registered and with its topics made. ``lasting`` ones stay when their measurement has ended."""

    def __init__(self, bench: Bench, namespace: str, topics: Iterable[str], *, lasting: bool = False) -> None:
        self.environment = bench.stack.environment(
            BUS_NAMESPACE=namespace, BUS_PUBLISH_LINGER_MS=str(LINGER_MS), BUS_LOG_LEVEL="warning"
        )
        self.settings: Settings = bench.stack.settings(namespace=namespace, publish_linger_ms=LINGER_MS)
        self.catalogue: Catalogue = load_catalogue(self.settings.root, system_clock())
        with bootstrap.open_registry(self.settings) as registry:
            done = register_schemas(registry, self.catalogue.schemas, {})
        self.schema_ids = {one.type: one.id for one in done}
        self.admin = Admin(client_configuration(self.settings))
        self.create(self.catalogue.topic(name) for name in topics)
        if not lasting:
            bench.leave(lambda: drop_namespace(self.admin, self.settings.world))

    def create(self, topics: Iterable[Topic]) -> None:
        """Make topics."""
        self.admin.create_namespace_topics(self.settings.world, list(topics), 1)

    def physical(self, name: str) -> str:
        """What Kafka knows a topic or a group as."""
        return self.settings.world.physical(name)

    def ends(self, topic: str) -> dict[int, int]:
        """Where each partition of a topic ends now."""
        return end_offsets(reader_configuration(self.settings), self.physical(topic))

    def check(self, topic: str, starts: dict[int, int], count: int) -> str:
        """The hash over what was written to a topic since; ``MeasurementFailed`` unless it is ``count`` events."""
        digest, ends = Digest(), self.ends(topic)
        for partition, start in starts.items():
            for record in read_partition(
                reader_configuration(self.settings), self.physical(topic), partition, start, ends[partition]
            ):
                digest.add(record.key, record.value, record.headers)
        if digest.count != count or len(digest.ids) != count:
            raise MeasurementFailed(f"{topic} has {digest.count} new events of {len(digest.ids)} ids, not {count}.")
        return digest.hex()
