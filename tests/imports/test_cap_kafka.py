"""``deptbus import cap`` from a shell, onto a real broker."""

import json
import subprocess
import sys
from pathlib import Path

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
from tests.imports.cap_files import cap, write

pytestmark = pytest.mark.kafka


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
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-m", "deptbus", "import", "cap", str(tmp_path), "--json"],
            env=stack.environment(BUS_NAMESPACE=settings.namespace), capture_output=True, check=False,
        )  # fmt: skip
        found = json.loads(ran.stdout)
        assert (ran.returncode, found["published"], found["refused"]) == (1, 2, 1)
    topic = settings.world.physical("warning.alerts")
    headers = [from_headers(record.headers) for record in read_topic(reader_configuration(settings), topic)]
    assert len(headers) == 4
    assert len({envelope.id for envelope in headers}) == 2
    assert {envelope.mode for envelope in headers} == {"exercise", "test"}
    assert {envelope.region for envelope in headers} == {"440300"}
