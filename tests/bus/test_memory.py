"""The bus in memory: the contract, and what only memory can be made to do."""

import pytest

from deptbus.errors import PublishUnknown
from deptbus.handlers import Context
from deptbus.record import Event
from deptbus.testing import run_until, running, wait_until
from tests.bus.contract import CASE, OPENED, BusContract, report
from tests.bus.worlds import MemoryWorld


class TestMemory(BusContract):
    @pytest.fixture
    def world(self, memory_world: MemoryWorld) -> MemoryWorld:
        return memory_world


def test_an_unanswered_output_ends_the_run_and_is_published_again_under_its_id(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    ward = broker.connect("ward")
    report(ward, "c1")

    def investigate(event: Event, context: Context) -> None:
        context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

    broker.fail("lab.investigations", "unknown")
    lab = broker.connect("lab")
    lab.subscribe(CASE)(investigate)
    with pytest.raises(PublishUnknown, match=r"ward.cases\[\d\]@0"):
        run_until(lab, lambda: False)
    broker.heal("lab.investigations")
    lab = broker.connect("lab")
    lab.subscribe(CASE)(investigate)
    run_until(lab, lambda: len(broker.records("lab.investigations")) == 2)
    assert len({event.envelope.id for event in broker.events("lab.investigations")}) == 1


def test_dead_letters_that_cannot_be_written_hold_their_partition_and_no_other(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    ward = broker.connect("ward")
    lab = broker.connect("lab")
    seen: list[str] = []

    @lab.subscribe(CASE)
    def investigate(event: Event, context: Context) -> None:
        if event.data["case"] == "bad":
            raise ValueError("trouble")
        seen.append(event.data["case"])

    broker.fail("bus.deadletters", "failed")
    held, other = "k0", "k1"
    for case in ("bad", "behind"):
        report(ward, case, subject=held)
    with running(lab):
        wait_until(lambda: lab.health().problems)
        assert "is held" in lab.health().problems[0]
        report(ward, "elsewhere", subject=other)
        wait_until(lambda: "elsewhere" in seen)

        broker.heal("bus.deadletters")
        wait_until(lambda: broker.records("bus.deadletters"))
        wait_until(lambda: sum(memory_world.committed("lab", "ward.cases").values()) == 3)
    assert sorted(seen) == ["behind", "elsewhere"]
