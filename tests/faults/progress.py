"""How far an exercise has come, and what has happened to it on the way: seen from another thread than its clock."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from deptbus.exercise.clock import Announcement
from tests.waiting import wait_until

STEPS_LIMIT_S = 90
"""No fault may stop an exercise for longer."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One fault. ``step`` counts the steps announced before it; ``at_s`` is on the monotonic clock."""

    what: str
    step: int
    at_s: float


class Progress:
    """Counts announced steps, and holds the clock where it would leave the faults behind."""

    def __init__(self, ahead_max: int) -> None:
        self.happened: list[Happened] = []
        self.over = False
        """Whether the clock has announced the last step."""
        self._announced: list[float] = []
        self._ahead_max = ahead_max
        self._hold_at: int | None = None
        self._told = threading.Condition()

    @property
    def steps(self) -> int:
        """How many steps were announced."""
        return len(self._announced)

    def announced(self, step: Announcement) -> None:
        """Called by the clock. Waits, if it is ``ahead_max`` steps ahead of what is under way, for that to be done."""
        with self._told:
            self._announced.append(time.monotonic())
            self.over = self.over or step.last
            self._told.notify_all()
            self._told.wait_for(lambda: self._hold_at is None or self.steps < self._hold_at, STEPS_LIMIT_S)

    def wait_for_steps(self, count: int) -> None:
        """Until so many more steps are announced."""
        with self._told:
            goal = self.steps + count
            self._told.wait_for(lambda: self.steps >= goal or self.over, STEPS_LIMIT_S)
            reached = self.steps >= goal
        assert not self.over, f"the exercise was over before all faults had happened; {self.last()}"
        assert reached, f"step {goal} was not announced within {STEPS_LIMIT_S} s; {self.last()}"

    def happens(self, what: str, act: Callable[[], object]) -> None:
        """Do something to the exercise while its clock runs on, at most ``ahead_max`` steps."""
        self.note(what)
        with self._told:
            self._hold_at = self.steps + self._ahead_max
        try:
            act()
        finally:
            with self._told:
                self._hold_at = None
                self._told.notify_all()

    def note(self, what: str) -> None:
        """A fault happens now."""
        self.happened.append(Happened(what, self.steps, time.monotonic()))

    def last(self) -> str:
        """Which fault came last, for messages."""
        if not self.happened:
            return "no fault had come yet"
        return f"the last fault was: {self.happened[-1].what}, after step {self.happened[-1].step}"

    def wait_until(self, condition: Callable[[], object], what: str, limit_s: float = STEPS_LIMIT_S) -> None:
        """As ``tests.waiting.wait_until``; says which fault came last."""
        wait_until(condition, f"{what} ({self.last()})", limit_s)

    def account(self) -> list[str]:
        """A line for each fault: when, at which step, how long until two more steps were announced."""
        lines = []
        for fault in self.happened:
            then = self._announced[fault.step + 1] if fault.step + 1 < self.steps else None
            back = "-" if then is None else f"{then - fault.at_s:.1f} s"
            lines.append(f"{fault.at_s - self._announced[0]:6.1f} s  step {fault.step:4}  {back:>7}  {fault.what}")
        return lines
