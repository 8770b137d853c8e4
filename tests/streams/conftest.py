"""A world and its workers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.settings import Settings
from deptbus.streams.wiring import Wiring
from tests.broker import SharedStack
from tests.streams.world import Workers, World, counting, environment


@pytest.fixture
def workers(stack: SharedStack, settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes; none outlives the test."""
    started = Workers(settings, environment(settings, stack.environment(), tmp_path), tmp_path)
    yield started
    started.end()


@pytest.fixture
def world(settings: Settings, workers: Workers) -> Iterator[World]:
    """Topics and schemas are there, no pack yet. Closed before the workers are ended."""
    made = World(settings)
    yield made
    made.close()
    workers.end()


@pytest.fixture
def wiring(world: World) -> Iterator[Wiring]:
    """An ``advance`` worker's connections, with a pack in force."""
    world.activate(counting())
    made = Wiring(world.settings, "advance", 0, world.catalogue, world.codec)
    yield made
    made.close()
