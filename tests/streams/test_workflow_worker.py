"""Both processors in one process: one end, one health, one exit code."""

import json

import pytest

from deptbus.health import health_path
from deptbus.settings import Settings
from tests.streams.world import LIMIT_S, REGIONS, Workers, World, counting
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka


def test_events_become_tasks_in_one_process(world: World, workers: Workers) -> None:
    world.activate(counting())
    name = workers.start("workflow")
    world.publish(REGIONS * 3)
    world.wait_for_entries(120)
    world.tick(0)
    world.wait_for_step(0)
    world.wait_for_cases(3)
    assert workers.stop(name) == 0


def test_it_works_the_journal_off_while_it_waits_for_a_pack(world: World, workers: Workers, settings: Settings) -> None:
    name = workers.start("workflow")
    world.tick(0)
    world.wait_for_step(0)
    path = health_path(settings.model_copy(update={"run_dir": workers.directory}), name)
    wait_until(lambda: path.exists() and json.loads(path.read_bytes())["state"] == "waiting", "its health", LIMIT_S)
    assert workers.stop(name) == 0


def test_an_error_of_one_ends_both(world: World, workers: Workers) -> None:
    world.activate(counting())
    name = workers.start("workflow")
    world.publish(REGIONS[:3])
    world.wait_for_entries(3)
    more = {"rule": "shortage", "on": "hospitals.ResourceShort", "key": "event.region", "window": "1d", "basis": "x"}
    world.activate(counting(2, [more]))
    assert workers.dies(name) == 75


@pytest.mark.parametrize("failpoint", ["after-append:2", "inside-transaction:2"])
def test_a_killed_one_loses_and_repeats_nothing(world: World, workers: Workers, failpoint: str) -> None:
    world.activate(counting())
    name = workers.start("workflow", failpoint=failpoint)
    process = workers.running[name]
    steps = 0

    def killed() -> bool:
        nonlocal steps
        world.publish(REGIONS)
        world.tick(steps)
        steps += 1
        return process.poll() is not None

    wait_until(killed, f"{name} to be killed", LIMIT_S)
    assert workers.dies(name) == -9
    workers.start("workflow")
    world.wait_for_entries(world.published)
    world.tick(steps)
    world.wait_for_step(steps)
    world.wait_for_cases(steps)
    assert world.repeated("workflow.tasks") == []
