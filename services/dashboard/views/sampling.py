"""Looks at the bus again and again, from a thread of its own: rates, lag, dead letters, overdue tasks, findings.

What is quick is looked at each time, what takes seconds more seldom. Figures go to the store as series; the newest look
is kept whole, for whoever asks.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from deptbus.clock import system_clock
from deptbus.errors import BusError
from deptbus.examining import Examination
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.looks import Looker
from deptbus.operations.findings.finding import Finding
from deptbus.operations.lag import History, Lag
from deptbus.operations.recent import recent_letters
from deptbus.transport import Partition
from services.dashboard.look import Look
from services.dashboard.projection.store import Point
from services.dashboard.views.catalogue import Traffic

EVERY_S = 15.0
"""How often it is meant to be called."""
LETTERS_EVERY_S = 60.0
FINDINGS_EVERY_S = 300.0

RATE, LAG, LETTERS, OVERDUE = "rate", "lag", "letters", "overdue"
"""The series: events a second by department, unread events by group, open dead letters, overdue tasks by department."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the newest look found; empty before the first."""

    at_ms: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    """Events a second, by topic; from the second look on."""
    lags: tuple[Lag, ...] = ()
    letters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Dead letters of the last day that nobody has done anything about, by topic and reason."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """Tasks, by department."""
    findings: tuple[Finding, ...] = ()
    findings_at_ms: int = 0
    problem: str = ""
    """Why the last look failed; what is told then is older."""

    @property
    def traffic(self) -> Traffic:
        """What the catalogue shows of it."""
        readers: dict[str, list[str]] = {}
        for one in self.lags:
            groups = readers.setdefault(one.topic, [])
            if one.group not in groups:
                groups.append(one.group)
        return Traffic(self.rates, readers)


class Sampler:
    """See the module. ``sample`` is called from one thread; ``latest`` may be read from any. ``close`` it."""

    def __init__(self, look: Look) -> None:
        self.latest = Sample()
        self._look = look
        self._admin = Admin(client_configuration(look.settings))
        self._history = History()
        self._looker: Looker | None = None
        self._ends: tuple[int, Mapping[Partition, int]] | None = None
        self._letters_due = self._findings_due = 0.0

    def sample(self) -> None:
        """Look once more. What cannot be looked at is told as ``problem``, and looked at the next time."""
        try:
            self._quick()
            if time.monotonic() >= self._letters_due:
                self._letters_due = time.monotonic() + LETTERS_EVERY_S
                self._letters()
            if time.monotonic() >= self._findings_due:
                self._findings_due = time.monotonic() + FINDINGS_EVERY_S
                self._findings()
        except BusError as error:
            self._let_go()
            self.latest = replace(self.latest, problem=str(error))

    def close(self) -> None:
        """Let go of the broker."""
        self._let_go()

    def _quick(self) -> None:
        look = self._look
        if self._looker is None:
            self._looker = Looker(look.settings)
        lags = tuple(self._history.add(self._looker.look(self._looker.names())))
        at_ms = look.clock()
        rates = self._rates(at_ms)
        overdue = overdue_tasks(look)
        self.latest = replace(self.latest, at_ms=at_ms, rates=rates, lags=lags, overdue=overdue, problem="")
        look.store.add_series(
            [
                *(Point(RATE, name, at_ms, rate) for name, rate in by_department(look, rates).items()),
                *(Point(LAG, name, at_ms, events) for name, events in by_group(lags).items()),
                *(Point(OVERDUE, name, at_ms, tasks) for name, tasks in overdue.items()),
            ]
        )

    def _letters(self) -> None:
        found = Counter((letter.topic, letter.reason) for letter in recent_letters(self._look.settings).open)
        self.latest = replace(self.latest, letters=found)
        self._look.store.add_series([Point(LETTERS, "", self.latest.at_ms, sum(found.values()))])

    def _findings(self) -> None:
        found = tuple(Examination(self._look.settings, probe=False).areas())
        self.latest = replace(self.latest, findings=found, findings_at_ms=system_clock())

    def _rates(self, at_ms: int) -> Mapping[str, float]:
        """By how much each topic has grown since the look before."""
        names = self._admin.names(self._look.world)
        ends = self._admin.end_offsets(
            self._look.world, [name for name in names if name in self._look.catalogue.topics]
        )
        before, self._ends = self._ends, (at_ms, ends)
        if before is None or at_ms <= before[0]:
            return self.latest.rates
        grown: dict[str, int] = {}
        for (topic, partition), end in ends.items():
            grown[topic] = grown.get(topic, 0) + max(0, end - before[1].get((topic, partition), end))
        return {topic: count * 1000 / (at_ms - before[0]) for topic, count in grown.items()}

    def _let_go(self) -> None:
        if self._looker is not None:
            self._looker.close()
            self._looker = None


def by_department(look: Look, rates: Mapping[str, float]) -> dict[str, float]:
    """Events a second of all topics of each owner that is a department."""
    found = dict.fromkeys(look.catalogue.departments, 0.0) if rates else {}
    for topic, rate in rates.items():
        owner = look.catalogue.topics[topic].owner
        if owner in found:
            found[owner] += rate
    return found


def by_group(lags: tuple[Lag, ...]) -> dict[str, int]:
    """Unread events of each group."""
    found: dict[str, int] = {}
    for one in lags:
        found[one.group] = found.get(one.group, 0) + one.events
    return found


def overdue_tasks(look: Look) -> dict[str, int]:
    """Open tasks of which what is due next has passed, while their clocks run; by department."""
    now_ms = look.now().at_ms
    dues = (due for line in look.store.late() for due in orjson.loads(line)["dues"])
    return dict(sorted(Counter(department for department, due in dues if due < now_ms).items()))
