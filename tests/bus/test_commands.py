"""``deptbus publish`` as a person runs it, in the small world."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bus.contract import CASE
from tests.bus.worlds import KafkaWorld

pytestmark = pytest.mark.kafka

Command = Callable[..., subprocess.CompletedProcess[str]]
UUID = "0190a5c0-0000-7000-8000-00000000000a"


@pytest.fixture
def run(kafka_world: KafkaWorld, root: Path) -> Command:
    """Run the command in the world; its result."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "BUS_ROOT": str(root),
        "BUS_STACK": "external",
        "BUS_NAMESPACE": kafka_world.settings.namespace,
        "BUS_BOOTSTRAP_SERVERS": kafka_world.settings.bootstrap_servers,
        "BUS_SCHEMA_REGISTRY_URL": kafka_world.settings.schema_registry_url,
    }

    def command(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deptbus", *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, env=environment, check=False,
        )  # fmt: skip

    return command


def test_an_event_published_by_hand_is_seen_in_the_tail(run: Command, kafka_world: KafkaWorld) -> None:
    data = {"case": "病例-1", "reported": "2020-01-20T16:00:00Z", "patient": {"name": "张三", "age": 4}}
    options = ("--subject", "440100", "--region", "440100", "--basis", "Law art. 1", "--actor", "李伟", "--id", UUID)
    published = run("publish", CASE, "--data", "-", *options, stdin=json.dumps(data))
    assert published.returncode == 0, published.stderr
    assert published.stdout.startswith(f"{CASE} {UUID} is on ward.cases[")
    (event,) = kafka_world.events("ward.cases")
    assert event.data["reported"] == 1_579_536_000_000
    assert (event.envelope.actor, event.envelope.legalbasis) == ("李伟", "Law art. 1")
    shown = run("tail", "ward.cases")
    assert shown.returncode == 0, shown.stderr
    (line,) = shown.stdout.splitlines()
    assert " ward.CaseReported 440100 " in line


def test_mistakes_are_one_sentence(run: Command) -> None:
    for arguments, sentence in [
        (("publish", CASE, "--data", "/no/such", "--subject", "s"), "cannot be read"),
        (("publish", "ward.Nothing", "--data", "-", "--subject", "s"), "No topic carries ward.Nothing"),
        (("publish", CASE, "--data", "-", "--subject", "s", "--as", "lab"), "lab cannot publish"),
        (("publish", CASE, "--data", "-", "--subject", "s", "--as", "zoo"), "There is no department zoo"),
        (("publish", CASE, "--data", "-", "--subject", "s"), "do not fit ward.CaseReported"),
    ]:
        result = run(*arguments, stdin='{"case": 5}')
        assert result.returncode == 2
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
