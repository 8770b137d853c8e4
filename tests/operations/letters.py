"""What tests of dead letters share: a world in which lab gives cases up, and the commands as an operator runs them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.cli.deadletters import app
from deptbus.deadletters import TYPE
from deptbus.errors import BusError
from deptbus.operations.acts import Audited
from deptbus.operations.letters import ACTED
from deptbus.record import Event
from deptbus.testing import wait_until
from tests.bus.worlds import KafkaWorld

CASE = "ward.CaseReported"
OPENED = "lab.InvestigationOpened"
REASON = ("--reason", "fixed")


@dataclass
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


Command = Callable[..., Result]


def environment(world: KafkaWorld, root: Path) -> dict[str, str]:
    """What a command in the small world finds in its environment."""
    return world.settings.model_copy(update={"root": root}).environment()


def command(environment: dict[str, str]) -> Command:
    """``deptbus deadletters …``, within this process."""

    def run(*arguments: str, **more: str) -> Result:
        done = CliRunner().invoke(app, arguments, env=environment | more)
        if isinstance(done.exception, BusError):  # as ``deptbus.cli.main`` does
            return Result(done.exception.exit_code, done.stdout, f"{done.stderr}error: {done.exception}")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    return run


@dataclass
class Lab:
    """A service of lab's that gives up every case until it is mended; ``handled`` are the cases in order."""

    bus: Bus
    mended: bool = False
    handled: list[str] = field(default_factory=list)
    subjects: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        @self.bus.subscribe(CASE)
        def investigate(event: Event) -> None:
            if not self.mended:
                raise ValueError("no such hospital")
            self.handled.append(event.data["case"])
            self.subjects.append(event.envelope.subject)


def letters(world: KafkaWorld) -> list[Event]:
    """The dead letters, without what was done about them."""
    return [event for event in world.events("bus.deadletters") if event.envelope.type == TYPE]


def acts(world: KafkaWorld) -> list[Event]:
    """What was done about dead letters."""
    return [event for event in world.events("bus.deadletters") if event.envelope.type == ACTED]


def on_record(world: KafkaWorld) -> list[tuple[str, str, str, str | None]]:
    """What the audit holds: act, outcome, operator, reason."""
    with bootstrap.open_auditor(world.settings, world.catalogue, world.codec) as auditor:
        found = [act.data for act in auditor.acts() if isinstance(act, Audited)]
    return [(data["act"], data["outcome"], data["operator"], data["reason"]) for data in found]


def give_up(world: KafkaWorld, count: int) -> None:
    """Have lab give up so many cases of four subjects."""
    ward = world.connect("ward")
    for number in range(count):
        ward.publish_soon(CASE, {"case": str(number)}, subject=f"s{number % 4}")
    ward.flush()
    wait_until(lambda: len(letters(world)) == count, 60)
