"""The dashboard on a real broker, with the engine in memory behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deptbus.settings import Settings
from services.dashboard.look import Look
from services.dashboard.projection.following import Follower
from services.dashboard.projection.store import Store
from tests.command.engine import Engine
from tests.command.projecting import command_pack
from tests.streams.world import World as Broker
from tests.waiting import wait_until

Following = Callable[..., "Followed"]


@pytest.fixture
def broker(settings: Settings) -> Iterator[Broker]:
    """Topics and schemas of this test's namespace."""
    made = Broker(settings)
    yield made
    made.close()


@pytest.fixture
def engine(broker: Broker) -> Iterator[Engine]:
    """The engine, with the workflow of the tests in force."""
    broker.activate(command_pack())
    made = Engine(broker, command_pack())
    yield made
    made.close()


class Followed:
    """A dashboard's database that follows this test's world."""

    def __init__(self, settings: Settings, file: Path) -> None:
        self.store = Store(f"sqlite:///{file}")
        self.look = Look(settings, self.store)
        self.told: list[object] = []
        self.follower = Follower(self.look, self._hear)
        self._following = False

    def start(self) -> "Followed":
        self.follower.start()
        self._following = True
        wait_until(lambda: self.follower.standing.state == "following", "the dashboard to follow")
        return self

    def _hear(self, changes: object) -> None:
        self.told.append(changes)

    def close(self) -> None:
        if self._following:
            self.follower.close()
        self.look.close()
        self.store.close()


@pytest.fixture
def followed(settings: Settings, tmp_path: Path) -> Iterator[Following]:
    """Makes such databases; closes them."""
    made: list[Followed] = []

    def make(name: str = "dashboard") -> Followed:
        made.append(Followed(settings, tmp_path / f"{name}.db"))
        return made[-1]

    yield make
    for one in made:
        one.close()
