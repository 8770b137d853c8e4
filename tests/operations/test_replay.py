"""``deptbus replay`` into topics: what is delivered again, that it is the same and once, and what is refused."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deptbus.cli import replay
from deptbus.errors import BusError
from deptbus.kafka.configuration import consumer_configuration, producer_configuration
from deptbus.kafka.groups import begin_at_end
from deptbus.kafka.producer import TransactionalProducer
from deptbus.record import Record
from deptbus.redriven import redriven_for
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.interrupting import interruptible
from tests.streams.world import CASES, REGIONS, World, environment
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka

TOPIC = "health.cases"
Run = Callable[..., Result]


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """Topics and schemas are there, and forty cases."""
    made = World(settings)
    made.publish(REGIONS)
    yield made
    made.close()


@pytest.fixture
def variables(stack: SharedStack, settings: Settings, tmp_path: Path) -> dict[str, str]:
    return environment(settings, stack.environment(BUS_OPERATOR="liu"), tmp_path) | {"BUS_LOG_LEVEL": "warning"}


@pytest.fixture
def run(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``deptbus replay``, in this process."""
    for name, value in variables.items():
        if name.startswith("BUS_"):
            monkeypatch.setenv(name, value)

    def command(*arguments: str, **more: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in more.items():
                patch.setenv(name, value)
            return CliRunner().invoke(replay.app, arguments)

    return command


def told(done: Result) -> dict[str, object]:
    """The JSON answer of a command that has done what it should."""
    assert done.exit_code == 0, f"{done.exception!r}\n{done.stderr}"
    found: dict[str, object] = json.loads(done.stdout)
    return found


def of(world: World, topic: str) -> list[Record]:
    found = [record for record, _, _ in world.read(topic)]
    return sorted(found, key=lambda record: (record.partition, record.offset))


def keys_and_values(records: list[Record]) -> list[tuple[object, ...]]:
    return [(one.partition, one.key, one.value, one.timestamp_ms) for one in records]


def refused(done: Result, *parts: str) -> None:
    """An error of its own, which is one clear sentence."""
    assert isinstance(done.exception, BusError), done.exception or done.stdout
    sentence = str(done.exception)
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence


def test_a_new_topic_holds_the_same_events_once_and_marked(run: Run, world: World) -> None:
    done = told(run("--topic", TOPIC, "--to-topic", "rerun", "--json"))
    source, target = of(world, TOPIC), of(world, "rerun")
    assert keys_and_values(target) == keys_and_values(source)
    assert [one.headers for one in target] == [
        [*one.headers, ("ce_replayid", str(done["id"]).encode())] for one in source
    ]
    assert done["events"] == len(REGIONS)
    assert done["state"] == "done"
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["id"], listed["state"], listed["left"], listed["operator"]) == (done["id"], "done", 0, "liu")
    acts = [(data["act"], data["outcome"]) for _, _, data in world.read("bus.audit")]
    assert acts == [("replay.run", "started"), ("replay.run", "done")]


def test_filters_by_headers_and_fields_say_what_is_replayed(run: Run, world: World) -> None:
    world.publish(["440105", "440106"], count=7)
    done = told(
        run(
            "--topic",
            TOPIC,
            "--type",
            CASES,
            "--region",
            "440100",
            "--where",
            "count>=5",
            "--to-topic",
            "some",
            "--json",
        )
    )
    assert done["events"] == 2
    assert {one.key for one in of(world, "some")} == {b"440105", b"440106"}


def test_a_department_means_all_its_topics_each_into_one_of_its_own(run: Run, world: World) -> None:
    done = told(run("--department", "health", "--to-topic", "again", "--json"))
    into = done["into"]
    assert isinstance(into, dict)
    assert into[TOPIC] == "again.health.cases"
    assert all(target == f"again.{source}" for source, target in into.items())
    assert keys_and_values(of(world, "again.health.cases")) == keys_and_values(of(world, TOPIC))


def test_a_stretch_between_two_events_is_that_stretch(run: Run, world: World) -> None:
    source = [one for one in of(world, TOPIC) if one.partition == 0]
    first, last = (dict(source[number].headers)["ce_id"].decode() for number in (1, 3))
    before = os.sched_getscheduler(0)
    told(run("--topic", TOPIC, "--from", first, "--to", last, "--to-topic", "part", "--json"))
    assert os.sched_getscheduler(0) == before or os.geteuid() != 0, "only a replay stands back"
    replayed = [one for one in of(world, "part") if one.partition == 0]
    assert keys_and_values(replayed) == keys_and_values(source[1:4])


def test_what_was_given_up_in_a_transaction_is_not_replayed(run: Run, world: World) -> None:
    settings = world.settings
    physical = settings.world.physical(TOPIC)
    producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("other"))
    producer.init()
    headers = of(world, TOPIC)[0].headers
    large = os.urandom(3_900_000)  # as large as the topic takes
    for value, ends in ((b"given up", producer.abort), (large, producer.commit)):
        producer.begin()
        producer.send(physical, 0, b"k", value, headers)
        producer.poll()
        producer._producer.flush(10)
        ends()
    producer.close()
    told(run("--topic", TOPIC, "--to-topic", "clean", "--json"))
    values = [one.value for one in _raw(world, "clean")]
    assert large in values
    assert b"given up" not in values


def _raw(world: World, topic: str) -> list[Record]:
    from deptbus.kafka.configuration import reader_configuration  # noqa: PLC0415
    from deptbus.kafka.consumer import read_topic  # noqa: PLC0415

    return list(read_topic(reader_configuration(world.settings), world.settings.world.physical(topic)))


def test_a_dry_run_counts_by_topic_and_type_and_does_nothing(run: Run, world: World) -> None:
    done = told(run("--topic", TOPIC, "--live", TOPIC, "--approve", TOPIC, "--dry-run", "--json"))
    assert done["by_topic"] == {TOPIC: {CASES: len(REGIONS)}}
    subscribers = done["subscribers"]
    assert isinstance(subscribers, list)
    assert "department cdc" in subscribers
    assert len(of(world, TOPIC)) == len(REGIONS)
    shown = run("--topic", TOPIC, "--to-topic", "rerun", "--dry-run")
    assert f"{len(REGIONS)} events would be replayed" in shown.stdout
    assert "rerun" not in world.admin.names(world.settings.world)
    assert world.read("bus.audit") == []


def test_a_live_topic_gets_them_again_when_it_is_approved_by_name(run: Run, world: World) -> None:
    order = ("--topic", TOPIC, "--live", TOPIC, "--reason", "a subscriber lost its database", "--json")
    done = told(run(*order, "--approve", TOPIC))
    assert done["events"] == len(REGIONS)
    records = of(world, TOPIC)
    assert len(records) == 2 * len(REGIONS)
    marked = [one for one in records if one.headers[-1] == ("ce_replayid", str(done["id"]).encode())]
    assert len(marked) == len(REGIONS)
    start = world.read("bus.audit")[0][2]
    assert (start["operator"], start["reason"]) == ("liu", "a subscriber lost its database")


def test_one_group_gets_them_again_and_others_pass_over_them(run: Run, world: World) -> None:
    settings = world.settings
    physical = settings.world.physical
    begin_at_end(consumer_configuration(settings, physical("cdc")), [physical(TOPIC)])
    order = ("--topic", TOPIC, "--where", "count=1", "--group", "cdc", "--reason", "its database was lost", "--json")
    refused(run(*order), "--group cdc --approve cdc")
    refused(run(*order[:5], "nobody", "--approve", "nobody", *order[6:]), "no consumer group nobody")
    done = told(run(*order, "--approve", "cdc"))
    again = of(world, TOPIC)
    again = [one for one in again if redriven_for(one.headers) is not None]
    assert len(again) == len(REGIONS) == done["events"]
    assert {redriven_for(one.headers) for one in again} == {"cdc"}
    assert {one.headers[-1] for one in again} == {("ce_replayid", str(done["id"]).encode())}


def test_a_stopped_replay_goes_on_where_it_stopped(run: Run, world: World, variables: dict[str, str]) -> None:
    order = ["--topic", TOPIC, "--to-topic", "slow", "--rate", "4"]
    process = interruptible(
        [sys.executable, "-m", "deptbus", "replay", *order], env=variables, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: "slow" in world.admin.names(world.settings.world) and _raw(world, "slow"), "its first events")
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE, "it stands back behind what is live"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert 0 < len(of(world, "slow")) < len(REGIONS)
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["state"] == "stopped"
    assert listed["left"] > 0
    replay_id = listed["id"]
    refused(run("resume", "ffff"), "no replay ffff on record")
    # The rate is part of what was ordered; it is what makes this test slow.
    done = told(run("resume", replay_id, "--json"))
    assert done["state"] == "done"
    assert keys_and_values(of(world, "slow")) == keys_and_values(of(world, TOPIC))
    refused(run("resume", replay_id), "is done")


WRONG: list[tuple[list[str], list[str]]] = [
    (["--topic", "health.none", "--to-topic", "x"], ["no topic health.none", "topics list"]),
    (["--department", "nobody", "--to-topic", "x"], ["no department nobody"]),
    (["--topic", TOPIC, "--from", "2999-01-01T00:00Z", "--to-topic", "x"], ["lies in the future"]),
    (
        ["--topic", TOPIC, "--from", "2020-02-02T00:00Z", "--to", "2020-02-01T00:00Z", "--to-topic", "x"],
        ["lies before --from"],
    ),
    (["--topic", TOPIC, "--from", "@9", "--to", "@3", "--to-topic", "x"], ["lies before --from"]),
    (["--topic", TOPIC, "--to-topic", TOPIC], [f"{TOPIC} is there already", "--approve"]),
    (["--topic", TOPIC, "--to-topic", "bus.mine"], ["is no name for a topic of a replay"]),
    (["--topic", TOPIC, "--live", TOPIC], [f"--live {TOPIC} --approve {TOPIC}"]),
    (["--topic", TOPIC, "--live", TOPIC, "--approve", TOPIC], ["--reason"]),
    (["--topic", TOPIC, "--live", "bus.packs", "--approve", "bus.packs", "--reason", "r"], ["own processes"]),
    (["--topic", TOPIC], ["Say where the events go"]),
    (["--to-topic", "x"], ["Say what is replayed"]),
    (["--topic", TOPIC, "--to-topic", "x", "--where", "count"], ["--where is"]),
    (["--topic", TOPIC, "--to-topic", "x", "--rate", "0"], ["--rate"]),
]


def test_what_cannot_be_meant_is_refused_in_one_sentence(run: Run, world: World) -> None:
    before = world.admin.names(world.settings.world)
    for arguments, parts in WRONG:
        refused(run(*arguments), *parts)
    assert world.admin.names(world.settings.world) == before
    assert world.read("bus.audit") == []


def test_without_a_registry_or_a_broker_nothing_is_begun(run: Run, world: World) -> None:
    order = ("--topic", TOPIC, "--to-topic", "x", "--where", "count>1")
    before = world.admin.names(world.settings.world)
    refused(run(*order, BUS_SCHEMA_REGISTRY_URL="http://127.0.0.1:9/none"), "registry")
    refused(run(*order, BUS_BOOTSTRAP_SERVERS="127.0.0.1:9"), "No Kafka broker answers")
    assert world.admin.names(world.settings.world) == before
