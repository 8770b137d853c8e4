"""The exercise clock: whatever the order, number and repetition of reports, it comes to the end it should."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.exercise.clock import Announcement, Move, Report, StepClock, Tick

HOUR_MS = 3_600_000
JOURNAL = ("workflow.journal/0", "workflow.journal/1")
INPUTS = ("health.cases", "health.tasks", "workflow.events")


def clock(until_h: int = 3, limit_h: int = 100) -> StepClock:
    return StepClock(
        origin_ms=0,
        step_ms=HOUR_MS,
        until_ms=until_h * HOUR_MS,
        limit_ms=limit_h * HOUR_MS,
        journal=JOURNAL,
        inputs=INPUTS,
    )


def ready(step: int, next_at: int | None = None, **outputs: int) -> list[Report]:
    """Importer and desks ready with a step, without having published anything."""
    return [Report("importer", step, next_at=next_at), Report("desks", step)]


def applied(step: int, next_at: int | None = None, outputs: dict[str, int] | None = None) -> list[Report]:
    return [Report("advance", step, {partition: 10 * step + 1}, outputs or {}, next_at) for partition in JOURNAL]


def feed(subject: StepClock, reports: list[Report]) -> list[Move]:
    return [move for report in reports if (move := subject.report(report)) is not None]


def test_a_tick_waits_for_what_was_written_to_be_read() -> None:
    subject = clock()
    assert subject.start() == Announcement(0, 0, HOUR_MS, {})
    written = Report("importer", 0, outputs={"health.cases/1": 5, "data.unread/0": 9})
    assert feed(subject, [written, Report("desks", 0)]) == []
    assert "health.cases/1 (0 of 5)" in subject.waiting_for()
    assert feed(subject, [Report("correlate", positions={"health.cases/1": 4})]) == []
    assert feed(subject, [Report("correlate", positions={"health.cases/1": 5})]) == [Tick(0, HOUR_MS)]


def test_what_advance_writes_is_read_in_the_next_step() -> None:
    subject = clock()
    subject.start()
    feed(subject, ready(0))
    outputs = {"workflow.tasks/0": 3, "workflow.events/0": 2}
    assert feed(subject, applied(0, outputs=outputs)) == [
        Announcement(1, HOUR_MS, 2 * HOUR_MS, {"workflow.tasks/0": 3})
    ]
    assert feed(subject, ready(1)) == []  # correlate has not read workflow.events
    assert feed(subject, [Report("correlate", positions={"workflow.events/0": 2})]) == [Tick(1, 2 * HOUR_MS)]


def test_steps_in_which_nothing_happens_are_skipped() -> None:
    subject = clock(until_h=48)
    subject.start()
    feed(subject, ready(0, next_at=30 * HOUR_MS))
    moves = feed(subject, applied(0, next_at=25 * HOUR_MS + 7))
    assert moves == [Announcement(25, 25 * HOUR_MS, 26 * HOUR_MS, {})]


def test_it_goes_on_after_the_last_day_while_an_instance_is_open() -> None:
    subject = clock(until_h=0)
    subject.start()
    subject.opened("epidemic/440100/1")
    feed(subject, ready(0))
    assert feed(subject, applied(0, next_at=5 * HOUR_MS)) == [Announcement(5, 5 * HOUR_MS, 6 * HOUR_MS, {})]
    subject.closed("epidemic/440100/1")
    feed(subject, ready(5))
    (last,) = feed(subject, applied(5, next_at=9 * HOUR_MS))
    assert isinstance(last, Announcement)
    assert last.last
    assert subject.done
    assert feed(subject, applied(6)) == []


def test_it_never_runs_beyond_its_limit() -> None:
    subject = clock(until_h=0, limit_h=4)
    subject.start()
    subject.opened("epidemic/440100/1")
    feed(subject, ready(0))
    (last,) = feed(subject, applied(0, next_at=4 * HOUR_MS))
    assert isinstance(last, Announcement)
    assert last.last


def test_a_worker_that_forgot_what_it_asked_for_is_believed_by_its_ends() -> None:
    subject = clock(until_h=48)
    subject.start()
    feed(subject, ready(0, next_at=40 * HOUR_MS))
    again = [replace(report, outputs={"workflow.tasks/0": 7}) for report in applied(0)]
    (move,) = feed(subject, again)
    assert move == Announcement(1, HOUR_MS, 2 * HOUR_MS, {"workflow.tasks/0": 7})


@dataclass
class Play:
    """All that a small exercise consists of, with messages that are delayed, repeated, lost and said again."""

    random: Random
    subject: StepClock
    dated: list[int]
    reports: list[Report] = field(default_factory=list)
    written: int = 0
    read: int = 0
    tasks: int = 0
    due: dict[str, list[int]] = field(default_factory=lambda: {partition: [] for partition in JOURNAL})
    steps: list[int] = field(default_factory=list)
    announced: Announcement | None = None
    ticked: Tick | None = None

    def act(self, move: Move) -> None:
        if isinstance(move, Tick):
            self.ticked = move
            self.speak(self.advance())
            return
        self.announced, self.ticked = move, None
        if not move.last:
            self.steps.append(move.step)
            self.speak(self.participants())

    def participants(self) -> list[Report]:
        assert self.announced is not None
        mine = [at for at in self.dated if at < self.announced.ends_at]
        self.written = max(self.written, len(mine))
        following = [at for at in self.dated if at >= self.announced.ends_at]
        outputs = {"health.cases/0": self.written} if self.written else {}
        return [
            Report("importer", self.announced.step, outputs=outputs, next_at=min(following, default=None)),
            Report("desks", self.announced.step),
        ]

    def advance(self) -> list[Report]:
        assert self.ticked is not None
        reports = []
        for partition in JOURNAL:
            self.due[partition] = [at for at in self.due[partition] if at >= self.ticked.at]
            if self.random.random() < 0.2 and len(self.steps) < 40:
                self.due[partition].append(self.ticked.at + self.random.randrange(5 * HOUR_MS))
                self.tasks += 1
            outputs = {"workflow.tasks/0": self.tasks} if self.tasks else {}
            next_at = min(self.due[partition], default=None)
            reports.append(Report("advance", self.ticked.step, {partition: self.ticked.step}, outputs, next_at))
        return reports

    def speak(self, reports: list[Report]) -> None:
        """Some are said twice; the order is anybody's."""
        self.reports += reports + [report for report in reports if self.random.random() < 0.3]
        self.random.shuffle(self.reports)

    def restart(self) -> None:
        """A worker starts again and says what it knows."""
        say: list[Callable[[], list[Report]]] = [
            lambda: [Report("correlate", positions={"health.cases/0": self.random.randint(0, self.read)})]
        ]
        if self.announced is not None and not self.announced.last:
            say.append(self.participants)
        if self.ticked is not None:
            say.append(self.advance)
        self.speak(self.random.choice(say)())


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), dated=st.lists(st.integers(0, 60 * HOUR_MS), max_size=8))
def test_it_never_stands_still(seed: int, dated: list[int]) -> None:
    random = Random(seed)
    subject = clock(until_h=60, limit_h=200)
    play = Play(random, subject, sorted(dated))
    play.act(subject.start())
    for _ in range(20_000):
        if subject.done:
            break
        chance = random.random()
        if chance < 0.1:
            play.restart()
        elif chance < 0.3 or not play.reports:
            play.read = random.randint(play.read, play.written)
            if not play.reports:
                play.read = play.written
            play.speak([Report("correlate", positions={"health.cases/0": play.read})])
        move = subject.report(play.reports.pop())
        if move is not None:
            play.act(move)
    assert subject.done, subject.waiting_for()
    assert play.steps == sorted(set(play.steps))
    assert play.written == len(dated)
    assert {at // HOUR_MS for at in dated} <= set(play.steps)
