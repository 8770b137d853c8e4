"""``deptbus tail`` as a person runs it, in the small world of the bus's tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deptbus import cli
from deptbus.clock import system_clock
from deptbus.deadletters import TYPE as DEAD
from deptbus.deadletters import DeadLetters
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.pace import Pace
from tests.bus.conftest import catalogue, kafka_world, quick, root  # noqa: F401  # fixtures
from tests.bus.contract import CASE
from tests.bus.worlds import KafkaWorld
from tests.command.engine import Ran
from tests.interrupting import interruptible
from tests.waiting import wait_until

DISCARDED = "ward.CaseDiscarded"
AT = 1_580_000_000_000


class Command:
    """Runs ``deptbus`` in the world."""

    def __init__(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self._environment = environment
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, *arguments: str, code: int = 0, **variables: str) -> Ran:
        self._capfd.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["deptbus", *arguments])
            for name, value in (self._environment | variables).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = self._capfd.readouterr()
        ran = Ran(int(ended.value.code or 0), said.out, said.err)
        assert ran.code == code, ran.err
        return ran

    def tail(self, *arguments: str) -> list[dict[str, Any]]:
        """The events that it shows, as programs get them."""
        return [json.loads(line) for line in self("tail", *arguments, "--json").out.splitlines()]

    def cases(self, *arguments: str) -> list[str]:
        """The cases of the events on ``ward.cases`` that it shows."""
        return [shown["data"]["case"] for shown in self.tail("ward.cases", *arguments)]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run it in a process of its own until it is stopped."""
        return interruptible(
            [sys.executable, "-m", "deptbus", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | self._environment,
        )  # fmt: skip


@pytest.fixture
def run(
    kafka_world: KafkaWorld,  # noqa: F811
    root: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Command:
    settings = kafka_world.settings
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "BUS_ROOT": str(root),
        "BUS_STACK": "external",
        "BUS_NAMESPACE": settings.namespace,
        "BUS_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BUS_SCHEMA_REGISTRY_URL": settings.schema_registry_url,
    }
    return Command(environment, monkeypatch, capfd)


@pytest.fixture
def ward(kafka_world: KafkaWorld) -> Callable[..., str]:  # noqa: F811
    """Publishes a case over four partitions, each in a millisecond of its own; answers its id."""
    bus = kafka_world.connect("ward")

    def publish(number: int, kind: str = CASE, **given: Any) -> str:
        about = {name: given.pop(name) for name in ("region", "actor", "correlation_id", "time_ms") if name in given}
        data = {"case": str(number), **given}
        outcome = bus.publish(kind, data, subject=f"s{number % 7}", **about).require()
        wait_until(lambda: system_clock() > outcome.timestamp_ms, "the next millisecond")
        return str(outcome.event_id)

    return publish


pytestmark = pytest.mark.kafka


def test_the_newest_are_shown_oldest_first_and_it_ends(run: Command, ward: Callable[..., str]) -> None:
    ids = [ward(number) for number in range(30)]
    shown = run.tail("ward.cases")
    assert [(line["id"], line["type"]) for line in shown] == [(event_id, CASE) for event_id in ids[-10:]]
    assert list(shown[0])[:2] == ["id", "type"]
    assert run.cases("--limit", "3") == ["27", "28", "29"]


def test_a_stretch_is_named_by_event_offset_or_time_and_comes_in_order(run: Command, ward: Callable[..., str]) -> None:
    ids = [ward(number) for number in range(40)]
    assert run.cases("--from", ids[5], "--to", ids[8]) == ["5", "6", "7", "8"]
    assert run.cases("--from", "beginning", "--limit", "40") == [str(number) for number in range(40)]
    assert run.cases("--from", "beginning", "--limit", "3") == ["0", "1", "2"]
    assert run.cases("--to", ids[20], "--limit", "2") == ["19", "20"]
    at = run.tail("ward.cases", "--from", ids[30], "--limit", "1")[0]["timestamp"]
    assert run.cases("--from", at, "--limit", "3") == ["30", "31", "32"]
    told = run("tail", "ward.cases", "--from", "beginning", "--limit", "1").err
    assert "It ended at the limit" in told
    assert run("tail", "ward.cases", "--from", "end").err == "There is no such event.\n"


def test_filters_look_back_as_far_as_it_takes(run: Command, ward: Callable[..., str]) -> None:
    ward(1, count=7, region="440106", correlation_id="epidemic/440100/2", time_ms=AT)
    ward(2, count=3, region="440100", correlation_id="epidemic/440100/10")
    ward(3, kind=DISCARDED)
    for number in range(100, 160):
        ward(number)
    assert run.cases("--where", "count>=5") == ["1"]
    assert run.cases("--where", "count>1", "--where", "count<=3") == ["2"]
    assert run.cases("--type", DISCARDED) == ["3"]
    assert run.cases("--region", "440100") == ["1", "2"]
    assert run.cases("--instance", "epidemic/440100/2") == ["1"]
    assert run.cases("--instance", "epidemic/440100") == ["1", "2"]
    assert run.cases("--until", "2020-02-01T00:00+08:00") == ["1"]
    assert run.cases("--department", "lab") == []


def test_personal_data_are_hidden_also_where_they_lie_undecoded(
    run: Command, kafka_world: KafkaWorld, ward: Callable[..., str]  # noqa: F811
) -> None:  # fmt: skip
    ward(1, patient={"name": "张三", "age": 4}, actor="李伟")
    (shown,) = run.tail("ward.cases")
    assert shown["data"]["patient"] == {"name": "***", "age": 4}
    assert shown["envelope"]["actor"] == "***"
    assert "张三" not in run("tail", "ward.cases").out
    _bury(kafka_world)
    whole, broken = run.tail("bus.deadletters")
    assert whole["data"]["value"]["patient"] == {"name": "***", "age": 4}
    assert {"name": "ce_actor", "value": "***"} in whole["data"]["headers"]
    assert broken["data"]["value"] == "***"
    for text in (json.dumps([whole, broken], ensure_ascii=False), run("tail", "bus.deadletters").out):
        assert "张三" not in text
        assert "李伟" not in text


def test_personal_data_are_shown_for_a_reason_that_goes_on_record_first(run: Command, ward: Callable[..., str]) -> None:
    ward(1, patient={"name": "张三", "age": 4}, actor="李伟")
    asked = ("--where", "patient.name=张三", "--operator", "Chen", "--unmask", "the hospital asks back")
    (shown,) = run.tail("ward.cases", *asked)
    assert shown["data"]["patient"] == {"name": "张三", "age": 4}
    assert shown["envelope"]["actor"] == "李伟"
    started, done = (line["data"] for line in run.tail("bus.audit", "--unmask", "test") if "Chen" in str(line))
    assert (started["act"], started["target"], started["reason"]) == (
        "events.unmask", "ward.cases", "the hospital asks back",
    )  # fmt: skip
    assert (started["outcome"], started["operator"]) == ("started", "Chen")
    assert started["detail"]["filter"] == "where=['patient.name']"  # not whom: the record is kept for ever
    assert (done["outcome"], done["detail"]["shown"]) == ("done", "1")
    assert {line["key"] for line in run.tail("bus.audit")} == {"***"}  # an operator's name is personal, too


def test_nothing_is_shown_where_no_record_can_be_made(
    run: Command, kafka_world: KafkaWorld, ward: Callable[..., str]  # noqa: F811
) -> None:  # fmt: skip
    ward(1, patient={"name": "张三", "age": 4})
    away = "http://127.0.0.1:1"
    refused = run("tail", "ward.cases", "--unmask", "curious", code=2, BUS_SCHEMA_REGISTRY_URL=away)
    assert "张三" not in refused.out
    admin = Admin(client_configuration(kafka_world.settings))
    admin.alter_configs(kafka_world.namespace, {"bus.audit": {"max.message.bytes": "10"}})
    refused = run("tail", "ward.cases", "--unmask", "curious", code=2)
    assert "bus.audit" in refused.err
    assert "张三" not in refused.out
    assert "--unmask takes the reason" in run("tail", "ward.cases", "--unmask", " ", code=2).err


def _bury(world: KafkaWorld) -> None:
    """Give up the event on ``ward.cases``, once whole and once cut off."""
    (record,) = world.records("ward.cases")
    bus = world.connect("ward")
    letters = DeadLetters(bus._publisher, "ward", world.codec.value_bytes_max(DEAD))
    assert record.value is not None
    for value, group in ((record.value, 0), (record.value[:-2], 1)):
        letters.send(record._replace(value=value, offset=group), "handler", "in vain", 3).result().require()


def test_a_personal_field_is_not_found_out_by_asking(run: Command, ward: Callable[..., str]) -> None:
    ward(1, patient={"name": "张三", "age": 4})
    assert run.cases("--where", "patient.age=4") == ["1"]
    told = run("tail", "ward.cases", "--where", "patient.name~张", code=2).err
    assert "patient.name is personal" in told
    assert run.tail("bus.deadletters", "--where", "value~张") == []


def test_what_cannot_be_read_says_why_and_moves_no_cursor(
    run: Command, kafka_world: KafkaWorld, ward: Callable[..., str]  # noqa: F811
) -> None:  # fmt: skip
    ward(1)
    kafka_world.put("ward.cases", b"\x01junk", b"k\x1b[2J", [])
    kafka_world.put("ward.cases", None, b"s1", [])
    lines = run("tail", "ward.cases").out
    assert "is missing: this is not an event" in lines
    assert "\x1b" not in lines
    assert [line["problem"] for line in run.tail("ward.cases")].count(None) == 1
    assert run.cases("--where", "case=1") == ["1"]


def test_follow_shows_what_comes_until_it_is_stopped(run: Command, ward: Callable[..., str]) -> None:
    ward(1)
    process = run.start("tail", "ward.cases", "--follow", "--json")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["data"]["case"] == "1"
        for number in (2, 3):
            ward(number)
            assert json.loads(process.stdout.readline())["data"]["case"] == str(number)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    finally:
        process.kill()


def test_it_ends_quietly_when_nobody_reads_on(run: Command, ward: Callable[..., str]) -> None:
    for number in range(3):
        ward(number)
    process = run.start("tail", "ward.cases", "--from", "beginning", "--follow", "--json")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()

        def has_ended() -> bool:
            ward(9)
            return process.poll() is not None

        wait_until(has_ended, "tail to end", 20)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    finally:
        process.kill()


def test_no_more_are_shown_in_a_second_than_asked_for() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(4, clock=lambda: now[0], sleep=sleep)
    assert [pace.wait() for _ in range(5)] == [False, True, True, True, True]
    assert now[0] == pytest.approx(1.0)
    now[0] += 10  # what was not used is not made up for
    assert [pace.wait() for _ in range(3)] == [False, True, True]
    assert not Pace(0, clock=lambda: now[0], sleep=sleep).wait()
    together, began = Pace(4, 0.5, lambda: now[0], sleep), now[0]
    assert [together.wait() for _ in range(7)] == [False, False, False, True, False, False, True]
    assert now[0] - began == pytest.approx(6 / 4), "no more in the long run"


def test_what_is_asked_wrongly_is_told_in_one_sentence(run: Command) -> None:
    for arguments, sentence in [
        (("ward.nothing",), "There is no topic ward.nothing"),
        (("ward.cases", "--from", "yesterday"), "--from is beginning, end, -N"),
        (("ward.cases", "--from", "2999-01-01T00:00Z"), "--from 2999-01-01T00:00:00.000Z lies in the future"),
        (("ward.cases", "--from", "@9", "--to", "@3"), "--to @3 lies before --from @9"),
        (("ward.cases", "--from", "0190a5c0-0000-7000-8000-00000000000a"), "There is no event 0190a5c0-"),
        (("ward.cases", "--type", "lab.NoteWritten"), "There is no lab.NoteWritten on this topic; it carries ward."),
        (("ward.cases", "--where", "counts>1"), "no event of ward.CaseDiscarded, ward.CaseReported has a field counts"),
        (("ward.cases", "--where", "count"), "--where is FIELD=VALUE"),
        (("ward.cases", "--follow", "--to", "end"), "--follow waits for what comes and has no end"),
        (("lab.notes", "--limit", "0"), "Invalid value for '--limit'"),
    ]:
        told = run("tail", *arguments, code=2, NO_COLOR="1", COLUMNS="200").err
        assert sentence in told


def test_a_broker_or_a_registry_that_is_down_is_told_in_one_sentence(run: Command) -> None:
    away = run("tail", "ward.cases", code=2, BUS_BOOTSTRAP_SERVERS="127.0.0.1:1").err
    assert away.startswith("error: No Kafka broker answers at 127.0.0.1:1")
    away = run("tail", "ward.cases", code=2, BUS_SCHEMA_REGISTRY_URL="http://127.0.0.1:1").err
    assert away.startswith("error: The schema registry at http://127.0.0.1:1 cannot be reached")
