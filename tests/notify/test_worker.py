"""One channel on an in-memory broker: what is committed when, and what stops it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.deadletters import DeadLetters
from deptbus.envelope import to_headers
from deptbus.errors import NotGranted
from deptbus.ids import random_id
from deptbus.notify import worker as module
from deptbus.notify.message import Notification
from deptbus.notify.schedule import Bounds, Patience, Verdict
from deptbus.notify.worker import Worker
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.testing import MemoryBroker
from tests.bus.files import write_world
from tests.notify.samples import channel, envelope

DELIVERED = Verdict("delivered")
REFUSED = Verdict("refused", "HTTP 400")
AWAY = Verdict("away", "HTTP 503")


class Channel:
    """A worker whose sink gives the verdicts of a list, then delivers; ``told`` is what it was asked to deliver."""

    def __init__(self, broker: MemoryBroker, verdicts: list[Verdict]) -> None:
        self.broker, self.verdicts, self.told = broker, verdicts, list[str]()
        self.when: Callable[[], None] = lambda: None
        self.channel = channel("ward")
        publisher = Publisher(
            "ward", broker.catalogue, broker.codec, broker.sender(),
            namespace=broker.namespace, clock=system_clock, ids=random_id,
        )  # fmt: skip
        bounds = Bounds(backoff_s=0.01, backoff_max_s=0.02, retry_after_max_s=1, attempts_max=3, away_max_s=60)
        ends = {("workflow.tasks", number): len(log) for number, log in enumerate(broker.logs["workflow.tasks"])}
        self.worker = Worker(
            self.channel, broker.receiver(self.channel.group, ["workflow.tasks"]), self._decide, self,
            DeadLetters(publisher, self.channel.group, 1_000_000), Patience(bounds), structlog.get_logger(),
            lambda: None, ends,
        )  # fmt: skip

    async def deliver(self, notification: Notification) -> Verdict:
        self.told.append(notification.id)
        verdict = self.verdicts.pop(0) if self.verdicts else DELIVERED
        self.when()
        return verdict

    async def close(self) -> None:
        """Nothing is open."""

    def _decide(self, record: Record) -> Notification | None:
        name = f"{record.partition}/{record.offset}" if record.partition else str(record.offset)
        return None if record.value == b"nothing" else Notification(name, {"what": "test"})

    def run(self) -> "Channel":
        asyncio.run(asyncio.wait_for(self.worker.run(), 20))
        return self

    @property
    def committed(self) -> int:
        return self.broker.committed.get(self.channel.group, {}).get(("workflow.tasks", 0), 0)

    @property
    def letters(self) -> list[dict[str, Any]]:
        return [event.data for event in self.broker.events("bus.deadletters")]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    monkeypatch.setattr(module, "POLL_WAIT_S", 0.01)
    made = MemoryBroker(load_catalogue(write_world(tmp_path), system_clock()), settings=Settings())
    for _ in range(4):
        made.put("workflow.tasks", b"x", b"k", to_headers(envelope("workflow.TaskRequested")), partition=0)
    return made


def test_what_is_delivered_is_committed_and_what_is_tried_again_comes_before_what_follows(broker: MemoryBroker) -> None:
    ran = Channel(broker, [DELIVERED, AWAY, AWAY, AWAY, AWAY]).run()
    assert ran.told == ["0", "1", "1", "1", "1", "1", "2", "3"]
    assert ran.committed == 4
    assert (ran.worker.counts["delivered"], ran.worker.counts["retried"]) == (4, 4)
    assert ran.letters == []


def test_nothing_is_passed_by_until_its_dead_letter_is_written(broker: MemoryBroker) -> None:
    made = Channel(broker, [DELIVERED, REFUSED, REFUSED])
    seen: list[int] = []

    def heal_at_the_third() -> None:
        seen.append(made.committed)
        if len(made.told) == 3:
            broker.heal("bus.deadletters")

    made.when = heal_at_the_third
    broker.fail("bus.deadletters", "failed")
    made.run()
    assert made.told == ["0", "1", "1", "2", "3"]
    assert seen == [0, 1, 1, 2, 3]
    (letter,) = made.letters
    assert (letter["offset"], letter["reason"], letter["message"]) == (1, "notify_refused", "ward/duty: HTTP 400")


def test_a_partition_whose_dead_letter_cannot_be_written_waits_and_others_of_the_channel_go_on(
    broker: MemoryBroker,
) -> None:
    broker.put("workflow.tasks", b"x", b"j", to_headers(envelope("workflow.TaskRequested")), partition=1)
    made = Channel(broker, [REFUSED, DELIVERED, REFUSED])
    made.when = lambda: broker.heal("bus.deadletters") if "1/0" in made.told else None
    broker.fail("bus.deadletters", "failed")
    made.run()
    assert made.told == ["0", "1/0", "0", "1", "2", "3"]
    assert [(letter["partition"], letter["offset"]) for letter in made.letters] == [(0, 0)]
    assert made.committed == 4


def test_a_stop_ends_after_the_attempt_under_way_and_a_new_start_goes_on_there(broker: MemoryBroker) -> None:
    made = Channel(broker, [])
    made.when = lambda: made.worker.stop() if len(made.told) == 2 else None
    made.run()
    assert (made.told, made.committed) == (["0", "1"], 2)
    assert Channel(broker, []).run().told == ["2", "3"]


def test_what_is_not_for_the_channel_is_committed_too(broker: MemoryBroker) -> None:
    broker.put("workflow.tasks", b"nothing", partition=0)
    ran = Channel(broker, []).run()
    assert (ran.told, ran.committed) == (["0", "1", "2", "3"], 5)


def test_a_grant_that_lapses_ends_the_channel(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_S", 0.0)
    made = Channel(broker, [AWAY] * 100)

    def lapsed() -> None:
        if len(made.told) > 1:
            raise NotGranted("lapsed")

    made.worker.check_access = lapsed
    with pytest.raises(NotGranted):
        made.run()
    assert made.committed == 0
