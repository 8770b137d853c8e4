"""Free play: after its last step an exercise goes on in real time, and people answer its tasks and give its orders.

The clock counts on from where it stopped, a step for each ``STEP_MS`` that pass; nobody is simulated any more. What is
done in a step has its effect with the tick that ends it.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from deptbus.clock import CLOCK, system_clock
from deptbus.envelope import from_headers
from deptbus.errors import SettingsError, StackError
from deptbus.exercise.clock import JOURNAL, Announcement, Report, StepClock
from deptbus.exercise.clockwork import Clockwork
from deptbus.exercise.link import Link, to_announcement
from deptbus.exercise.supervisor import Supervisor
from deptbus.health import health_path, read_health, write_health
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.packs import Packs
from deptbus.settings import Settings, process_environment
from deptbus.stack.process import DetachedProcess
from deptbus.stack.tail import last_lines
from deptbus.workflow.correlate import Correlator

STEP_MS = 2_000
NAME = "freeplay"
"""Under which its clock announces and its health is told."""
_FOR_EVER_MS = 100 * 365 * 86_400_000
_POLL_S = 0.1
_LINES = 20


class RealTime:
    """In an importer's place: brings nothing in, and is ready with a step when as much real time has passed."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._over = monotonic()

    def play(self, step: Announcement) -> Report:
        """Wait; a machine that was late or asleep does not make up for it."""
        now = self._monotonic()
        self._over = max(now, self._over + (step.ends_at - step.starts_at) / 1000)
        self._sleep(self._over - now)
        return Report("importer", step.step, next_at=step.ends_at)


def play_freely(settings: Settings, told: Callable[[Announcement], None] = lambda step: None) -> None:
    """Go on with the exercise of the settings' namespace until this process is ended; ``told`` gets every step.

    ``SettingsError`` where none was played there, or not to its end.
    """
    health = health_path(settings, NAME)
    supervisor = Supervisor(settings.run_path / settings.namespace, settings.environment())
    link = Link(settings, NAME)
    try:
        first, origin_ms = _next_step(link)
        supervisor.end_leftovers()
        with Packs(settings, link.catalogue, link.codec) as packs:
            opening = packs.in_force().opening.values()
        partitions = _journal_partitions(settings)
        clock = StepClock(
            origin_ms=origin_ms, step_ms=STEP_MS, until_ms=origin_ms, limit_ms=origin_ms + _FOR_EVER_MS,
            journal=[f"{JOURNAL}/{number}" for number in range(partitions)],
            inputs={link.catalogue.topic_of(kind).name for kind in Correlator(tuple(opening)).event_types},
            participants=("importer",), first=first,
        )  # fmt: skip

        def watch(step: Announcement, opened: int, closed: int) -> None:
            write_health(health, "working", system_clock(), {"step": step.step, "open": opened - closed})
            told(step)

        with supervisor:
            for role in ("advance", "correlate"):
                supervisor.add(f"{role}-0", "run", role, "--worker", "0")
            Clockwork(link, clock, RealTime(), journal=partitions, watch=watch, alive=supervisor.check).run()
    finally:
        health.unlink(missing_ok=True)
        link.close()


def start(settings: Settings) -> None:
    """Have it played behind the command that asks; nothing happens where it is already. ``StackError``."""
    process = _process(settings, settings.namespace)
    if process.pid() is not None:
        return
    arguments = ["-m", "deptbus", "exercise", "free-play"]
    process.start(Path(sys.executable), arguments, 0, process_environment(settings.environment()))
    limit = time.monotonic() + settings.start_timeout_s
    while not read_health(health_path(settings, NAME), system_clock())[0]:
        if process.pid() is None or time.monotonic() > limit:
            said = "\n".join(last_lines(process.log_path, _LINES))
            process.stop(settings.stop_timeout_s)
            raise StackError(f"The exercise does not go on; it said last:\n{said}")
        time.sleep(_POLL_S)


def stop(settings: Settings) -> list[str]:
    """End what ``start`` began in the settings' namespace, or without one in any; the namespaces in which it did."""
    pids = settings.run_path.glob(f"{NAME}-*.pid")
    worlds = [settings.namespace] if settings.namespace else [path.stem.removeprefix(f"{NAME}-") for path in pids]
    ended = []
    for world in sorted(worlds):
        process = _process(settings, world)
        if process.pid() is not None:
            ended.append(world)
        process.stop(settings.stop_timeout_s)
    return ended


def _process(settings: Settings, world: str) -> DetachedProcess:
    return DetachedProcess(f"{NAME}-{world}", settings.run_path, "-X")


def _next_step(link: Link) -> tuple[int, int]:
    """The number of the step that comes next, and when it begins."""
    settings = link.settings
    reading, topic = reader_configuration(settings), settings.world.physical(CLOCK)
    ends = Admin(client_configuration(settings)).end_offsets(settings.world, [CLOCK])
    end = ends.get((CLOCK, 0), 0)
    newest = next(read_partition(reading, topic, 0, end - 1, end), None) if end else None
    if newest is None:
        raise SettingsError(f"No exercise was played in the namespace {settings.namespace}; play one: deptbus demo")
    step = to_announcement(link.data(newest))
    if step.last:
        return step.step, step.starts_at
    if not from_headers(newest.headers).source.endswith(f"/{NAME}"):
        raise SettingsError(
            f"The exercise in the namespace {settings.namespace} is being played, or was broken off: let it end, or "
            "play it again."
        )
    return step.step + 1, step.ends_at


def _journal_partitions(settings: Settings) -> int:
    ends = Admin(client_configuration(settings)).end_offsets(settings.world, [JOURNAL])
    return len(ends)
