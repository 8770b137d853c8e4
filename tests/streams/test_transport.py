"""Faust commits what ``done`` says and nothing else; failpoints; health. No broker."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from faust.types import TP

from deptbus import failpoint
from deptbus.errors import SettingsError
from deptbus.health import read_health, write_health
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


def _record(offset: int) -> SimpleNamespace:
    return SimpleNamespace(offset=offset, timestamp=1_000 + offset, timestamp_type=1, key=b"k", value=b"v", headers=())


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


def test_what_a_rebalance_kept_from_being_handed_on_is_fetched_again() -> None:
    """A request was under way when the partitions were shared out anew, and took records of the new assignment."""

    async def play() -> list[str]:
        app, consumer = await _consumer()
        told: list[str] = []
        answers = iter([{JOURNAL: [_record(5), _record(6)]}, {JOURNAL: [_record(7), _record(8)]}])

        async def getmany(*_: object) -> dict[TP, list[object]]:
            found = next(answers, None)
            if found is None:
                consumer._stopped.set()
                return {}
            if "rewound" not in told:
                app.consumer_generation_id += 1
            return found

        async def rewind() -> None:
            told.append("rewound")

        async def callback(batch: Batch) -> None:
            assert batch.generation_id == app.consumer_generation_id
            told.append(f"handed on {[record.offset for record in batch.records]}")

        consumer._thread = SimpleNamespace(rewind=rewind, reached={JOURNAL: 9})  # type: ignore[assignment]
        consumer._getmany, consumer.callback = getmany, callback  # type: ignore[assignment,method-assign]
        consumer._set_active_tps({JOURNAL})
        app.processor.fetched = lambda reached, delivered: None  # type: ignore[method-assign]
        await consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event()))
        return told

    assert asyncio.run(play()) == ["rewound", "handed on [7, 8]"]


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
