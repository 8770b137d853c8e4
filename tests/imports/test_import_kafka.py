"""``deptbus import epidemic`` from a shell, onto a real broker."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.envelope import from_headers
from deptbus.imports import scenario
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from deptbus.topics.apply import apply_topics
from tests.broker import SharedStack

pytestmark = pytest.mark.kafka


def test_importing_twice_publishes_the_same_events(settings: Settings, stack: SharedStack) -> None:
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
    arguments = [
        sys.executable, "-m", "deptbus", "import", "epidemic", str(scenario.FOLDER),
        "--province", scenario.PROVINCE, "--from", scenario.FIRST, "--to", scenario.LAST, "--json",
    ]  # fmt: skip
    for _ in range(2):
        ran = subprocess.run(
            arguments, env=stack.environment(BUS_NAMESPACE=settings.namespace), capture_output=True, check=True
        )
        counts = json.loads(ran.stdout)
        assert counts["published"] == 33 + 19
        assert len(counts["problems"]) == 1
    times: Counter[str] = Counter()
    for topic in ("health.cases", "data.objections"):
        for record in read_topic(reader_configuration(settings), settings.world.physical(topic)):
            times[from_headers(record.headers).id] += 1
    assert set(times.values()) == {2}
    assert len(times) == 33 + 19
