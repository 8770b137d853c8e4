"""The whole bus in containers: every one healthy or done, and an event becomes an incident."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copying import copy_project
from tests.ports import free_ports
from tests.waiting import wait_until

HEALTHY_S = 120
COMMAND_S = 600
CASE = {
    "region": "440100",
    "province": "440000",
    "city": "广州市",
    "count": 12,
    "total": 12,
    "date": "2026-01-01",
    "source_reference": "test:1",
}


def _works(*command: str) -> bool:
    return (
        shutil.which(command[0]) is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def _compose() -> list[str] | None:
    """The command there is, in the old or the new form; None without an engine that answers or its images."""
    images = ("apache/kafka:4.3.1", "apicurio/apicurio-registry:3.3.3", "python:3.11-slim")
    if not _works("docker", "info") or not all(_works("docker", "image", "inspect", image) for image in images):
        return None
    if _works("docker-compose", "version"):
        return ["docker-compose"]
    return ["docker", "compose"] if _works("docker", "compose", "version") else None


class Containers:
    """One project of compose."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.name = f"deptbus-test-{uuid.uuid4().hex[:8]}"
        self._command, self._folder = [*command, "-p", self.name], folder
        kafka, registry = free_ports(2)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BUS_")}
        self._environment = {**kept, "BUS_KAFKA_PORT": str(kafka), "BUS_REGISTRY_PORT": str(registry)}

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [*self._command, *arguments], cwd=self._folder, env=self._environment, input=stdin, capture_output=True,
            text=True, timeout=COMMAND_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """By service: ``healthy``, ``exited 0`` or what else it is."""
        listed = ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={self.name}"]
        ids = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
        inspect = ["docker", "inspect", *ids]
        inspected = subprocess.run(inspect, capture_output=True, text=True, check=True).stdout
        states = {}
        for one in json.loads(inspected):
            state = one["State"]
            told = state.get("Health", {}).get("Status") or state["Status"]
            service = one["Config"]["Labels"]["com.docker.compose.service"]
            states[service] = f"exited {state['ExitCode']}" if state["Status"] == "exited" else told
        return states


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    """The project's containers, from a copy of its files; everything of them is removed afterwards."""
    command = _compose()
    if command is None:
        pytest.skip("no Docker Engine with compose and the images of compose.yaml")
    project = Containers(command, copy_project(tmp_path / "deptbus"))
    try:
        yield project
    finally:
        project("down", "-v", "--rmi", "local")


@pytest.mark.kafka
@pytest.mark.timeout(900)
def test_every_container_becomes_healthy_and_the_bus_works(containers: Containers) -> None:
    containers("build")
    containers("up", "-d", "--build")
    well = {"healthy", "exited 0"}
    wait_until(
        lambda: len(states := containers.states()) == 6 and set(states.values()) <= well,
        "six containers that are healthy or have exited 0",
        HEALTHY_S,
    )
    assert containers.states()["setup"] == "exited 0"
    published = ["publish", "health.CasesConfirmed", "--data", "-", "--subject", "440100", "--region", "440100"]
    containers("exec", "-T", "departments", "deptbus", *published, "--basis", "a law", stdin=json.dumps(CASE))

    def incidents() -> list[str]:
        rows = json.loads(containers("exec", "-T", "advance", "deptbus", "incidents", "list", "--json"))
        return [row["instance"] for row in rows]

    wait_until(lambda: incidents() == ["epidemic/440100/1"], "the incident", 60)
