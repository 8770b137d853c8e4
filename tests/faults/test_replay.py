"""A replay that is killed twenty times: a reader of the new topic sees every event, once, in order."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.record import Record
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.streams.world import REGIONS, World, environment

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

TOPIC = "health.cases"
SEED = 20
KILLS = 20
POINTS = ("after-poll", "after-outputs", "inside-transaction", "after-commit")


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    made = World(settings)
    for _ in range(250):
        made.publish(REGIONS)
    yield made
    made.close()


@pytest.mark.timeout(900)
def test_nothing_is_lost_and_nothing_is_there_twice(
    world: World, stack: SharedStack, settings: Settings, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    variables = environment(settings, stack.environment(), tmp_path) | {
        "BUS_LOG_LEVEL": "warning",
        "BUS_REPLAY_TRANSACTION_MAX": "100",
    }

    def replay(*arguments: str, failpoint: str = "") -> subprocess.CompletedProcess[str]:
        more = {"BUS_FAILPOINT": failpoint} if failpoint else {}
        command = [sys.executable, "-m", "deptbus", "replay", *arguments]
        return subprocess.run(command, env=variables | more, capture_output=True, text=True, timeout=120, check=False)

    order: tuple[str, ...] = ("--topic", TOPIC, "--to-topic", "again")
    seen = []
    for _ in range(KILLS):
        done = replay(*order, failpoint=f"{chance.choice(POINTS)}:{chance.randint(1, 4)}")
        assert done.returncode == -9, done.stderr
        (listed,) = json.loads(replay("list", "--json").stdout)
        seen.append(listed["left"])
        order = ("resume", listed["id"])
    assert 0 < seen[-1] < seen[0], "killed in the middle"
    assert seen == sorted(seen, reverse=True)
    done = replay(*order, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == world.published
    assert _content(world, "again") == _content(world, TOPIC)


def _content(world: World, topic: str) -> dict[int, list[tuple[bytes | None, bytes | None, int, bytes]]]:
    """Of each partition in order what a read_committed reader sees: key, value, time, id."""
    found: dict[int, list[tuple[bytes | None, bytes | None, int, bytes]]] = {}
    for record, _, _ in world.read(topic):
        found.setdefault(record.partition, []).append(_told(record))
    return found


def _told(record: Record) -> tuple[bytes | None, bytes | None, int, bytes]:
    return record.key, record.value, record.timestamp_ms, dict(record.headers)["ce_id"]
