"""Everything that happens to an exercise while it plays, in order, each at a number of steps and not at a time.

Workers die at failpoints one after the other: each start has the next failpoint, so nothing but the failpoint and
the work itself decides where a process dies.
"""

import os
import signal
import threading
from pathlib import Path

import orjson

from deptbus.exercise.exercise import Exercise
from deptbus.exercise.supervisor import Supervisor
from deptbus.stack.local import LocalStack
from tests.faults.poison import Poison, pour
from tests.faults.progress import Progress

AHEAD_MAX = 80
"""How many steps the clock may go on while something is being done."""

ADVANCE_DEATHS = (
    "after-poll:20",
    "after-outputs:20",
    "inside-transaction:12",
    "after-commit:12",
    "while-restoring:7",
    "inside-transaction:12",
)
CORRELATE_DEATHS = ("after-poll:8", "after-outputs:8", "after-append:8", "after-append:8")
"""``after-append`` is correlate's commit: everything is in the journal, and nothing is acknowledged."""
DESK_DEATHS = ("after-append:5", "after-outputs:5")
"""They are participants, and know nothing afterwards of what they have published."""


class Workers(Supervisor):
    """The workers of an exercise that ends when its script has failed."""

    script: "Script"

    def check(self) -> None:
        """As a worker that is given up, a script that failed ends the exercise."""
        super().check()
        if self.script.failure is not None:
            raise self.script.failure


class Script(threading.Thread):
    """Plays the faults beside the exercise. ``failure`` is what went wrong with them, if anything did."""

    def __init__(self, exercise: Exercise, stack: LocalStack, poisons: list[list[Poison]]) -> None:
        super().__init__(name="faults", daemon=True)
        self.progress = Progress(AHEAD_MAX)
        self.poured: list[Poison] = []
        self.failure: BaseException | None = None
        self._exercise = exercise
        self._workers = Workers(exercise.directory, exercise.settings.environment())
        self._workers.script = self
        exercise.supervisor = self._workers
        self._stack = stack
        self._poisons = poisons

    def run(self) -> None:
        """Play everything; the first that fails ends it."""
        try:
            self._play()
        except BaseException as error:
            self.failure = error

    def _play(self) -> None:
        steps = self.progress.wait_for_steps
        steps(10)
        self._poison()
        steps(5)
        self._deaths("advance-0", ADVANCE_DEATHS)
        steps(5)
        self._deaths("correlate-0", CORRELATE_DEATHS)
        steps(5)
        self._kill_broker()
        steps(15)
        self._join()
        steps(15)
        self._poison()
        self._kill_broker()
        steps(15)
        self._leave()
        steps(5)
        self._deaths("desks", DESK_DEATHS)
        steps(5)
        for name in self._workers.names():
            self.progress.happens(f"{name} is restarted in good order", lambda name=name: self._workers.restart(name))
            steps(5)

    def _poison(self) -> None:
        poisons = self._poisons.pop(0)
        self.progress.happens(
            f"{len(poisons)} poisoned records on {poisons[0].topic}",
            lambda: self.poured.extend(pour(self._exercise.settings, poisons)),
        )

    def _kill(self, name: str) -> None:
        """kill -9 wherever the worker happens to be."""
        starts = self._workers.starts(name)
        self.progress.note(f"kill -9 of {name}")
        self._workers.kill(name)
        self.progress.wait_until(lambda: self._workers.starts(name) > starts, f"{name} to be started again")

    def _deaths(self, name: str, points: tuple[str, ...]) -> None:
        """Let a worker die at each of these failpoints; each process has the next."""
        for point in points:
            self._workers.arm(name, point)
        self._kill(name)
        exits = len(self._workers.exits(name))
        for count, point in enumerate(points, 1):
            self.progress.wait_until(
                lambda count=count: len(self._workers.exits(name)) >= exits + count, f"{name} to die {point}"
            )
            assert self._workers.exits(name)[exits + count - 1] == -signal.SIGKILL, f"{name} ended before {point}"
            self.progress.note(f"{name} dies {point}")

    def _kill_broker(self) -> None:
        def kill_and_start() -> None:
            pid = self._stack.pid("kafka")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            self.progress.wait_until(lambda: self._stack.pid("kafka") is None, "the broker to be gone")
            self._stack.up(lambda text: None)

        self.progress.happens("kill -9 of the broker", kill_and_start)

    def _join(self) -> None:
        def join() -> None:
            for role in ("advance", "correlate"):
                self._exercise.add_worker(role, 1)
            for role in ("advance", "correlate"):
                self._until_assigned(f"{role}-1")

        self.progress.happens("advance-1 and correlate-1 join", join)

    def _leave(self) -> None:
        for name in ("advance-1", "correlate-1"):
            self.progress.happens(f"{name} leaves", lambda name=name: self._workers.stop(name))

    def _until_assigned(self, name: str) -> None:
        self.progress.wait_until(lambda: assigned(self.log_of(name)), f"{name} to be given a partition")

    def log_of(self, name: str) -> Path:
        """The log of a worker."""
        return self._exercise.directory / "logs" / f"{name}.log"


def assigned(log: Path) -> bool:
    """Whether a worker's log says that it has a partition."""
    lines = (line for line in log.read_bytes().splitlines() if b'"assigned"' in line)
    return any(orjson.loads(line)["partitions"] for line in lines)
