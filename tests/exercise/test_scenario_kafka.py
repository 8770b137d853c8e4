"""A scenario's file on a real broker: it ends as it does in memory."""

from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus.cli.demo import scenario_plan
from deptbus.exercise.exercise import Exercise, drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from tests.broker import SharedStack
from tests.services.play import play_scenario

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def test_a_leak_ends_on_a_broker_as_it_does_in_memory(stack: SharedStack, tmp_path: Path) -> None:
    settings = stack.settings(namespace=f"x-{uuid4().hex[:8]}", run_dir=tmp_path)
    exercise = Exercise(settings, scenario_plan(settings, "leak-shenzhen", seed=3, step=None))
    try:
        exercise.prepare()
        summary = exercise.play()
    finally:
        drop_namespace(Admin(client_configuration(settings)), settings.world)
    (instance,) = play_scenario("leak-shenzhen", 3).instances.values()
    assert summary.fold_equal
    assert (summary.incidents, summary.incidents_closed, summary.dead_letters) == (1, 1, 0)
    assert summary.imported["ecology.PlumeUpdated"] == 6
    tally = {department: dict(sorted(states.items())) for department, states in sorted(instance["tally"].items())}
    assert summary.tasks == tally
    counts = {name: asdict(summary)[name] for name in ("acknowledged_late", "completed_late", "escalations")}
    assert counts == {name: instance["counts"].get(name, 0) for name in counts}
