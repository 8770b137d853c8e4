"""Faust commits what ``done`` says and nothing else; failpoints; health. No broker."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from faust.types import TP

from deptbus import failpoint
from deptbus.errors import SettingsError
from deptbus.health import read_health, write_health
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.streams.app import App, make_app
from deptbus.streams.intake import Intake
from deptbus.streams.transport import Batch, Consumer
from deptbus.streams.turn import Turns

JOURNAL = TP("workflow.journal", 0)


class _Processor:
    topics = ("workflow.journal",)


async def _consumer() -> tuple[App, Consumer]:
    failure = asyncio.get_running_loop().create_future()
    app = make_app(Settings.load(), "advance", "advance-0", _Processor(), failure, Turns())  # type: ignore[arg-type]
    app.finalize()
    return app, app.bus_consumer


def _committable(consumer: Consumer) -> dict[TP, int]:
    return consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())


def _record(partition: int, offset: int) -> Record:
    return Record("workflow.journal", partition, offset, 1_000 + offset, b"k", b"v", [])


class _Message:
    acked = False
    tp = JOURNAL
    offset = 4
    topic = "workflow.journal"


def test_an_acknowledgement_by_faust_moves_nothing() -> None:
    async def play() -> None:
        _, consumer = await _consumer()
        consumer._unacked_messages.add(message := _Message())  # type: ignore[arg-type]
        assert consumer.ack(message) is False  # type: ignore[arg-type]
        assert _committable(consumer) == {}
        assert not consumer.unacked

    asyncio.run(play())


def test_exactly_what_is_done_is_committed() -> None:
    async def play() -> None:
        _, consumer = await _consumer()
        consumer.done(JOURNAL, 5)
        consumer.done(JOURNAL, 3)
        assert _committable(consumer) == {JOURNAL: 5}
        consumer._committed_offset[JOURNAL] = 5
        assert _committable(consumer) == {}, "nothing new"
        consumer.forget()
        assert consumer._filter_tps_with_pending_acks() == []

    asyncio.run(play())


def test_records_are_handed_on_by_partition_and_none_once_the_flow_has_stopped() -> None:
    async def play() -> list[str]:
        app, consumer = await _consumer()
        app.consumer_generation_id = consumer._generation = 3
        told: list[str] = []

        async def callback(batch: Batch) -> None:
            assert batch.generation_id == app.consumer_generation_id
            told.append(f"{batch.tp.partition}: {[record.offset for record in batch.records]}")

        consumer.callback = callback  # type: ignore[method-assign]
        await consumer._hand_on([_record(0, 5), _record(1, 7), _record(0, 6)])
        assert consumer.delivered == {JOURNAL: 7, TP("workflow.journal", 1): 8}
        consumer.stop_flow()
        await consumer._hand_on([_record(0, 7)])
        assert consumer.delivered[JOURNAL] == 7
        return told

    assert asyncio.run(play()) == ["0: [5, 6]", "1: [7]"]


def test_nothing_is_wanted_while_the_flow_has_stopped_and_nothing_of_what_is_held() -> None:
    async def play() -> None:
        _, consumer = await _consumer()
        consumer._partitions = consumer._named([("workflow.journal", 0), ("workflow.journal", 1)])
        consumer._set_active_tps(consumer.assignment())
        assert consumer._wanted() == {("workflow.journal", 0), ("workflow.journal", 1)}
        consumer.held.add(JOURNAL)
        assert consumer._wanted() == {("workflow.journal", 1)}
        consumer.stop_flow()
        assert consumer._wanted() == set()

    asyncio.run(play())


def test_faust_declares_nothing_and_keeps_nothing() -> None:
    async def play() -> None:
        app, _ = await _consumer()
        conf = app.conf
        assert not conf.topic_allow_declare
        assert conf.topic_disable_leader
        assert not conf.web_enabled
        assert not conf.stream_wait_empty
        assert conf.consumer_group_instance_id == "advance-0"
        assert not app.tables
        assert [agent.concurrency for agent in app.agents.values()] == [1]

    asyncio.run(play())


def test_an_intake_is_bounded_and_taken_at_once() -> None:
    async def play() -> None:
        intake: Intake[int] = Intake(2)
        await intake.put([1])
        await intake.put([2, 3])
        fourth = asyncio.create_task(intake.put([4, 5]))
        await asyncio.sleep(0)
        assert not fourth.done()
        assert intake.take(2) == [1, 2]
        await fourth
        assert intake.take(10) == [3, 4, 5]
        waiting = asyncio.create_task(intake.filled())
        await asyncio.sleep(0)
        assert not waiting.done()
        await intake.put([6])
        await waiting

    asyncio.run(play())


def test_what_waits_for_room_is_dropped_with_what_was_there_before_it() -> None:
    """Its partitions are somebody else's: what comes next begins where they were committed."""

    async def play() -> None:
        intake: Intake[int] = Intake(1)
        await intake.put([1])
        stale = asyncio.create_task(intake.put([2]))
        await asyncio.sleep(0)
        intake.clear()
        await intake.put([1])
        await stale
        assert intake.take(10) == [1]

    asyncio.run(play())


@pytest.mark.parametrize("wrong", ["nowhere", "after-commit:0", "after-commit:x"])
def test_a_failpoint_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="BUS_FAILPOINT"):
        failpoint.arm(wrong)


def test_a_failpoint_kills_at_its_nth_passing() -> None:
    code = (
        "from deptbus import failpoint as f; f.arm('after-commit:2'); f.hit('after-poll'); "
        "f.hit('after-commit'); print('once', flush=True); f.hit('after-commit'); print('twice')"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == "once\n"


def test_health_goes_stale(tmp_path: Path) -> None:
    path = tmp_path / "health" / "advance-0.json"
    assert read_health(path, 0)[0] is False
    write_health(path, "joining", 1_000, {})
    assert read_health(path, 1_000)[0] is False
    write_health(path, "working", 1_000, {"entries": 3})
    assert read_health(path, 2_000) == (
        True,
        {"pid": os.getpid(), "state": "working", "at_ms": 1_000, "counts": {"entries": 3}, "url": None},
    )
    assert read_health(path, 20_000)[0] is False
