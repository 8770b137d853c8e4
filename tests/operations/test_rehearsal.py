"""``deptbus replay --rehearsal`` and ``--compare``: the past once more, in a world of its own beside this one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deptbus.cli import replay
from deptbus.cli.demo import scenario_plan
from deptbus.errors import BusError
from deptbus.exercise.exercise import Exercise, drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.namespace import Namespace
from deptbus.record import Record
from deptbus.rehearsing import TOGETHER_S
from deptbus.settings import Settings
from tests.broker import ROOT, SharedStack
from tests.interrupting import interruptible
from tests.streams.world import LIMIT_S, Workers, World, counting, environment
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

OUTPUTS = ("workflow.journal", "workflow.tasks", "workflow.timeline", "workflow.events", "workflow.instances")
Run = Callable[..., Result]


def command(settings: Settings, monkeypatch: pytest.MonkeyPatch, run_dir: Path) -> Run:
    """``deptbus replay`` in the world of the settings, in this process."""
    variables = settings.environment() | {"BUS_RUN_DIR": str(run_dir), "PYTHONPATH": str(ROOT)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(replay.app, arguments)


def told(done: Result, code: int) -> dict[str, Any]:
    """The JSON answer of a command that ended with ``code``."""
    assert done.exit_code == code, repr(done.exception) + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def written(settings: Settings, topics: tuple[str, ...] = OUTPUTS) -> dict[str, list[Record]]:
    """What stands on the bus's own topics."""
    physical = settings.world.physical
    return {topic: list(read_topic(reader_configuration(settings), physical(topic))) for topic in topics}


@pytest.fixture(scope="module")
def played(stack: SharedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An exercise that was played to its end: a chemical leak."""
    directory = tmp_path_factory.mktemp("played")
    settings = stack.settings(namespace=f"x-{uuid4().hex[:8]}", run_dir=directory)
    exercise = Exercise(settings, scenario_plan(settings, "leak-shenzhen", seed=3, step=None))
    try:
        exercise.prepare()
        exercise.play()
        yield settings
    finally:
        drop_namespace(Admin(client_configuration(settings)), settings.world)


def test_under_the_same_rules_everything_comes_out_as_it_did(
    played: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run, before = command(played, monkeypatch, tmp_path), written(played)
    name = f"r-{uuid4().hex[:8]}"
    try:
        began = time.monotonic()
        found = told(run("--compare", "--rehearsal", name, "--rate", "50", "--json"), 0)
        assert time.monotonic() - began > (found["events"] - 1) / 50 - TOGETHER_S, "as slowly as was asked"
        assert (found["compared"], found["different"], found["unasked"]) == (1, [], 0)
        assert written(played) == before
        world = Namespace(name)
        rehearsed = played.model_copy(update={"namespace": name})
        tasks = [
            {(one.key, one.value) for one in records} for records in (
                before["workflow.tasks"], written(rehearsed)["workflow.tasks"],
            )
        ]  # fmt: skip
        assert tasks[0] == tasks[1], "byte for byte"
        again = run("--rehearsal", name)
        assert isinstance(again.exception, BusError)
        assert f"The namespace {name} is there already" in str(again.exception)
        assert run("drop", name).exit_code == 0
        assert Admin(client_configuration(played)).names(world) == {}
    finally:
        drop_namespace(Admin(client_configuration(played)), Namespace(name))


def test_under_a_changed_rule_it_says_what_would_have_been_different(
    played: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = command(played, monkeypatch, tmp_path)
    folder = tmp_path / "leak"
    shutil.copytree(ROOT / "services" / "workflows" / "leak", folder)
    text = (folder / "workflow.yaml").read_text().replace("version: 1", "version: 2", 1)
    head, step, rest = text.partition("  - step: contain\n")
    (folder / "workflow.yaml").write_text(head + step + rest.replace("complete_by: 30m", "complete_by: 6h", 1))
    found = told(run("--compare", "--pack", str(folder), "--json"), 3)
    ((instance,), compared) = found["different"], found["compared"]
    assert compared == 1
    assert {(one["kind"], one["task"]) for one in instance["differences"]} >= {("complete_by", "contain 440307")}
    assert all(one["task"].startswith("contain") for one in instance["differences"]), "nothing else moved"
    (first,) = [one for one in instance["differences"] if one["kind"] == "complete_by"]
    assert first["now"] - first["then"] == 5.5 * 3_600_000
    assert "办理期限" in first["zh"]
    left = [name for name in Admin(client_configuration(played)).names(Namespace()) if "compare-" in name]
    assert left == [], "its namespace is dropped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_one_that_is_broken_off_leaves_nothing_behind(played: Settings, tmp_path: Path, number: signal.Signals) -> None:
    variables = played.environment() | {"BUS_RUN_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    process = interruptible(
        [sys.executable, "-m", "deptbus", "replay", "--compare", "--rate", "1"], env=os.environ | variables,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until(lambda: len(_pids(tmp_path)) == 2, "its workers", LIMIT_S)
        workers = _pids(tmp_path)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    left = [name for name in Admin(client_configuration(played)).names(Namespace()) if "compare-" in name]
    assert left == [], "its namespace is dropped"


def _pids(directory: Path) -> list[int]:
    """The processes of the workers of a rehearsal that runs in a directory."""
    return [int(found) for path in directory.glob("compare-*/**/*.pid") if (found := path.read_text()).strip()]


@pytest.mark.parametrize("wrong", ["nowhere", "broken"])
def test_a_pack_that_is_none_is_refused_before_anything_is_done(
    played: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    run = command(played, monkeypatch, tmp_path)
    (tmp_path / "broken").write_text("{")
    done = run("--compare", "--pack", str(tmp_path / wrong))
    assert isinstance(done.exception, BusError), done.exception
    assert "\n" not in str(done.exception)


@pytest.fixture
def life(stack: SharedStack, tmp_path: Path) -> Iterator[World]:
    """Actual life itself; the tests' broker has nothing else in it."""
    settings = stack.settings(namespace="", run_dir=tmp_path)
    workers = Workers(settings, environment(settings, stack.environment(), tmp_path), tmp_path)
    world = World(settings)
    world.activate(counting(acknowledge_by="0m"))
    workers.start("workflow")
    yield world
    world.close()
    workers.end()
    admin = Admin(client_configuration(settings))
    admin.delete(Namespace(), admin.names(Namespace()))


def test_a_rehearsal_of_actual_life_expires_nothing_and_moves_nothing(
    life: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Deadlines count from the broker's times of then; what lives beside it has no part in it."""

    def escalated() -> set[str]:
        tasks = life.read("workflow.tasks")
        return {data["instance"] for _, kind, data in tasks if kind == "workflow.TaskEscalated"}

    early = [f"4401{number:02}" for number in range(4)]
    late = [f"4402{number:02}" for number in range(20)]
    life.publish(early, mode="actual")
    wait_until(lambda: len(escalated()) == len(early), "what falls due at once", LIMIT_S)
    before = written(life.settings, ("workflow.tasks",))
    run = command(life.settings, monkeypatch, tmp_path)
    publishing = threading.Thread(target=lambda: [life.publish([region], mode="actual") for region in late])
    starting = threading.Timer(3, publishing.start)  # into the middle of it
    starting.start()
    found = told(run("--compare", "--topic", "health.cases", "--json"), 0)
    starting.join()
    publishing.join()
    assert found["compared"] == found["events"] > 0
    assert found["different"] == [], "escalated then and now, for the same reason"
    wait_until(lambda: len(escalated()) == len(early) + len(late), "the live events' own", LIMIT_S)
    after = written(life.settings)
    for partition in range(4):
        stood = [one for one in before["workflow.tasks"] if one.partition == partition]
        assert [one for one in after["workflow.tasks"] if one.partition == partition][: len(stood)] == stood
    everything = [one for records in after.values() for one in records]
    assert not any("ce_replayid" in dict(one.headers) for one in everything)
    assert set(life.journalled().values()) == {1}
    assert len(life.journalled()) == len(early) + len(late)
