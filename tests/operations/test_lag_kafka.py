"""``deptbus lag`` against a broker: what groups have not read, and that it is so whatever they do."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from deptbus.clock import system_clock
from deptbus.kafka.admin import Admin
from deptbus.kafka.asking import Broker
from deptbus.kafka.commits import committed_where, home
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.looks import Looker
from deptbus.kafka.producer import TransactionalProducer
from deptbus.operations.lag import History, Lag, State
from deptbus.settings import Settings
from tests.interrupting import interruptible
from tests.operations.reading import ROOT, commit, make, member, put, run, run_json, stand, transact
from tests.ports import free_ports
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka
CASES = "health.cases"


@pytest.fixture
def looker(settings: Settings):  # type: ignore[no-untyped-def]  # a generator
    made = Looker(settings, silence_s=1.0)
    yield made
    made.close()


def look(looker: Looker, history: History | None = None) -> dict[int, Lag]:
    """The lags by partition."""
    return {one.partitions[0]: one for one in (history or History()).add(looker.look(looker.names()))}


class TestLooking:
    def test_a_stopped_consumers_lag_grows(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=2)
        put(settings, CASES, 5)
        with member(settings, "lab", CASES) as consumer:
            stand(settings, consumer, CASES, 5)
            assert look(looker)[0].events == 0
        put(settings, CASES, 3)
        first = look(looker)[0]
        put(settings, CASES, 4)
        second = look(looker)[0]
        assert (first.events, second.events) == (3, 7)
        assert (first.state, second.state) == (State.STOPPED, State.STOPPED)
        assert second.waiting_ms > first.waiting_ms >= 0
        assert second.commit_age_ms is not None
        assert first.commit_age_ms is not None
        assert second.commit_age_ms > first.commit_age_ms

    def test_transaction_markers_are_not_events(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=1)
        transact(settings, CASES, 3, 1, 2)  # offsets 0 to 2, 4, 6 and 7; markers at 3, 5 and 8
        commit(settings, "lab", {(CASES, 0): 2})
        assert (look(looker)[0].events, look(looker)[0].exact) == (4, True)
        commit(settings, "lab", {(CASES, 0): 8})  # after its last record: only a marker follows
        found = look(looker)[0]
        assert (found.events, found.exact, found.state, found.waiting_ms) == (0, True, State.CURRENT, 0)

    def test_a_stretch_too_long_to_count_is_told_as_at_most(
        self, settings: Settings, looker: Looker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deptbus.kafka.looks.COUNT_MAX", 10)
        make(settings, health_cases=1)
        transact(settings, CASES, 9, 9)
        commit(settings, "lab", {(CASES, 0): 0})
        found = look(looker)[0]
        assert (found.events, found.exact) == (20, False)
        assert found.waiting_ms > 0

    def test_a_partition_that_stands_still_before_records_is_found(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=2)
        put(settings, CASES, 3)
        put(settings, CASES, 3, partition=1)
        history = History(stuck_after_ms=300)
        with member(settings, "lab", CASES, **{"client.id": "desk-7"}) as consumer:
            stand(settings, consumer, CASES, 1)
            stand(settings, consumer, CASES, 3, partition=1)

            def stuck() -> bool:
                found = look(looker, history)
                return found[0].state is State.STUCK and found[1].state is State.CURRENT

            wait_until(stuck, "the partition to count as stuck", 10)
            found = look(looker, history)
            assert (found[0].position, found[0].owner, found[0].alarming) == (1, "desk-7", True)
            stand(settings, consumer, CASES, 2)
            assert look(looker, history)[0].state is not State.STUCK

    def test_two_groups_at_different_places_of_one_partition_are_both_told(
        self, settings: Settings, looker: Looker
    ) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 6)
        commit(settings, "lab", {(CASES, 0): 2})
        commit(settings, "cdc", {(CASES, 0): 5})
        events = {one.group: one.events for one in History().add(looker.look(looker.names()))}
        assert events == {"lab": 4, "cdc": 1}

    def test_records_of_an_open_transaction_are_held_back_and_not_lag(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 2)
        producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("tx"))
        producer.init()
        producer.begin()
        producer.send(settings.world.physical(CASES), 0, b"k", b"open")
        wait_until(lambda: producer.poll() or producer.waiting() == 0, "the record to be there")
        commit(settings, "lab", {(CASES, 0): 2})
        history = History(stuck_after_ms=100)
        assert look(looker, history)[0].events == 0
        wait_until(lambda: look(looker, history)[0].state is State.HELD, "it to be told", 10)
        producer.abort()
        producer.close()
        wait_until(lambda: look(looker, history)[0].state is State.CURRENT, "it to be over", 10)

    def test_what_retention_removed_unread_is_told(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 6)
        commit(settings, "lab", {(CASES, 0): 1})
        where = TopicPartition(settings.world.physical(CASES), 0, 4)
        admin = AdminClient(client_configuration(settings))
        for gone in admin.delete_records([where]).values():
            gone.result(10)
        found = look(looker)[0]
        assert (found.lost, found.events) == (3, 2)

    def test_a_record_of_which_nothing_comes_counts_as_unreadable(
        self, settings: Settings, looker: Looker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 3)
        commit(settings, "lab", {(CASES, 0): 1})
        monkeypatch.setattr("deptbus.kafka.looks.Consumer", _SilentConsumer)
        assert look(looker)[0].state is State.UNREADABLE

    def test_a_damaged_batch_is_found_by_reading_it(self, settings: Settings, looker: Looker) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 100)
        commit(settings, "lab", {(CASES, 0): 0})
        host, _, port = settings.bootstrap_servers.partition(":")
        with Broker(settings, host, int(port)) as broker:
            (directory,) = broker.log_dirs()
        segment = Path(directory.path, f"{settings.world.physical(CASES)}-0", f"{0:020}.log")
        if not segment.exists():
            pytest.skip("the broker's disk is not this machine's")
        with segment.open("r+b") as file:
            file.seek(80)  # behind the batch's head, in what is compressed
            file.write(b"\xff" * 40)
        found = look(looker)[0]
        assert (found.state, found.events, found.exact) == (State.UNREADABLE, 100, False)
        told = run_json(settings, "lag", "--every", "0.2", code=3)
        (alert,) = told["alerts"]
        assert alert.startswith("lab is before a record that nobody can read, health.cases[0]@0: its batch is damaged")


class _SilentConsumer:
    """As librdkafka is before a batch that it cannot read: it says nothing."""

    def __init__(self, configuration: object) -> None: ...
    def assign(self, partitions: object) -> None: ...
    def close(self) -> None: ...

    def consume(self, count: int, timeout_s: float) -> list[object]:
        return []


class TestCommits:
    def test_a_group_is_looked_for_where_the_broker_keeps_it(self) -> None:
        # Java: Math.abs("name".hashCode()) % 50
        places = {
            "hello": 22,
            "lab": 43,
            "advance": 24,
            "polygenelubricants": 0,
            "北京": 41,
        }  # the hash of two is negative
        assert {name: home(name, 50) for name in places} == places

    def test_keys_of_commits_are_told_from_others(self) -> None:
        key = b"\x00\x01\x00\x03lab\x00\x0chealth.cases\x00\x00\x00\x07"
        assert committed_where(key) == ("lab", "health.cases", 7)
        assert committed_where(b"\x00\x02\x00\x03lab") is None
        assert committed_where(b"") is None


class TestCommand:
    def test_lag_is_told_to_people_and_programs_and_over_a_limit_by_the_exit_code(self, settings: Settings) -> None:
        make(settings, health_cases=2)
        put(settings, CASES, 7)
        commit(settings, "lab", {(CASES, 0): 2, (CASES, 1): 0})
        quick = ("--every", "0.2")
        shown = run(settings, "lag", *quick)
        assert shown.returncode == 0, shown.stderr
        assert "lab" in shown.stdout
        assert CASES in shown.stdout
        assert "no members" in shown.stdout
        assert "\x1b" not in shown.stdout
        assert f"{CASES}[1]" not in run(settings, "lag", "--partitions", *quick).stdout
        assert f"{CASES}[1]" in run(settings, "lag", "--partitions", "--all", *quick).stdout
        assert "lab: 1 partitions caught up" in run(settings, "lag", "--partitions", *quick).stdout
        (empty, behind) = sorted(run_json(settings, "lag", *quick)["lags"], key=lambda one: one["events"])
        assert (empty["partition"], empty["state"]) == (1, "current")
        assert (behind["partition"], behind["events"], behind["exact"], behind["position"]) == (0, 5, True, 2)
        over = run_json(settings, "lag", "lab", "--over", "4", *quick, code=3)
        assert over["alerts"][0].startswith("lab has 5 unread events in health.cases")
        assert run(settings, "lag", "--over", "5", *quick).returncode == 0
        chinese = run(settings, "lag", "--over", "0s", *quick, BUS_LANG="zh")
        assert chinese.returncode == 3
        assert "有 5 个事件未读" in chinese.stderr

    def test_the_place_of_a_job_that_ends_by_itself_is_shown_only_when_it_is_asked_for(
        self, settings: Settings
    ) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 3)
        commit(settings, "replay-1", {(CASES, 0): 1})
        assert run_json(settings, "lag", "--every", "0.2")["lags"] == []
        (place,) = run_json(settings, "lag", "replay-1", "--every", "0.2")["lags"]
        assert place["events"] == 2
        assert [group["group"] for group in run_json(settings, "groups", "list")] == ["replay-1"]

    def test_metrics_lines_name_group_topic_and_partition(self, settings: Settings) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 3)
        commit(settings, "lab", {(CASES, 0): 1})
        lines = run(settings, "lag", "--prometheus", "--every", "0.2").stdout.splitlines()
        assert f'deptbus_group_lag_events{{group="lab",topic="{CASES}",partition="0"}} 2' in lines

    def test_watch_shows_look_after_look_until_it_is_interrupted(self, settings: Settings) -> None:
        make(settings, health_cases=1)
        put(settings, CASES, 3)
        commit(settings, "lab", {(CASES, 0): 1})
        environment = settings.environment() | {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        watching = interruptible(
            [sys.executable, "-m", "deptbus", "lag", "--watch", "--every", "0.2", "--over", "1", "--prometheus"],
            env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert watching.stdout is not None
        metric = f'deptbus_group_lag_events{{group="lab",topic="{CASES}",partition="0"}} '
        seen: list[str] = []
        for line in watching.stdout:
            if line.startswith(metric):
                seen.append(line.removeprefix(metric).strip())
                if len(seen) == 1:
                    put(settings, CASES, 2)
                if seen[-1] == "4":
                    watching.send_signal(signal.SIGINT)
                    break
        assert seen[0] == "2"
        watching.stdout.read()
        assert watching.wait(20) == 3

    def test_mistakes_are_one_sentence(self, settings: Settings) -> None:
        make(settings, health_cases=1)
        commit(settings, "lab", {(CASES, 0): 0})
        for arguments, sentence in [
            (("lag", "zoo"), "There is no group zoo; there are lab."),
            (("lag", "--topic", "health.nothing"), "None of these groups reads health.nothing"),
            (("lag", "--over", "soon"), "--over is a number of events or a length of time"),
            (("lag", "--stuck-after", "5"), "--stuck-after is a length of time"),
        ]:
            result = run(settings, *arguments)
            assert (result.returncode, result.stdout) == (2, "")
            assert sentence in result.stderr
            assert "Traceback" not in result.stderr

    def test_where_no_broker_answers_the_command_says_where(self, settings: Settings) -> None:
        (port,) = free_ports(1)
        for command in (("lag",), ("groups", "list"), ("groups", "reset", "lab", "--to", "end")):
            result = run(settings, *command, BUS_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
            assert result.returncode == 2
            assert result.stderr.startswith(f"error: No broker answers at 127.0.0.1:{port}")
            assert len(result.stderr.splitlines()) == 1


def test_a_topic_that_is_dropped_is_nobodys_lag(settings: Settings, looker: Looker) -> None:
    make(settings, health_cases=1)
    put(settings, CASES, 2)
    commit(settings, "lab", {(CASES, 0): 1})
    Admin(client_configuration(settings)).delete(settings.world, [CASES])
    assert look(looker) == {}


def test_the_time_of_a_look_is_never_before_the_newest_record(settings: Settings, looker: Looker) -> None:
    make(settings, health_cases=1)
    put(settings, CASES, 1)
    commit(settings, "lab", {(CASES, 0): 0})
    (found,) = looker.look(["lab"])
    assert found.newest_ms is not None
    assert max(found.newest_ms, found.at_ms) == found.at_ms <= system_clock() + 1_000
    assert json.dumps(found.where) == '["lab", "health.cases", 0]'
