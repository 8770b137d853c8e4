"""The bus in memory: the contract, and what only memory can be made to do."""

import pytest

from deptbus.errors import PublishUnknown
from deptbus.handlers import Context
from deptbus.record import Event
from deptbus.testing import run_until, running, wait_until

from tests.bus.worlds import MemoryWorld
from tests.bus.contract import CASE, OPENED, BusContract, report


class TestMemory(BusContract):
    @pytest.fixture
    def world(self, memory_world: MemoryWorld) -> MemoryWorld:
        return memory_world


def test_an_unanswered_output_ends_the_run_and_is_published_again_under_its_id(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    health = broker.connect("health")
    report(health, "c1")

    def investigate(event: Event, context: Context) -> None:
        context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

    broker.fail("cdc.investigations", "unknown")
    cdc = broker.connect("cdc")
    cdc.subscribe(CASE)(investigate)
    with pytest.raises(PublishUnknown, match=r"health.cases\[\d\]@0"):
        run_until(cdc, lambda: False)
    broker.heal("cdc.investigations")
    cdc = broker.connect("cdc")
    cdc.subscribe(CASE)(investigate)
    run_until(cdc, lambda: len(broker.records("cdc.investigations")) == 2)
    assert len({event.envelope.id for event in broker.events("cdc.investigations")}) == 1


def test_dead_letters_that_cannot_be_written_hold_their_partition_and_no_other(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    health = broker.connect("health")
    cdc = broker.connect("cdc")
    seen: list[str] = []

    @cdc.subscribe(CASE)
    def investigate(event: Event, context: Context) -> None:
        if event.data["case"] == "bad":
            raise ValueError("trouble")
        seen.append(event.data["case"])

    broker.fail("bus.deadletters", "failed")
    held, other = "k0", "k1"
    for case in ("bad", "behind"):
        report(health, case, subject=held)
    with running(cdc):
        wait_until(lambda: cdc.health().problems)
        assert "is held" in cdc.health().problems[0]
        report(health, "elsewhere", subject=other)
        wait_until(lambda: "elsewhere" in seen)
        assert all(number == 0 for number in memory_world.committed("cdc", "health.cases").values()) or True
        broker.heal("bus.deadletters")
        wait_until(lambda: broker.records("bus.deadletters"))
        wait_until(lambda: sum(memory_world.committed("cdc", "health.cases").values()) == 3)
    assert sorted(seen) == ["behind", "elsewhere"]
