"""``deptbus schemas`` and ``deptbus topics`` as a person or a program meets them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.broker import SharedStack
from tests.catalogue.files import TOPICS, field, record, write_department, write_schema, write_topics

PROJECT = Path(__file__).parents[2]


def _deptbus(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deptbus", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "BUS_ROOT": str(root), "COLUMNS": "200", **environment},
    )


def test_check_names_what_is_wrong_and_ends_with_2(root: Path) -> None:
    assert _deptbus(root, "schemas", "generate").returncode == 0
    done = _deptbus(root, "schemas", "check")
    assert (done.returncode, done.stderr) == (0, "1 event types in 1 versions: nothing is wrong.\n")
    write_schema(root, "health.CaseReported", '{"type": "record",')
    done = _deptbus(root, "schemas", "check")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: schemas/health/CaseReported/v1.avsc, line 1, column 19: this is not valid JSON"
    )
    assert done.stderr.count("\n") == 1
    report = json.loads(_deptbus(root, "schemas", "check", "--json").stdout)
    assert len(report["problems"]) == 1


def test_a_broken_topic_file_is_one_sentence_with_exit_code_2(root: Path) -> None:
    write_topics(root, "health", TOPICS.replace("events:", "event:"))
    for command in (("topics", "list"), ("topics", "plan"), ("schemas", "list"), ("schemas", "register")):
        done = _deptbus(root, *command)
        assert done.returncode == 2
        assert done.stderr.startswith("error: topics/health.yaml, line 4: topics.0.event")
        assert done.stderr.count("\n") == 1


def test_list_and_show(root: Path) -> None:
    (listed,) = json.loads(_deptbus(root, "topics", "list", "--json").stdout)
    assert (listed["name"], listed["grants"][0]["department"]) == ("health.cases", "cdc")
    assert "forever" not in _deptbus(root, "topics", "list").stdout
    assert json.loads(_deptbus(root, "schemas", "list", "--json").stdout)[0]["topic"] == "health.cases"
    shown = json.loads(_deptbus(root, "schemas", "show", "health.CaseReported").stdout)
    assert shown["namespace"] == "health"
    done = _deptbus(root, "schemas", "show", "health.CaseReported", "--version", "9")
    assert (done.returncode, done.stderr) == (2, "error: health.CaseReported has no version 9; it has v1 to v1.\n")


def test_release_locks_and_repeats_quietly(root: Path) -> None:
    assert _deptbus(root, "schemas", "release").stderr == "released health.CaseReported v1\n"
    assert _deptbus(root, "schemas", "release").stderr == "Every version was released already.\n"


@pytest.mark.parametrize("command", [("topics", "plan"), ("topics", "apply"), ("schemas", "register")])
def test_what_cannot_be_reached_is_one_sentence_with_exit_code_2(root: Path, command: tuple[str, ...]) -> None:
    done = _deptbus(root, *command, BUS_BOOTSTRAP_SERVERS="127.0.0.1:1", BUS_SCHEMA_REGISTRY_URL="http://127.0.0.1:1")
    assert done.returncode == 2
    assert "`deptbus up`" in done.stderr
    assert done.stderr.strip().count("\n") == 0


@pytest.mark.kafka
def test_plan_says_3_on_drift_and_0_after_apply(root: Path, stack: SharedStack, namespace: Any) -> None:
    environment = stack.environment(BUS_ROOT=str(root), BUS_NAMESPACE=namespace.name)
    done = _deptbus(root, "topics", "plan", **environment)
    assert done.returncode == 3
    assert "health.cases" in done.stdout
    assert _deptbus(root, "topics", "apply", **environment).returncode == 0
    done = _deptbus(root, "topics", "plan", **environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "No changes: the cluster is as the files say.\n"
    assert json.loads(_deptbus(root, "topics", "plan", "--json", **environment).stdout) == {
        "changes": [],
        "drift": False,
    }
    write_topics(root, "health", TOPICS.replace("    events:", "    partitions: 2\n    events:"))
    assert _deptbus(root, "topics", "plan", **environment).returncode == 3
    done = _deptbus(root, "topics", "apply", **environment)
    assert done.returncode == 2
    assert "keyed topics keep their number" in done.stderr


@pytest.mark.kafka
def test_register_says_what_it_did(tmp_path: Path, stack: SharedStack) -> None:
    # A department of its own: the registry is that of all tests, and the project's types are registered there too.
    write_department(tmp_path, "clinic")
    write_schema(tmp_path, "clinic.CaseSeen", record("CaseSeen", field("number", "string"), namespace="clinic"))
    write_topics(tmp_path, "clinic", "owner: clinic\ntopics:\n  - name: clinic.cases\n    events: [clinic.CaseSeen]\n")
    environment = stack.environment(BUS_ROOT=str(tmp_path))
    assert _deptbus(tmp_path, "schemas", "register", **environment).returncode == 0
    again = json.loads(_deptbus(tmp_path, "schemas", "register", "--json", **environment).stdout)
    assert (again["registered"], again["present"]) == (0, 1)
