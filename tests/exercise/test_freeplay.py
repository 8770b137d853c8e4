"""After its last step an exercise goes on in real time, and what people do in it has its effect."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deptbus.catalogue import load_catalogue
from deptbus.checking import check_namespace
from deptbus.cli.demo import scenario_plan
from deptbus.clock import system_clock
from deptbus.desk import orders
from deptbus.desk.acting import act_as
from deptbus.desk.reading import Reading
from deptbus.errors import SettingsError
from deptbus.exercise import freeplay
from deptbus.exercise.clock import Announcement
from deptbus.exercise.exercise import Exercise, drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.packs import Packs
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.waiting import wait_until


class Monotonic:
    """A clock that moves by what is slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_step_lasts_as_long_as_it_says_and_lost_time_is_not_made_up_for() -> None:
    time = Monotonic()
    real = freeplay.RealTime(lambda: time.now, time.sleep)
    steps = [Announcement(number, number * 2_000, (number + 1) * 2_000, {}) for number in range(4)]
    assert real.play(steps[0]).next_at == steps[1].starts_at
    time.now += 0.5  # the step itself took so long
    real.play(steps[1])
    time.now += 60  # the machine was asleep
    real.play(steps[2])
    real.play(steps[3])
    assert time.slept == [2, 1.5, 0, 2]


@pytest.fixture
def played(stack: SharedStack, tmp_path: Path) -> Iterator[Exercise]:
    """A leak that was played to its end."""
    settings = stack.settings(namespace=f"x-{uuid4().hex[:8]}", run_dir=tmp_path)
    exercise = Exercise(settings, scenario_plan(settings, "leak-shenzhen", seed=3, step=None))
    try:
        exercise.prepare()
        exercise.play()
        yield exercise
    finally:
        freeplay.stop(settings)
        drop_namespace(Admin(client_configuration(settings)), settings.world)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_an_incident_opened_in_free_play_asks_for_tasks_and_survives_a_pause(played: Exercise) -> None:
    settings = played.settings
    freeplay.start(settings)
    opened = order_open(settings, "440307-20250501-1")
    wait_until(lambda: tasks_of(settings, opened) > 0, "tasks to be asked for", 60)
    then = now_ms(settings)
    wait_until(lambda: now_ms(settings) > then, "time to go on", 30)

    assert freeplay.stop(settings) == [settings.namespace]
    asked, then = tasks_of(settings, opened), now_ms(settings)
    freeplay.start(settings)
    wait_until(lambda: now_ms(settings) > then, "time to go on after the pause", 60)
    assert tasks_of(settings, opened) >= asked

    freeplay.stop(settings)
    assert check_namespace(settings) == []


@pytest.mark.kafka
def test_what_was_not_played_cannot_be_gone_on_with(settings: Settings) -> None:
    catalogue = load_catalogue(settings.root, system_clock())
    Admin(client_configuration(settings)).create_namespace_topics(settings.world, catalogue.topics.values())
    with pytest.raises(SettingsError, match="No exercise was played in the namespace"):
        freeplay.play_freely(settings)


def order_open(settings: Settings, key: str) -> str:
    """Have a leak opened, as a commander does; the name under which it is."""
    with Reading(settings) as reading:
        board = reading.board()
        with Packs(settings, reading.catalogue) as packs:
            in_force = {name: pack.definition for name, pack in packs.in_force().opening.items()}
        order = orders.open_new(board, in_force, "leak", key, "440307", "演练")
        with act_as(reading, orders.COMMAND, orders.ISSUED) as acting:
            acting.order([order], officer="commander", basis="演练方案", at_ms=board.now_ms)
    return order.name


def tasks_of(settings: Settings, name: str) -> int:
    """How many tasks are open in the instance of that key."""
    with Reading(settings) as reading:
        instances = reading.board().instances.values()
    return sum(len(one["tasks"]) for one in instances if f"{one['workflow']}/{one['key']}" == name)


def now_ms(settings: Settings) -> int:
    """How far the exercise's time has come."""
    with Reading(settings) as reading:
        return reading.board().now_ms
