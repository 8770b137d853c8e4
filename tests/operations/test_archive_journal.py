"""The commands, on a world in which workflows have run: what is restored folds to the same states, and lives on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus.bootstrap import open_auditor
from deptbus.exercise.exercise import drop_namespace
from deptbus.folding import fold_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.acts import Audited
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.streams.world import CASES, REGIONS, Workers, World, counting, environment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@dataclass
class Command:
    """``deptbus archive`` as people give it."""

    environment: dict[str, str]

    def __call__(self, *words: object, code: int = 0, **variables: str) -> str:
        """Run it; answers what it printed, errors first."""
        said = subprocess.run(
            [sys.executable, "-m", "deptbus", "archive", *map(str, words)],
            env=self.environment | variables, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert said.returncode == code, said.stderr + said.stdout
        assert "Traceback" not in said.stderr
        return said.stderr + said.stdout if code else said.stdout


@pytest.fixture
def elsewhere(stack: SharedStack) -> Iterator[Settings]:
    """Another namespace, to restore into."""
    settings = stack.settings(namespace=f"r-{uuid4().hex[:8]}")
    yield settings
    drop_namespace(Admin(client_configuration(settings)), settings.world)


def acts(settings: Settings) -> list[tuple[str, str]]:
    """What was done to archives, as the audit has it; the chain is whole."""
    with open_auditor(settings) as auditor:
        assert auditor.verify().findings == ()
        found = [act.data for act in auditor.acts() if isinstance(act, Audited)]
    return [(data["act"], data["outcome"]) for data in found if data["act"].startswith("archive.")]


def _play(settings: Settings, stack: SharedStack, directory: Path, *, rounds: int, step: int) -> World:
    """Publish so many cases in every region, let the workers handle them, and stop."""
    workers = Workers(settings, environment(settings, stack.environment(), directory), directory)
    world = World(settings)
    try:
        if step == 0:
            world.activate(counting())
        workers.start("correlate")
        workers.start("advance")
        before = len(world.journalled())
        world.publish(REGIONS * rounds)
        world.wait_for_entries(before + len(REGIONS) * rounds)
        world.tick(step)
        world.wait_for_step(step)
        for name in list(workers.running):
            assert workers.stop(name) == 0
    finally:
        workers.end()
    return world


def test_an_archived_and_restored_journal_folds_to_the_same_states_and_goes_on(
    settings: Settings, elsewhere: Settings, stack: SharedStack, tmp_path: Path
) -> None:
    world = _play(settings, stack, tmp_path, rounds=2, step=0)
    world.wait_for_cases(2)
    world.close()
    command = Command(environment(settings, stack.environment(), tmp_path))
    folder = tmp_path / "archive"

    made = json.loads(command("create", folder, "--all", "--groups", "--json"))
    assert {part["topic"] for part in made["partitions"]} >= {"health.cases", "workflow.journal", "bus.packs"}
    assert "correlate" in made["groups"]
    assert {schema["type"] for schema in made["schemas"]} >= {CASES, "workflow.EntryAppended"}
    assert json.loads(command("verify", folder, "--json"))["whole"]
    assert json.loads(command("list", folder, "--json")) == made

    planned = json.loads(command("restore", folder, "--namespace", elsewhere.namespace, "--dry-run", "--json"))
    assert sum(part["records"] for part in planned["partitions"]) == made["records"]
    assert Admin(client_configuration(elsewhere)).names(elsewhere.world) == {}
    done = json.loads(command("restore", folder, "--namespace", elsewhere.namespace, "--groups", "--json"))
    assert done["equal"]
    assert done["records"] == made["records"]
    assert done["groups"].keys() == made["groups"].keys()

    assert acts(settings) == [("archive.create", "started"), ("archive.create", "done")]
    # The audit was archived while the archive was being made, and its chain goes on where it was restored.
    assert acts(elsewhere) == [("archive.create", "started"), ("archive.restore", "done")]

    lived, again = (fold_namespace(each, outputs=True) for each in (settings, elsewhere))
    assert again.equal
    assert (again.entries, again.instances) == (lived.entries, lived.instances)
    assert lived.instances == len(REGIONS)

    there = _play(elsewhere, stack, tmp_path, rounds=1, step=1)
    there.wait_for_cases(3)
    there.close()
    assert fold_namespace(elsewhere, outputs=True).equal


def test_events_in_an_archive_are_shown_decoded_and_filtered(
    settings: Settings, stack: SharedStack, tmp_path: Path
) -> None:
    world = World(settings)
    world.publish(REGIONS)
    world.close()
    command = Command(environment(settings, stack.environment(), tmp_path))
    folder = tmp_path / "archive"
    command("create", folder, "--topic", "health.cases")
    nowhere = {"BUS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "BUS_SCHEMA_REGISTRY_URL": "http://127.0.0.1:1"}
    [line] = command("show", folder, "--where", f"region={REGIONS[3]}", "--json", **nowhere).splitlines()
    shown = json.loads(line)
    assert (shown["topic"], shown["type"], shown["data"]["region"]) == ("health.cases", CASES, REGIONS[3])
    assert len(command("show", folder, "--limit", 7, **nowhere).splitlines()) == 7
    assert len(command("show", folder, "--topic", "health.cases", "--type", CASES, "-n", 99).splitlines()) == 40


def test_mistakes_are_told_in_one_sentence_and_nothing_is_half_done(
    settings: Settings, elsewhere: Settings, stack: SharedStack, tmp_path: Path
) -> None:
    world = World(settings)
    world.publish(REGIONS)
    world.close()
    command = Command(environment(settings, stack.environment(), tmp_path))
    folder = tmp_path / "archive"
    for words, said in (
        (["--topic", "health.no"], "There is no topic health.no on the cluster"),
        (["--topic", "health.cases", "--to", "2999-01-01T00:00Z"], "lies in the future"),
        (["--topic", "health.cases", "--from", "@9", "--to", "@3"], "lies before"),
        (["--topic", "health.cases", "--codec", "rar"], "--codec is one of"),
        ([], "Say what is meant"),
    ):
        told = command("create", folder, *words, code=2)
        assert told.startswith("error: "), told
        assert said in " ".join(told.split())
        assert len(told.strip().splitlines()) == 1
    assert "schema registry" in command(
        "create", folder, "--topic", "health.cases", code=2, BUS_SCHEMA_REGISTRY_URL="http://127.0.0.1:1"
    )
    command("create", folder, "--topic", "health.cases")
    assert "is not empty" in command("restore", folder, code=2)
    data = next(folder.rglob("*.avro"))
    data.write_bytes(data.read_bytes()[:-40])
    told = command("verify", folder, code=3)
    assert f"{data.relative_to(folder)}, block 0, record " in told
    told = command("restore", folder, "--namespace", elsewhere.namespace, code=3)
    assert f"{data.relative_to(folder)} is not as it was written; `deptbus archive verify` names" in told
    assert Admin(client_configuration(elsewhere)).names(elsewhere.world) == {}
