"""A small exercise on a real broker: the scenario's first days, once in peace and once with everything that can go
wrong with workers; both must come to the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus.cli.demo import Choice, make_plan
from deptbus.exercise.clock import Announcement
from deptbus.exercise.exercise import Exercise, drop_namespace
from deptbus.exercise.summary import Summary
from deptbus.imports import scenario
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from tests.broker import SharedStack

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

DAYS = Choice(scenario.FOLDER, scenario.PROVINCE, "2020-02-03", "2020-02-06")

Play = Callable[..., tuple[Exercise, Summary]]


@pytest.fixture
def play(stack: SharedStack, tmp_path: Path) -> Iterator[Play]:
    """Plays the days in a namespace of its own; ``at`` holds what is done at the nth step."""
    worlds: list[Namespace] = []

    def run(at: dict[int, Callable[[Exercise], None]] | None = None) -> tuple[Exercise, Summary]:
        world = Namespace(f"x-{uuid4().hex[:8]}")
        worlds.append(world)
        settings = stack.settings(namespace=world.name, run_dir=tmp_path)
        exercise = Exercise(settings, make_plan(settings, DAYS, seed=7, step=60))
        exercise.prepare()
        steps = 0

        def watch(_: Announcement, opened: int, closed: int) -> None:
            nonlocal steps
            steps += 1
            if at and steps in at:
                at[steps](exercise)

        return exercise, exercise.play(watch)

    yield run
    for world in worlds:
        drop_namespace(Admin(client_configuration(stack.settings())), world)


def outcome(summary: Summary) -> dict[str, object]:
    """What must not differ."""
    return {name: value for name, value in asdict(summary).items() if name not in ("seconds", "events_in")}


def test_whatever_happens_to_workers_the_outcome_is_the_same(play: Play) -> None:
    _, peaceful = play()
    assert peaceful.incidents > 0
    assert peaceful.incidents_closed == peaceful.incidents
    assert peaceful.fold_equal
    assert peaceful.dead_letters == 0
    assert sum(peaceful.incidents_by_level.values()) == peaceful.incidents
    assert peaceful.figures["case_events"] == peaceful.imported["health.CasesConfirmed"] > 0
    assert set(peaceful.to_data()) >= {"case_events", "cases", "objections"}
    assert set(peaceful.tasks) >= {"districts", "government", "health", "hospitals", "police", "transport", "urban"}

    exercise, disturbed = play(
        {
            20: lambda exercise: exercise.supervisor.kill("desks"),
            35: lambda exercise: exercise.supervisor.kill("correlate-0"),
            50: lambda exercise: exercise.supervisor.kill("advance-0"),
            70: lambda exercise: exercise.add_worker("advance", 1),
            90: lambda exercise: exercise.supervisor.stop("advance-1"),
            100: lambda exercise: exercise.supervisor.restart("correlate-0"),
        }
    )
    assert outcome(disturbed) == outcome(peaceful)
    assert disturbed.events_in == peaceful.events_in
    assert exercise.differences == ()
    assert exercise.supervisor.starts("desks") == 2
    assert exercise.supervisor.starts("correlate-0") == 3

    written = json.loads((exercise.directory / "summary.json").read_bytes())
    assert written == disturbed.to_data()
