"""The bus in memory: the contract, and what only memory can be made to do."""

import asyncio
import threading
from typing import Any, Literal

import pytest

from deptbus import subscriber
from deptbus.errors import BusError, PublishFailed, PublishUnknown
from deptbus.handlers import Context
from deptbus.inbox import MemoryInbox
from deptbus.outcome import Outcome, Pending
from deptbus.record import Event
from deptbus.testing import run_until, running, together, wait_until
from deptbus.testing.memory import MemorySender
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
    held, other = "k0", "k3"
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


def test_a_dead_letter_without_an_answer_keeps_nobody_else_waiting(
    memory_world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "LETTER_S", 0.02)
    broker = memory_world.broker
    sender = Unanswering(broker)
    ward, lab = broker.connect("ward"), broker.connect("lab", sender=sender)
    seen: list[str] = []

    @lab.subscribe(CASE)
    def investigate(event: Event, context: Context) -> None:
        if event.data["case"] == "bad":
            raise ValueError("trouble")
        seen.append(event.data["case"])
        context.publish("lab.InvestigationOpened", {"case": event.data["case"]}, subject="i1")

    report(ward, "bad", subject="k0")
    with running(lab):
        wait_until(lambda: lab.health().problems)
        assert "no answer came within" in lab.health().problems[0]
        for number in range(5):
            report(ward, str(number), subject="k3")
        wait_until(lambda: len(broker.records("lab.investigations")) == 5)
        wait_until(lambda: sum(memory_world.committed("lab", "ward.cases").values()) == 5)
        sender.answers = True
        wait_until(lambda: sum(memory_world.committed("lab", "ward.cases").values()) == 6)
    assert seen == ["0", "1", "2", "3", "4"]


class Unanswering(MemorySender):
    """Gives no answers to dead letters, and can be flushed only while there are none."""

    answers = False
    _unanswered: Pending | None = None

    def send(self, topic: str, *record: Any, **more: Any) -> Pending:
        if topic != "bus.deadletters" or self.answers:
            return super().send(topic, *record, **more)
        self._unanswered = Pending(self, topic, "letter")
        return self._unanswered

    def flush(self) -> None:
        assert self._unanswered is None or self.answers, "a flush waits for everything"

    def poll(self, timeout_s: float) -> None:
        threading.Event().wait(timeout_s)


def test_what_comes_again_for_one_service_is_not_handled_again_by_another(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    ward, lab = broker.connect("ward"), broker.connect("lab")
    roads = broker.connect("roads", sender=lab._sender)
    seen: list[str] = []
    roads.subscribe(CASE)(lambda event: seen.append(event.data["case"]))
    attempts: list[int] = []

    @lab.subscribe(CASE)
    def investigate(event: Event, context: Context) -> None:
        attempts.append(context.attempt)
        raise ValueError("trouble")

    broker.fail("bus.deadletters", "failed")
    report(ward, "c1")
    with together(lab, roads):
        wait_until(lambda: len(attempts) > 3)
        broker.heal("bus.deadletters")
        wait_until(lambda: broker.records("bus.deadletters"))
        report(ward, "c2")
        wait_until(lambda: "c2" in seen)
    assert seen == ["c1", "c2"]


def test_handlers_that_wait_do_so_side_by_side_and_keep_the_order_of_their_partition(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    ward, lab = broker.connect("ward"), broker.connect("lab")
    begun: list[str] = []
    ended: list[str] = []

    @lab.subscribe(CASE)
    async def wait(event: Event) -> None:
        begun.append(event.data["case"])
        while len(begun) < 2:  # until the other partition's has begun too
            await asyncio.sleep(0)
        ended.append(event.data["case"])

    for case, subject in (("a1", "k0"), ("a2", "k0"), ("b1", "k3"), ("b2", "k3")):
        report(ward, case, subject=subject)
    run_until(lab, lambda: len(ended) == 4)
    assert {"a1", "b1"} == set(begun[:2])
    assert ended.index("a1") < ended.index("a2")
    assert ended.index("b1") < ended.index("b2")


def test_an_inbox_of_the_services_own_is_asked_and_told(memory_world: MemoryWorld) -> None:
    broker = memory_world.broker
    ward = broker.connect("ward")
    known, new = report(ward, "c1"), report(ward, "c2")
    inbox = MemoryInbox(10)
    inbox.record(known)
    lab = broker.connect("lab", inbox=inbox)
    seen: list[str] = []
    lab.subscribe(CASE)(lambda event: seen.append(event.data["case"]))
    run_until(lab, lambda: seen and inbox.handled(new))
    assert seen == ["c2"]
    assert lab.health().counts["duplicates"] == 1


def test_an_outcome_is_made_of_the_place_when_it_is_asked_for() -> None:
    told: list[Outcome] = []
    pending = Pending(Nobody(), "ward.cases", "id")
    assert pending.outcome is None
    pending.when_settled(told.append)
    pending.settle((1, 7, 5))
    pending.check()
    assert pending.result() == pending.outcome == Outcome("acknowledged", "id", "ward.cases", 1, 7, 5)
    assert told == [pending.outcome]


@pytest.mark.parametrize(("state", "error"), [("failed", PublishFailed), ("unknown", PublishUnknown)])
def test_check_raises_what_became_of_it(state: Literal["failed", "unknown"], error: type[BusError]) -> None:
    pending = Pending(Nobody(), "ward.cases", "id")
    pending.settle(Outcome(state, "id", "ward.cases", reason="the test says so"))
    with pytest.raises(error, match="the test says so"):
        pending.check()


class Nobody:
    def poll(self, timeout_s: float) -> None:
        raise AssertionError("nothing is waited for")
