"""A bulk redrive is killed again and again while its group works: nothing is lost, nothing is sent or handled twice."""

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from deptbus.redriven import OF, redriven_for
from deptbus.testing import running, wait_until
from tests.bus.conftest import catalogue, kafka_world, quick, root  # noqa: F401  # fixtures
from tests.bus.worlds import KafkaWorld
from tests.operations.letters import Lab, acts, environment, give_up, letters

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(470)]

LETTERS = 2_500
KILLS = 20
SEED = 20200120


def redrive(world: KafkaWorld, root: Path, failpoint: str | None) -> int:  # noqa: F811
    """Give the command; its exit code."""
    given = environment(world, root) | {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "deptbus", "deadletters", "redrive", "--all", "--reason", "mended"],
        capture_output=True, text=True, timeout=120, check=False,
        env=given if failpoint is None else given | {"BUS_FAILPOINT": failpoint},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def test_a_redrive_that_is_killed_twenty_times_sends_each_letter_once(kafka_world: KafkaWorld, root: Path) -> None:  # noqa: F811
    rng = random.Random(SEED)
    lab = Lab(kafka_world.connect("lab"))
    with running(lab.bus, 60):
        give_up(kafka_world, LETTERS)
        lab.mended = True
        for _ in range(KILLS):
            failpoint = rng.choice([f"inside-transaction:{rng.randint(1, 150)}", "after-commit:1"])
            assert redrive(kafka_world, root, failpoint) == -signal.SIGKILL, failpoint
        assert 0 < len(acts(kafka_world)) < LETTERS, "the kills came in the middle"
        assert redrive(kafka_world, root, None) == 0
        wait_until(lambda: len(lab.handled) >= LETTERS, 120)
    assert Counter(act.data["letter"] for act in acts(kafka_world)) == Counter(
        letter.envelope.id for letter in letters(kafka_world)
    )
    sent = [dict(record.headers)[OF] for record in kafka_world.records("ward.cases") if redriven_for(record.headers)]
    assert len(sent) == len(set(sent)) == LETTERS
    assert Counter(lab.handled) == Counter(map(str, range(LETTERS)))
    assert "duplicates" not in lab.bus.health().counts
