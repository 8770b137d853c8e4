"""The exercise clock as a pure state machine: reports come in; an announcement, a tick or nothing comes out.

Counted from the first one, a step k covers [origin + k * step, origin + (k + 1) * step). It is announced; when the
importer and the desks are ready with it and correlate has read all that they wrote, the tick that ends it enters the
journal; when every partition of the journal has applied the tick, the next step in which anything can happen is
announced.

Every report may come late, twice or out of order: positions and ends only grow, and of two reports of one
reporter the one of the later step counts. A worker that starts again reports again, so nobody waits for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TASKS = "workflow.tasks"
EVENTS = "workflow.events"
JOURNAL = "workflow.journal"

PARTICIPANTS = ("importer", "desks")
"""The roles that must be ready before a step's tick, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a ``bus.ProgressReported`` says. Partitions are written ``<topic>/<number>``."""

    role: str
    step: int | None = None
    positions: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)
    next_at: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Participants are to play this step, having read ``read``. ``last``: there is no such step, all is over."""

    step: int
    starts_at: int
    ends_at: int
    read: Mapping[str, int]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A step ends: to be appended to every partition of the journal."""

    step: int
    at: int


Move = Announcement | Tick


@dataclass(slots=True)
class _Heard:
    """The report that counts of one reporter."""

    step: int = -1
    next_at: int | None = None


class StepClock:
    """Exercise time from ``origin_ms`` on, in steps of ``step_ms``.

    ``until_ms`` is the last time that must be played; from then on the clock runs while an instance is open, and
    never beyond ``limit_ms``. ``journal`` names the journal's partitions; ``inputs`` the topics that correlate reads;
    ``participants`` the roles that must be ready before a step's tick, the importer among them. ``first`` is the
    number of the step that begins at ``origin_ms``.
    """

    def __init__(
        self,
        *,
        origin_ms: int,
        step_ms: int,
        until_ms: int,
        limit_ms: int,
        journal: Iterable[str],
        inputs: Iterable[str],
        participants: Iterable[str] = PARTICIPANTS,
        first: int = 0,
    ) -> None:
        self._origin_ms = origin_ms
        self._step_ms = step_ms
        self._until_ms = until_ms
        self._limit_ms = limit_ms
        self._inputs = frozenset(inputs)
        self._participants = {role: _Heard() for role in participants}
        self._partitions = {partition: _Heard() for partition in journal}
        self._read: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._ends_before: dict[str, int] = {}
        self._open: dict[str, bool] = {}
        self._ticked = False
        self.step = self._first = first
        self.done = False

    @property
    def ends_at(self) -> int:
        """The end of the present step, in milliseconds."""
        return self._starts_at(self.step + 1)

    def start(self) -> Announcement:
        """The first step."""
        return self._announcement()

    def opened(self, instance: str) -> None:
        """An instance opened."""
        self._open.setdefault(instance, True)

    def closed(self, instance: str) -> None:
        """An instance closed; ids are never used again, so it stays closed."""
        self._open[instance] = False

    @property
    def instances(self) -> tuple[int, int]:
        """How many instances were opened so far, and how many of them are closed."""
        return len(self._open), sum(not is_open for is_open in self._open.values())

    def report(self, report: Report) -> Move | None:
        """Take a report; answer what the clock does now, if anything."""
        if self.done:
            return None
        _raise_to(self._ends, report.outputs)
        if report.role == "correlate":
            _raise_to(self._read, report.positions)
        elif report.role == "advance":
            for partition in report.positions:
                self._hear(self._partitions.get(partition), report)
        else:
            self._hear(self._participants.get(report.role), report)
        return self._move()

    def waiting_for(self) -> str:
        """What the clock waits for, in words."""
        late = [role for role, heard in self._participants.items() if heard.step < self.step]
        if late:
            return f"{' and '.join(late)} to be ready with step {self.step}"
        if not self._ticked:
            behind = [
                f"{partition} ({self._read.get(partition, 0)} of {end})" for partition, end in self._not_read().items()
            ]
            return f"correlate to read {', '.join(behind)} in step {self.step}"
        late = [partition for partition, heard in self._partitions.items() if heard.step < self.step]
        return f"advance to apply the tick of step {self.step} in {', '.join(late)}"

    @staticmethod
    def _hear(heard: _Heard | None, report: Report) -> None:
        if heard is None or report.step is None or report.step < heard.step:
            return
        heard.step, heard.next_at = report.step, report.next_at

    def _move(self) -> Move | None:
        if not self._ticked:
            ready = all(heard.step >= self.step for heard in self._participants.values())
            if not ready or self._not_read():
                return None
            self._ticked = True
            return Tick(self.step, self.ends_at)
        if any(heard.step < self.step for heard in self._partitions.values()):
            return None
        following = self._following()
        self.done = following is None
        self.step = self.step + 1 if following is None else following
        self._ticked = False
        self._ends_before = dict(self._ends)
        return self._announcement()

    def _not_read(self) -> dict[str, int]:
        """Input partitions that correlate has not read as far as they were written, and how far that is."""
        return {
            partition: end
            for partition, end in self._ends.items()
            if end > self._read.get(partition, 0) and partition.rpartition("/")[0] in self._inputs
        }

    def _following(self) -> int | None:
        """The next step in which anything can happen; None when the exercise is over."""
        heard = [*self._participants.values(), *self._partitions.values()]
        if self.ends_at > self._until_ms and self._participants["importer"].next_at is None:
            opened, closed = self.instances
            if opened == closed:
                return None
        if self._anything_new():
            step = self.step + 1
        else:
            due = [each.next_at for each in heard if each.next_at is not None]
            if not due:
                return None
            step = max(self.step + 1, self._first + (min(due) - self._origin_ms) // self._step_ms)
        return step if self._starts_at(step) < self._limit_ms else None

    def _anything_new(self) -> bool:
        """Whether desks, correlate or another partition have something to read that advance wrote in this step.

        The ends tell: a worker that was killed after its commit no longer knows how much it asked for.
        """
        return any(
            end > self._ends_before.get(partition, 0)
            for partition, end in self._ends.items()
            if partition.rpartition("/")[0] in (TASKS, EVENTS, JOURNAL)
        )

    def _announcement(self) -> Announcement:
        starts_at = self._starts_at(self.step)
        read = {partition: end for partition, end in self._ends.items() if partition.rpartition("/")[0] == TASKS}
        return Announcement(self.step, starts_at, starts_at + self._step_ms, read, last=self.done)

    def _starts_at(self, step: int) -> int:
        return self._origin_ms + (step - self._first) * self._step_ms


def _raise_to(known: dict[str, int], said: Mapping[str, int]) -> None:
    for partition, offset in said.items():
        if offset > known.get(partition, 0):
            known[partition] = offset
