"""Actual life, where broker time decides: a quiet incident escalates, with correlate or without it."""

from collections.abc import Iterator

import pytest

from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.streams.world import LIMIT_S, Workers, World, counting
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka


@pytest.fixture
def namespace(stack: SharedStack) -> Iterator[Namespace]:
    """Actual life itself; the tests' broker has nothing else in it."""
    yield Namespace()
    admin = Admin(client_configuration(stack.settings()))
    admin.delete(Namespace(), admin.names(Namespace()))


@pytest.fixture
def settings(stack: SharedStack, namespace: Namespace) -> Settings:
    return stack.settings(namespace=namespace.name)


def _escalated(world: World) -> list[dict[str, object]]:
    return [data for _, kind, data in world.read("workflow.tasks") if kind == "workflow.TaskEscalated"]


def _ticks(world: World) -> list[int]:
    entries = [data["entry"] for _, _, data in world.read("workflow.journal")]
    return [entry["at"] for entry in entries if entry["kind"] == "tick"]


def test_a_quiet_incident_escalates(world: World, workers: Workers) -> None:
    world.activate(counting(acknowledge_by="0m"))
    workers.start("correlate")
    workers.start("advance")
    world.publish(["440100"])
    wait_until(lambda: _escalated(world), "the escalation", LIMIT_S)
    [escalation] = _escalated(world)
    [at] = _ticks(world)
    assert at >= escalation["due"]
    (record, _, _), *_ = world.read("health.cases")
    assert escalation["due"] == record.timestamp_ms, "the broker's time, not the producer's"
    covered = [data["covered_until"] for data in world.reports("correlate") if data["covered_until"] is not None]
    assert covered == sorted(covered)
    assert at <= covered[-1]


def test_it_escalates_without_correlate_once_the_wait_is_over(world: World, workers: Workers) -> None:
    workers.environment["BUS_INPUT_WAIT_S"] = "2"
    world.activate(counting(acknowledge_by="0m"))
    workers.start("correlate")
    world.publish(["440100"])
    world.wait_for_entries(1)
    workers.stop("correlate-0")
    workers.start("advance")
    wait_until(lambda: _escalated(world), "the escalation", LIMIT_S)
    assert len(_ticks(world)) == 1
