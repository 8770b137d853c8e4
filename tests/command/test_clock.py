"""In actual life a wrong clock on this machine does not decide what is late."""

import threading
from collections.abc import Iterator

import pytest

from deptbus.clock import system_clock
from deptbus.desk.reading import Reading
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.publishing import Publisher
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.streams.world import World
from tests.workflow.world import HOUR, sample

pytestmark = pytest.mark.kafka
MINUTE = HOUR // 60


@pytest.fixture
def settings(stack: SharedStack) -> Iterator[Settings]:
    """Actual life itself; the tests' broker has nothing else in it."""
    yield stack.settings(namespace="")
    admin = Admin(client_configuration(stack.settings()))
    admin.delete(Namespace(), admin.names(Namespace()))


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """Topics and schemas of actual life."""
    made = World(settings)
    yield made
    made.close()


def _report(world: World) -> None:
    publisher = Publisher(
        "bus", world.catalogue, world.codec, world.sender,
        namespace=world.settings.world, clock=system_clock, ids=random_id, process="test",
    )  # fmt: skip
    publisher.send(publisher.prepare("bus.ProgressReported", sample("bus.ProgressReported"), subject="correlate-0"))
    world.sender.flush()


def test_broker_time_counts_where_this_clock_is_wrong(world: World, settings: Settings) -> None:
    _report(world)
    with Reading(settings) as reading:
        board = reading.board()
        assert (abs(board.now_ms - system_clock()) < MINUTE, board.note) == (True, None)
    with Reading(settings, lambda: system_clock() - HOUR) as slow:
        board = slow.board()
        assert abs(board.now_ms - system_clock()) < MINUTE
        assert board.note is not None
        assert "behind the broker's" in board.note.en
    with Reading(settings, lambda: system_clock() + HOUR) as fast:
        silent = fast.board()
        assert silent.now_ms > system_clock() + HOUR - MINUTE
        assert silent.note is not None
        assert "Nobody has reported on bus.progress" in silent.note.en
        stop = threading.Event()
        beats = threading.Thread(target=lambda: [_report(world) for _ in iter(lambda: stop.wait(0.3), True)])
        beats.start()
        try:
            board = fast.board()
        finally:
            stop.set()
            beats.join()
        assert abs(board.now_ms - system_clock()) < MINUTE
        assert board.note is not None
        assert "ahead of the broker's" in board.note.en
