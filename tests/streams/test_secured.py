"""The workers on a listener that wants to know who they are."""

from pathlib import Path

import pytest

from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.conftest import ScramUser
from tests.streams.world import REGIONS, Workers, World, counting, environment

pytestmark = pytest.mark.kafka


def test_workers_are_let_in_with_scram(
    stack: SharedStack, settings: Settings, scram: ScramUser, tmp_path: Path
) -> None:
    secured = {
        "BUS_BOOTSTRAP_SERVERS": scram.bootstrap_servers,
        "BUS_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "BUS_SASL_MECHANISM": "SCRAM-SHA-512",
        "BUS_SASL_USERNAME": scram.name,
        "BUS_SASL_PASSWORD": scram.password,
    }
    workers = Workers(settings, environment(settings, stack.environment(), tmp_path) | secured, tmp_path)
    world = World(settings)
    try:
        world.activate(counting())
        workers.start("correlate")
        workers.start("advance")
        world.publish(REGIONS * 3)
        world.wait_for_entries(len(REGIONS) * 3)
        world.tick(0)
        world.wait_for_step(0)
        world.wait_for_cases(3)
        assert any(kind == "workflow.TaskRequested" for _, kind, _ in world.read("workflow.tasks"))
    finally:
        world.close()
        workers.end()
