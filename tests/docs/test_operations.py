"""docs/operations.md is true: the commands of its sections run as they stand there."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.deadletters import DeadLetters
from deptbus.exercise.exercise import drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.namespace import Namespace
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from tests.operations.reading import Result, commit, put, run, run_json
from tests.streams.world import World

pytestmark = pytest.mark.kafka
DOCUMENT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SYMPTOM = re.compile(r"`deptbus ([^`]+)`")
FILLED = {
    "DIR": "ARCHIVE",
    "EVENT_ID": "EVENT",
    "GROUP": "health",
    "ID": "LETTER",
    "NAME": "epidemic/440100/1",
    "TASK_ID": "EVENT",
    "TIME": "2020-01-24T08:00+08:00",
    "TOPIC": "health.cases",
    "TYPE": "health.CasesConfirmed",
}
"""What a person puts in place of a word in capitals."""
EVENT = "0190a5c0-0000-7000-8000-00000000000a"
ATTENTION = 3


def commands(heading: str) -> Iterator[list[str]]:
    """The arguments of each ``deptbus`` command in the section with this heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/operations.md has no section {heading}"
    for block in COMMANDS.findall(found[1]):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["deptbus"]:
                yield words[1:]


@pytest.fixture
def read(settings: Settings) -> Settings:
    """A world of all topics in which health and others have read some."""
    catalogue = load_catalogue(settings.root, system_clock())
    Admin(client_configuration(settings)).create_namespace_topics(settings.world, catalogue.topics.values(), 1)
    with bootstrap.open_registry(settings) as registry:
        register_schemas(registry, catalogue.schemas, {})
    put(settings, "health.cases", 600, partition=2)
    put(settings, "cdc.verifications", 3)
    put(settings, "health.cases", 1, partition=1, headers=[("ce_id", EVENT.encode())])
    commit(settings, "health", {("health.cases", 2): 20, ("cdc.verifications", 0): 3})
    return settings


def test_the_commands_of_watching_run_as_they_stand_there(read: Settings) -> None:
    done: list[list[str]] = []
    for arguments in commands("Watching: lag, groups and the doctor"):
        if "--watch" in arguments:
            continue  # it does not end
        result: Result = run(read, *arguments)
        assert result.returncode in (0, ATTENTION), (arguments, result.stderr)
        assert result.stdout or result.stderr
        done.append(arguments)
    assert {arguments[0] for arguments in done} == {"doctor", "lag", "groups"}


def test_the_commands_about_the_audit_run_as_they_stand_there(settings: Settings, tmp_path: Path) -> None:
    catalogue = load_catalogue(settings.root, system_clock())
    Admin(client_configuration(settings)).create_namespace_topics(settings.world, [catalogue.topic("bus.audit")], 1)
    with bootstrap.open_registry(settings) as registry:
        register_schemas(registry, catalogue.schemas, {})
    machine = settings.model_copy(update={"run_dir": tmp_path})
    with bootstrap.open_auditor(machine, catalogue, operator="chen") as auditor:
        heads = [auditor.record("packs.activate", "epidemic@2").head for _ in range(41)]
    done = []
    for arguments in commands("Audit"):
        given = [str(heads[9]) if word.startswith("$(cat ") else word for word in arguments]
        result: Result = run(machine, *given)
        assert (result.returncode, bool(result.stdout)) == (0, True), (arguments, result.stderr)
        done.append(arguments[1])
    assert set(done) == {"list", "show", "verify"}


def test_the_commands_of_finding_run_as_they_stand_there(settings: Settings, tmp_path: Path) -> None:
    world = World(settings)
    world.publish(["440100"], count=7, id=EVENT, correlation_id="epidemic/440100/1")
    machine = settings.model_copy(update={"run_dir": tmp_path})
    done = []
    for arguments in commands("Finding: tail and trace"):
        if "--follow" in arguments:
            continue  # it does not end
        given = [str(tmp_path / word) if word.endswith(".mmd") else word for word in arguments]
        result: Result = run(machine, *given)
        assert result.returncode == 0, (arguments, result.stderr)
        assert EVENT in result.stdout or "There is no such event" in result.stderr or "CasesConfirmed" in result.stdout
        done.append(arguments[0])
    assert set(done) == {"tail", "trace"}
    assert (tmp_path / "chain.mmd").read_text().startswith("flowchart TD")


def give_up(settings: Settings) -> str:
    """Have cdc give up the newest case, as a handler that raises does; the id of the letter."""
    bus = bootstrap.connect(settings, "bus", process="cdc")
    letters = DeadLetters(bus._publisher, "cdc", settings.value_bytes_max)
    *_, record = read_topic(reader_configuration(settings), settings.world.physical("health.cases"))
    outcome = letters.send(record, "handler", "ValueError: no such hospital", 3).result().require()
    bus.close()
    return outcome.event_id


def test_what_is_looked_at_by_symptom_runs_as_it_stands_there(settings: Settings, tmp_path: Path) -> None:
    World(settings).publish(["440100"], count=7, id=EVENT, correlation_id="epidemic/440100/1")
    commit(settings, "health", {("health.cases", 0): 0})
    letter = give_up(settings)
    machine = settings.model_copy(update={"run_dir": tmp_path})
    archive = str(tmp_path / "archive")
    assert run(machine, "archive", "create", archive, "--topic", "health.cases").returncode == 0
    table = DOCUMENT.partition("## By symptom")[2].partition("\n## ")[0]
    rows = [row.split("|")[2] for row in table.splitlines() if "`deptbus" in row]
    assert len(rows) >= 10
    for command in SYMPTOM.findall("\n".join(rows)):
        words = [FILLED.get(word, word) for word in shlex.split(command)]
        arguments = [{"ARCHIVE": archive, "EVENT": EVENT, "LETTER": letter}.get(word, word) for word in words]
        result: Result = run(machine, *arguments)
        assert result.returncode in (0, 1, ATTENTION), (arguments, result.stderr)  # 1: a part is not there
        assert result.stdout or result.stderr


def test_the_commands_about_dead_letters_run_as_they_stand_there(settings: Settings, tmp_path: Path) -> None:
    World(settings).publish(["440100"], count=7)
    letter = give_up(settings)
    mended = tmp_path / "mended.json"
    for arguments in commands("Dead letters"):
        given = [letter if word == "3f2a91c7" else word for word in arguments]
        if "edit" in given:  # without a person
            shown = run_json(settings, "tail", "health.cases", "--limit", "1")
            mended.write_text(json.dumps(shown["data"] | {"count": 8}), encoding="utf-8")
            given += ["--file", str(mended), "--again"]
        result: Result = run(settings, *given)
        assert result.returncode == 0, (given, result.stdout, result.stderr)


def test_the_commands_about_replays_run_as_they_stand_there(settings: Settings, tmp_path: Path) -> None:
    World(settings).publish(["440100", "440300"], count=7)
    machine = settings.model_copy(update={"run_dir": tmp_path})
    for arguments in commands("Replaying"):
        if {"--rehearsal", "--compare", "drop"} & set(arguments):
            continue  # workers are started for these: tests of rehearsals do
        given = list(arguments)
        if "0195a1b2" in given:
            given[-1] = run_json(machine, "replay", "list")[0]["id"][:13]
        result: Result = run(machine, *given)
        over = "is done; nothing is left of it" in result.stderr
        assert result.returncode == 0 or over, (given, result.stdout, result.stderr)


def test_the_commands_about_archives_run_as_they_stand_there(settings: Settings, tmp_path: Path) -> None:
    World(settings).publish(["440100", "440300"], count=7)
    machine = settings.model_copy(update={"run_dir": tmp_path / "run"})
    worlds = [f"{settings.namespace}-{number}" for number in range(2)]
    try:
        for arguments in commands("Archive and restore"):
            given = [str(tmp_path / word) if word.startswith("backup/") else word for word in arguments]
            given = [worlds[0] if word == "rehearsal" else word for word in given]
            if "restore" in given and "--namespace" not in given:
                given += ["--namespace", worlds[1]]
            result: Result = run(machine, *given)
            assert result.returncode == 0, (given, result.stdout, result.stderr)
    finally:
        for name in worlds:
            drop_namespace(Admin(client_configuration(settings)), Namespace(name))
