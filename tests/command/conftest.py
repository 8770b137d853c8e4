"""Commands run in this process against a broker with the engine in memory behind it."""

import sys
from collections.abc import Callable, Iterator

import pytest

from deptbus import cli
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.command.engine import Engine, Ran
from tests.command.projecting import command_pack
from tests.streams.world import World as Broker

Run = Callable[..., Ran]


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


@pytest.fixture
def run(
    stack: SharedStack, settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Runs ``deptbus`` with arguments; upper-case keywords are settings."""
    for name, value in stack.environment(BUS_NAMESPACE=settings.namespace).items():
        if name.startswith("BUS_"):
            monkeypatch.setenv(name, value)

    def run_command(*arguments: str, **environment: str) -> Ran:
        capfd.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["deptbus", *arguments])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = capfd.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run_command
