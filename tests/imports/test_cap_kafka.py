"""``deptbus import cap`` from a shell, onto a real broker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.envelope import from_headers
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from deptbus.topics.apply import apply_topics
from tests.broker import SharedStack
from tests.imports.cap_files import IDENTIFIER, cap, reference, write

pytestmark = pytest.mark.kafka
NAMED = reference(IDENTIFIER)


def test_importing_twice_publishes_the_same_events_and_refuses_the_same_files(
    settings: Settings, stack: SharedStack, tmp_path: Path
) -> None:
    catalogue = load_catalogue(settings.root, system_clock())
    with bootstrap.open_registry(settings) as registry:
        register_schemas(registry, catalogue.schemas, {})
    apply_topics(
        Admin(client_configuration(settings)),
        settings.world,
        catalogue,
        replication=settings.replication,
        allow_delete=False,
    )
    write(tmp_path, "a.cap", cap())
    write(tmp_path, "b.cap", cap().replace("Met", "Sun"))
    write(tmp_path, "c.cap", cap(identifier="A-1").replace("Actual", "Test"))
    write(tmp_path, "d.cap", cap(identifier="A-2", sent="2020-01-24T10:00:00+08:00", kind="Update", references=NAMED))
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-m", "deptbus", "import", "cap", str(tmp_path), "--json"],
            env=stack.environment(BUS_NAMESPACE=settings.namespace), capture_output=True, check=False,
        )  # fmt: skip
        found = json.loads(ran.stdout)
        assert (ran.returncode, found["published"], found["refused"]) == (1, 3, 1)
    topic = settings.world.physical("warning.alerts")
    headers = [from_headers(record.headers) for record in read_topic(reader_configuration(settings), topic)]
    assert len(headers) == 6
    assert len({envelope.id for envelope in headers}) == 3
    assert {envelope.mode for envelope in headers} == {"exercise", "test"}
    assert {envelope.region for envelope in headers} == {"440300"}
    in_force = _run(stack, settings, "alerts", "--region", "440305", "--json")
    assert [one["identifier"] for one in in_force] == ["A-1", "A-2"]
    everything = _run(stack, settings, "alerts", "--all", "--json")
    assert {(one["identifier"], one["state"], one["by"]) for one in everything} == {
        (IDENTIFIER, "superseded", "A-2"), ("A-1", "in_force", None), ("A-2", "in_force", None),
    }  # fmt: skip


def _run(stack: SharedStack, settings: Settings, *arguments: str) -> Any:
    environment = stack.environment(BUS_NAMESPACE=settings.namespace)
    command = [sys.executable, "-m", "deptbus", *arguments]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
