"""What is told of groups without a process, and of the audit."""

import subprocess
import sys
from pathlib import Path

import pytest

from deptbus.errors import ClusterUnreachable, SettingsError
from deptbus.kafka.looks import Looker
from deptbus.kafka.transport import KafkaTransport
from deptbus.observe import names, watching
from deptbus.observe.watching import Watch
from deptbus.operations.lag import Look
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.observe.scraping import health, scraped, url_of
from tests.streams.world import REGIONS, World, environment
from tests.waiting import wait_until


@pytest.fixture
def world(settings: Settings) -> World:
    return World(settings)


@pytest.mark.kafka
def test_a_group_without_a_process_is_told_of(
    world: World, settings: Settings, stack: SharedStack, tmp_path: Path
) -> None:
    world.publish(REGIONS[:5])
    receiver = KafkaTransport(settings).receiver("lab", ["health.cases"])
    seen = []
    wait_until(lambda: seen.extend(receiver.poll(10, 0.2)) or len(seen) == 5, "five records")
    ends: dict[tuple[str, int], int] = {}
    for record in seen:
        ends[record.topic, record.partition] = record.offset + 1
    receiver.commit(ends)
    receiver.close()
    world.publish(REGIONS[:5])
    variables = environment(settings, stack.environment(), tmp_path) | {"BUS_METRICS_PORT": "0"}
    with (tmp_path / "watch.log").open("wb") as log:
        watch = subprocess.Popen(
            [sys.executable, "-m", "deptbus", "run", "watch"], env=variables, stdout=log, stderr=log
        )  # fmt: skip
    try:
        url = url_of(tmp_path / "health" / f"{settings.world.physical('watch')}.json")
        seen_there = scraped(url, "deptbus_group_lag_events", 5, group="lab", topic="health.cases")
        assert seen_there.value("deptbus_group_lost_events", group="lab") == 0
        assert scraped(url, "deptbus_audit_intact", 1)
        wait_until(lambda: health(url, "ready") == (200, []), "readiness")
        watch.terminate()
        assert watch.wait(20) == 0
    finally:
        if watch.poll() is None:
            watch.kill()
            watch.wait(10)
        world.close()


@pytest.mark.kafka
def test_an_audit_that_was_written_into_by_another_is_told_of(world: World, settings: Settings) -> None:
    assert watching._is_intact(settings)
    world.send_raw("bus.audit", b"not on record", [])
    assert watching._is_intact(settings) is False
    world.close()


class Looks(Looker):
    """A looker that answers what it is told to."""

    def __init__(self, *answers: list[Look] | None) -> None:
        self.answers = list(answers)

    def names(self) -> list[str]:
        return ["lab"]

    def look(self, names: object, topics: object = ()) -> list[Look]:
        answer = self.answers.pop(0)
        if answer is None:
            raise ClusterUnreachable("away")
        return answer


def test_a_broker_that_is_away_is_looked_for_again_and_nothing_old_is_told() -> None:
    one = Look("lab", "health.cases", 0, 1_000, 5, 0, 9, 9, records=4)
    watch = Watch(Looks([one], None, [one]), lambda: True, look_s=0)
    told: list[tuple[list[str], list[float]]] = []

    def beat() -> None:
        lags = [value for metric, _, value in watch.measures() if metric is names.GROUP_LAG]
        told.append((watch.unready(), lags))
        if len(told) == 4:
            watch.stop()

    with pytest.raises(IndexError):
        watch.run(beat)
    nothing = ["no look at the groups has succeeded yet"]
    assert told == [(nothing, []), ([], [4]), (nothing, []), ([], [4])]


def test_without_a_port_there_is_nowhere_to_tell() -> None:
    with pytest.raises(SettingsError, match=r"^BUS_METRICS_PORT is not set: there is nowhere to tell what is seen\.$"):
        watching.serve(Settings.load())
