"""``deptbus up | down | status | logs`` as a person calls them, and what they say when a thing is missing."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broker import ROOT, SharedStack
from tests.ports import free_ports


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; nothing of the caller's environment but the path."""
    given = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "BUS_ROOT": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "deptbus", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**given, **environment},
    )


def _free_ports() -> dict[str, str]:
    """A stack that may run here, as one is left by `make demo`, holds the usual ones."""
    names = ("BUS_KAFKA_PORT", "BUS_KAFKA_CONTROLLER_PORT", "BUS_REGISTRY_PORT")
    return {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}


def _assert_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2, one line, no traceback, and the words that help."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_without_maven_and_docker(tmp_path: Path) -> None:
    result = _run("up", PATH=str(tmp_path), BUS_LIB_DIR=str(tmp_path))
    _assert_one_sentence(result, "Maven", "Docker", "BUS_STACK=external")


def test_local_without_maven_and_jars(tmp_path: Path) -> None:
    result = _run(
        "up",
        PATH=str(tmp_path),
        BUS_STACK="local",
        BUS_LIB_DIR=str(tmp_path),
        BUS_RUN_DIR=str(tmp_path),
        **_free_ports(),
    )
    _assert_one_sentence(result, "Maven", "BUS_STACK=compose")


def test_compose_without_docker(tmp_path: Path) -> None:
    _assert_one_sentence(_run("up", PATH=str(tmp_path), BUS_STACK="compose"), "Docker Compose", "BUS_STACK=local")


def test_maven_that_fails_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "mvn").write_text("#!/bin/sh\necho '[ERROR] Could not resolve kafka_2.13'\nexit 1\n")
    (tmp_path / "mvn").chmod(0o755)
    ports = [str(port) for port in free_ports(3)]
    result = _run(
        "up",
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        BUS_STACK="local",
        BUS_LIB_DIR=str(tmp_path / "lib"),
        BUS_RUN_DIR=str(tmp_path / "run"),
        **dict(zip(("BUS_KAFKA_PORT", "BUS_KAFKA_CONTROLLER_PORT", "BUS_REGISTRY_PORT"), ports, strict=True)),
    )
    _assert_one_sentence(result, "Could not resolve kafka_2.13", "maven.log")
    assert not list((tmp_path / "lib").iterdir())


def test_another_folder_than_the_project(tmp_path: Path) -> None:
    result = _run("up", BUS_STACK="local", BUS_ROOT=str(tmp_path), **_free_ports())
    _assert_one_sentence(result, "pom.xml", "BUS_ROOT")


def test_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = _run("up", BUS_STACK="local", BUS_KAFKA_PORT=str(port), BUS_RUN_DIR=str(tmp_path))
    _assert_one_sentence(result, str(port), "BUS_KAFKA_PORT", f"pid {os.getpid()}")


def test_unreachable_cluster() -> None:
    port = free_ports(1)[0]
    result = _run("up", BUS_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}", BUS_START_TIMEOUT_S="1")
    _assert_one_sentence(result, f"127.0.0.1:{port}", "BUS_BOOTSTRAP_SERVERS")


def test_down_leaves_the_cluster_of_others_alone() -> None:
    _assert_one_sentence(_run("down", BUS_STACK="external"), "run by others")


def test_setting_that_is_no_number() -> None:
    _assert_one_sentence(_run("status", BUS_KAFKA_PORT="many"), "BUS_KAFKA_PORT", "many")


@pytest.mark.kafka
def test_registry_that_answers_with_errors(stack: SharedStack) -> None:
    broken = stack.registry_url.replace("/ccompat/v7", "/nothing")
    result = _run(
        "up",
        BUS_BOOTSTRAP_SERVERS=stack.bootstrap_servers,
        BUS_SCHEMA_REGISTRY_URL=broken,
        BUS_STACK="external",
    )
    _assert_one_sentence(result, "404", broken)


@pytest.mark.kafka
def test_status_for_programs(stack: SharedStack) -> None:
    given = {"BUS_BOOTSTRAP_SERVERS": stack.bootstrap_servers, "BUS_SCHEMA_REGISTRY_URL": stack.registry_url}
    result = _run("status", "--json", **given)
    assert result.returncode == 0
    said = json.loads(result.stdout)
    assert said["stack"] == "external"
    assert {part["part"]: part["healthy"] for part in said["parts"]} == {"kafka": True, "registry": True}
    assert _run("up", **given).returncode == 0


def test_status_of_a_stopped_stack(tmp_path: Path) -> None:
    result = _run("status", "--json", BUS_STACK="local", BUS_RUN_DIR=str(tmp_path))
    assert result.returncode == 1
    said = json.loads(result.stdout)
    assert [part["running"] for part in said["parts"]] == [False, False]
    assert [part["pid"] for part in said["parts"]] == [None, None]
