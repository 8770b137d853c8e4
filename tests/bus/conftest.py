"""The small world of the bus's tests, in memory and on the session's broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import from_iso
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.schemas.registration import register_schemas, resolve_ids
from deptbus.settings import Settings
from deptbus.testing import MemoryBroker
from tests.bus.files import write_world
from tests.bus.worlds import KafkaWorld, MemoryWorld

AT_MS = from_iso("2026-01-01T00:00:00Z")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def catalogue(root: Path) -> Catalogue:
    return load_catalogue(root, AT_MS)


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """The settings with pauses that tests need not wait for."""
    return settings.model_copy(update={"handler_backoff_ms": 1, "handler_backoff_max_ms": 50})


@pytest.fixture
def memory_world(catalogue: Catalogue) -> MemoryWorld:
    settings = Settings(handler_backoff_ms=1, handler_backoff_max_ms=50)
    return MemoryWorld(MemoryBroker(catalogue, namespace=Namespace("test"), settings=settings))


@pytest.fixture
def kafka_world(catalogue: Catalogue, quick: Settings) -> Iterator[KafkaWorld]:
    with bootstrap.open_registry(quick) as registry:
        register_schemas(registry, catalogue.schemas, {})
        codec = bootstrap.make_codec(quick, catalogue, resolve_ids(registry, catalogue.schemas))
    admin = AdminClient(client_configuration(quick))
    wanted = [
        NewTopic(
            quick.world.physical(topic.name), topic.partitions, 1,
            config={"message.timestamp.type": topic.timestamp_type, "max.message.bytes": str(topic.message_bytes_max)},
        )
        for topic in catalogue.topics.values()
        if topic.owner != "workflow"
    ]  # fmt: skip
    for made in admin.create_topics(wanted).values():
        made.result(30)
    world = KafkaWorld(catalogue, codec, quick)
    yield world
    for bus in world.buses:
        bus.close()
    for gone in admin.delete_topics([topic.topic for topic in wanted]).values():
        gone.result(30)
