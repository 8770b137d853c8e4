"""Runs the exercise clock over Kafka: announces on ``bus.clock``, listens to ``bus.progress``, ticks the journal."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from deptbus.clock import PROGRESS
from deptbus.errors import BusError
from deptbus.exercise.clock import EVENTS, TASKS, Announcement, Move, Report, StepClock, Tick
from deptbus.exercise.link import Link, partitions, to_report
from deptbus.ids import derived_id
from deptbus.kafka.consumer import BEGINNING, END
from deptbus.record import Record
from deptbus.workflow.correlate import tick as tick_entry

APPENDED = "workflow.EntryAppended"
OPENED = b"workflow.InstanceOpened"
CLOSED = b"workflow.InstanceClosed"
_LOOK_UP_S = 0.5
"""How often the clock looks whether the exercise is to go on while nothing is reported, in seconds."""

_log = logging.getLogger("deptbus.exercise.clock")


class Player(Protocol):
    """Who publishes what is dated in a step, in the clock's own thread: the importer."""

    def play(self, step: Announcement) -> Report:
        """Publish it, wait until it is on its topics, and say so."""


class Clockwork:
    """One exercise's clock and importer, in one thread.

    ``watch`` is called with every announcement and the numbers of instances opened and closed; ``alive`` while
    waiting: it raises when the exercise cannot go on. A clock to which nothing is reported for ``stall_s`` seconds
    gives up with ``BusError`` and says what it waits for.
    """

    def __init__(
        self,
        link: Link,
        clock: StepClock,
        importer: Player,
        *,
        journal: int,
        watch: Callable[[Announcement, int, int], None] = lambda step, opened, closed: None,
        alive: Callable[[], None] = lambda: None,
        stall_s: float = 120,
    ) -> None:
        self._link = link
        self._clock = clock
        self._importer = importer
        self._journal = journal
        self._watch = watch
        self._alive = alive
        self._stall_s = stall_s
        self._held: list[Report] = []
        self._steps = 0
        self._phases = Phases()
        # Opened before the first announcement, so that no report to it is missed.
        self._tail = link.tail({PROGRESS: END, EVENTS: BEGINNING, TASKS: BEGINNING})

    def run(self) -> int:
        """Play all steps; returns the number of steps that were played."""
        try:
            self._do(self._clock.start())
            while not self._clock.done:
                self._wait()
            self._link.flush()
        finally:
            self._tail.close()
        return self._steps

    def _wait(self) -> None:
        """Take in what is reported until the clock makes a move."""
        limit = time.monotonic() + self._stall_s
        while True:
            records = self._tail.poll(_LOOK_UP_S)
            if not records:
                self._alive()
                self._link.check()
                if time.monotonic() > limit:
                    raise BusError(
                        f"The exercise stands still: for {self._stall_s:.0f} s the clock has been waiting for "
                        f"{self._clock.waiting_for()}. The workers' logs say more."
                    )
            moves = [move for report in self._reports(records) if (move := self._clock.report(report))]
            for move in moves:
                self._do(move)
            if moves:
                return

    def _reports(self, records: list[Record]) -> list[Report]:
        """The reports that may count now: one of advance waits until what it wrote is there to be read.

        A commit that was answered can still be lost with its broker; then the step must not have been left.
        """
        for record in records:
            if record.topic == PROGRESS:
                report = to_report(self._link.data(record))
                self._phases.heard(report, self._clock.step)
                self._held.append(report)
            elif record.topic == EVENTS:
                self._instance(record)
        ready, self._held = (
            [report for report in self._held if self._is_read(report.outputs)],
            [report for report in self._held if not self._is_read(report.outputs)],
        )
        return ready

    def _is_read(self, outputs: Mapping[str, int]) -> bool:
        ends = {where: end for where, end in outputs.items() if where.rpartition("/")[0] in (EVENTS, TASKS)}
        return not ends or self._tail.has_reached(partitions(ends))

    def _instance(self, record: Record) -> None:
        headers = dict(record.headers)
        kind = headers.get("ce_type")
        instance = (headers.get("ce_correlationid") or b"").decode()
        if kind == OPENED:
            self._clock.opened(instance)
        elif kind == CLOSED:
            self._clock.closed(instance)

    def _do(self, move: Move) -> None:
        if isinstance(move, Tick):
            self._phases.ticked()
            self._tick(move)
            return
        self._phases.announced(move)
        self._link.announce(move)
        self._watch(move, *self._clock.instances)
        if move.last:
            return
        report = self._importer.play(move)
        self._link.report(report)
        self._phases.heard(report, self._clock.step)
        following = self._clock.report(report)
        if following is not None:
            self._do(following)

    def _tick(self, tick: Tick) -> None:
        """Append the end of a step to every partition of the journal, under ids that follow from it."""
        self._steps += 1
        entry = tick_entry(tick.at, tick.step)
        for partition in range(self._journal):
            self._link.append(
                APPENDED,
                {"entry": entry},
                "@tick",
                partition,
                subject="@tick",
                time_ms=tick.at,
                id=derived_id(f"step {tick.step}", self._link.process, APPENDED, "@tick", partition),
            )
        self._link.flush()


class Phases:
    """How long each part of a step takes, in milliseconds, in the debug log: to find what is slow."""

    def __init__(self) -> None:
        self._started = self._ticked = time.perf_counter()
        self._step = -1
        self._last: dict[str, float] = {}

    def announced(self, step: Announcement) -> None:
        """A step begins; the one before is written down."""
        now = time.perf_counter()
        if self._step >= 0:
            parts = " ".join(f"{role}={since * 1000:.1f}" for role, since in self._last.items())
            _log.debug(
                "step=%d total=%.1f tick=%.1f %s",
                self._step,
                (now - self._started) * 1000,
                (self._ticked - self._started) * 1000,
                parts,
            )
        self._started, self._step = now, step.step
        self._last = {}

    def heard(self, report: Report, step: int) -> None:
        """When each role was last heard in this step."""
        if report.step in (None, step):
            self._last[report.role] = time.perf_counter() - self._started

    def ticked(self) -> None:
        """All inputs are read."""
        self._ticked = time.perf_counter()
