"""A world and its workers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.streams.world import Workers, World, environment


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
