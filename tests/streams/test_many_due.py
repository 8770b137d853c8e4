"""A partition in which very much is due at once is busy for a while; the others are not."""

import time
from collections.abc import Iterator

import pytest

from deptbus.envelope import Envelope, to_headers
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from deptbus.streams.advance import INTAKE_MAX
from deptbus.workflow.correlate import tick
from tests.broker import SharedStack
from tests.streams.crowd import NEVER_S, advanced, append, cases, keys, records_of
from tests.streams.world import Workers, World
from tests.waiting import wait_until
from tests.workflow.crowd import CROWDED, crowd
from tests.workflow.world import HOUR

pytestmark = pytest.mark.kafka

DUE = 20_000
BUSY, OTHER = 0, 1
LIMIT_S = 120


@pytest.fixture
def namespace(stack: SharedStack) -> Iterator[Namespace]:
    """Actual life itself; the tests' broker has nothing else in it."""
    yield Namespace()
    admin = Admin(client_configuration(stack.settings()))
    admin.delete(Namespace(), admin.names(Namespace()))


@pytest.fixture
def settings(stack: SharedStack, namespace: Namespace) -> Settings:
    return stack.settings(namespace=namespace.name)


def test_while_one_partition_is_busy_others_go_on_and_what_comes_behind_is_applied_after_it(
    world: World, workers: Workers
) -> None:
    """More comes behind the tick than the partition's intake takes."""
    at = round(time.time() * 1000) - 2 * HOUR
    for output in crowd(keys(BUSY, DUE), 1, at):
        envelope = Envelope(id=output.id, type=output.type, source="/bus/workflow", time_ms=at)
        value = world.codec.encode(output.type, output.data)
        world.sender.send(output.topic, output.key.encode(), value, to_headers(envelope), output.id, BUSY)
    world.sender.flush()
    world.activate(CROWDED)
    workers.environment["BUS_INPUT_WAIT_S"] = NEVER_S
    workers.start("advance")
    wait_until(lambda: workers.log("advance-0").count("restored") == 4, "the states", LIMIT_S)
    late = {"kind": "alias", "workflow": "small", "key": "nobody", "target": "somebody"}
    behind = [tick(at) | late] * (INTAKE_MAX + 2_000)
    append(world, BUSY, tick(at + 2 * HOUR), *behind, *cases(world, BUSY, 1)[:1])
    [other] = cases(world, OTHER, 1)
    append(world, OTHER, other)
    wait_until(lambda: advanced(world, BUSY) == at + 2 * HOUR, "the tick to be applied", LIMIT_S)
    [opened] = [record for record, kind, data in world.read("workflow.events")
                if kind == "workflow.InstanceOpened" and data["key"] == other["key"]]  # fmt: skip
    written = [at_ms for at_ms, data in records_of(world, BUSY) if data["entry"] is not None]
    assert opened.timestamp_ms < written[-1], "before the tick was over"
    assert workers.log("advance-0").count("assigned") == 1, "the worker kept its partitions"
