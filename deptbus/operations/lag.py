"""How far groups are behind: in events, in time, and for how long still. Pure.

Everything follows from looks at the log and at what is committed, taken when somebody asks; a commit alone says nothing
of a consumer that has stopped.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deptbus.errors import SettingsError
from deptbus.observe import names

STUCK_AFTER_MS = 30_000
"""A partition that has not moved is stuck once its first unread record has waited so long, in milliseconds."""
WINDOW_MS = 60_000
"""Rates are taken over looks of this stretch of time at most, in milliseconds."""
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_OVER = re.compile(r"(\d{1,12})(s|m|h|d)?")

Where = tuple[str, str, int]
"""Group, topic and partition."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look finds of a partition and of one group that reads it."""

    group: str
    topic: str
    partition: int
    at_ms: int
    """When: this machine's clock, or the newest record's timestamp where that is later."""
    committed: int | None
    """None where the group has never committed."""
    start: int
    end: int
    """The next stable offset: how far a read_committed reader can come."""
    latest: int
    """The next offset, records of open transactions included."""
    records: int | None = None
    """How many records lie before ``end`` that the group has not read; None where they were too many to count."""
    first_ms: int | None = None
    """The timestamp of the first of them."""
    readable: bool = True
    """Whether that record could be read at all."""
    newest_ms: int | None = None
    """The timestamp of the newest record."""
    held_ms: int | None = None
    """The timestamp of the first record that waits for the end of its transaction."""
    committed_ms: int | None = None
    """When the group last committed here."""
    members: int = 0
    """How many members the group has."""
    owner: str = ""
    """The client id of the member that reads this partition."""

    @property
    def where(self) -> Where:
        """Group, topic and partition."""
        return self.group, self.topic, self.partition

    @property
    def position(self) -> int:
        """Where the group reads on; one that has never committed, or whose place is gone, at the beginning."""
        return max(self.start, self.committed or 0)


class State(StrEnum):
    """How it stands with a partition."""

    CURRENT = "current"
    CATCHING_UP = "catching_up"
    BEHIND = "behind"
    """There are unread records; nothing more can be said from one look, or it neither gains nor loses."""
    FALLING_BEHIND = "falling_behind"
    STOPPED = "stopped"
    """There are unread records and the group has no member."""
    STUCK = "stuck"
    """There are unread records and members, and the position does not move."""
    UNREADABLE = "unreadable"
    """The first unread record cannot be read by anybody."""
    HELD = "held"
    """Everything stable is read; an open transaction holds back what follows."""


ALARMING = frozenset({State.STUCK, State.UNREADABLE, State.HELD})
_GRAVEST = (
    State.UNREADABLE, State.STUCK, State.HELD, State.STOPPED, State.FALLING_BEHIND, State.BEHIND, State.CATCHING_UP,
    State.CURRENT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind in one partition, or in a topic. Rates are offsets a second, None if unknown."""

    group: str
    topic: str
    partitions: tuple[int, ...]
    state: State
    events: int
    exact: bool
    """Whether ``events`` were counted; if not there are at most so many: transaction markers and gaps may be in it."""
    waiting_ms: int
    """How long the first unread record has waited."""
    behind_ms: int
    """From the first unread record to the newest one, both by the broker's timestamps."""
    commit_age_ms: int | None
    rate: float | None
    """How fast it reads."""
    arriving: float | None
    """How fast the log grows."""
    lost: int
    """Offsets that retention removed before the group came to them."""
    ahead: int
    """Offsets by which the group stands behind the end of the log: the topic was made anew, or restored."""
    owner: str = ""
    """The client id of who reads it."""
    position: int = 0
    """Where the group reads on; of a topic, nothing."""

    @property
    def catch_up_s(self) -> float | None:
        """How long it takes to catch up at these rates; None where it never does, or nothing is known."""
        if not self.events:
            return 0.0
        if self.rate is None or self.arriving is None or self.rate <= self.arriving:
            return None
        return self.events / (self.rate - self.arriving)

    @property
    def alarming(self) -> bool:
        """Whether somebody should look, whatever the limits."""
        return self.state in ALARMING or self.lost > 0 or self.ahead > 0


def lag(look: Look, before: Look | None = None, stuck_after_ms: int = STUCK_AFTER_MS) -> Lag:
    """What a look says, and what an earlier look at the same says with it."""
    span = max(0, look.end - look.position)
    events = span if look.records is None else look.records
    waiting = max(0, look.at_ms - look.first_ms) if events and look.first_ms is not None else 0
    behind = max(0, look.newest_ms - look.first_ms) if waiting and look.newest_ms and look.first_ms else 0
    rate = arriving = None
    if before is not None and before.at_ms < look.at_ms:
        elapsed_s = (look.at_ms - before.at_ms) / 1000
        if look.position >= before.position:  # else it was set back meanwhile
            rate = (look.position - before.position) / elapsed_s
        arriving = max(0, look.end - before.end) / elapsed_s
    return Lag(
        look.group,
        look.topic,
        (look.partition,),
        _state(look, before, events, rate, arriving, waiting, stuck_after_ms),
        events,
        look.records is not None or not span,
        waiting,
        behind,
        None if look.committed_ms is None else max(0, look.at_ms - look.committed_ms),
        rate,
        arriving,
        max(0, look.start - look.committed) if look.committed is not None else 0,
        max(0, look.position - look.latest),
        look.owner,
        look.position,
    )


def _state(
    look: Look,
    before: Look | None,
    events: int,
    rate: float | None,
    arriving: float | None,
    waiting_ms: int,
    stuck_after_ms: int,
) -> State:
    if not look.readable:
        return State.UNREADABLE
    if not events:
        held = look.held_ms is not None and look.at_ms - look.held_ms >= stuck_after_ms
        return State.HELD if held and before is not None and before.end == look.end else State.CURRENT
    if not look.members:
        return State.STOPPED
    # A handler may be at work on a batch: what was committed a moment ago is not stuck.
    stands = before is not None and before.position == look.position
    if stands and min(waiting_ms, look.at_ms - (look.committed_ms or 0)) >= stuck_after_ms:
        return State.STUCK
    if rate is None or arriving is None or rate == arriving:
        return State.BEHIND
    return State.CATCHING_UP if rate > arriving else State.FALLING_BEHIND


class History:
    """Looks of the last while, and the lags that follow from the newest and the oldest of them."""

    def __init__(self, stuck_after_ms: int = STUCK_AFTER_MS, window_ms: int = WINDOW_MS) -> None:
        self._stuck_after_ms = stuck_after_ms
        self._window_ms = window_ms
        self._looks: dict[Where, deque[Look]] = {}

    def add(self, looks: Iterable[Look]) -> list[Lag]:
        """Take a new look at everything; what is not in it is not there any more."""
        kept: dict[Where, deque[Look]] = {}
        for look in looks:
            past = kept[look.where] = self._looks.get(look.where, deque())
            past.append(look)
            while len(past) > 2 and look.at_ms - past[0].at_ms > self._window_ms:
                past.popleft()
        self._looks = kept
        return [
            lag(past[-1], past[0] if len(past) > 1 else None, self._stuck_after_ms) for _, past in sorted(kept.items())
        ]


def by_topic(lags: Iterable[Lag]) -> list[Lag]:
    """The partitions of each group and topic taken together: events add up, of times and states the worst counts."""
    together: dict[tuple[str, str], list[Lag]] = {}
    for one in lags:
        together.setdefault((one.group, one.topic), []).append(one)
    return [_sum(found) for found in together.values()]


def _sum(found: Sequence[Lag]) -> Lag:
    first = found[0]
    return Lag(
        first.group,
        first.topic,
        tuple(sorted(partition for one in found for partition in one.partitions)),
        min((one.state for one in found), key=_GRAVEST.index),
        sum(one.events for one in found),
        all(one.exact for one in found),
        max(one.waiting_ms for one in found),
        max(one.behind_ms for one in found),
        min((one.commit_age_ms for one in found if one.commit_age_ms is not None), default=None),
        _total(one.rate for one in found),
        _total(one.arriving for one in found),
        sum(one.lost for one in found),
        sum(one.ahead for one in found),
        ", ".join(dict.fromkeys(one.owner for one in found if one.owner)),
    )


def _total(rates: Iterable[float | None]) -> float | None:
    known = list(rates)
    return None if None in known else sum(rate for rate in known if rate is not None)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is too much: so many events of a topic, or a first unread record that waits so long."""

    events: int | None = None
    waiting_ms: int | None = None

    def exceeded(self, one: Lag) -> bool:
        """Whether it is more."""
        if self.events is not None and one.events > self.events:
            return True
        return self.waiting_ms is not None and one.waiting_ms > self.waiting_ms


def read_limit(text: str) -> Limit:
    """``1000`` events, or ``90s``, ``5m``, ``2h``, ``1d``; ``SettingsError`` for anything else."""
    found = _OVER.fullmatch(text.strip())
    if found is None:
        raise SettingsError(
            f"--over is a number of events or a length of time such as 1000, 90s, 5m or 2h, not {text}."
        )
    return Limit(waiting_ms=int(found[1]) * _UNITS[found[2]]) if found[2] else Limit(events=int(found[1]))


def read_length(text: str, option: str) -> int:
    """``90s``, ``5m``, ``2h``, ``1d`` in milliseconds; ``SettingsError`` for anything else."""
    found = _OVER.fullmatch(text.strip())
    if found is None or not found[2]:
        raise SettingsError(f"{option} is a length of time such as 90s, 5m or 2h, not {text}.")
    return int(found[1]) * _UNITS[found[2]]


_METRICS: Mapping[str, str] = {
    metric.name: metric.help
    for metric in (names.GROUP_LAG, names.GROUP_LAG_TIME, names.GROUP_COMMIT_AGE, names.GROUP_STUCK, names.GROUP_LOST)
}


def exposition(lags: Iterable[Lag]) -> str:
    """The lags as Prometheus reads them: a sample for each partition."""
    samples: dict[str, list[str]] = {name: [] for name in _METRICS}
    for one in lags:
        labels = f'group="{_escaped(one.group)}",topic="{_escaped(one.topic)}",partition="{one.partitions[0]}"'
        values: Mapping[str, float | int | None] = {
            "deptbus_group_lag_events": one.events,
            "deptbus_group_lag_seconds": one.waiting_ms / 1000,
            "deptbus_group_commit_age_seconds": None if one.commit_age_ms is None else one.commit_age_ms / 1000,
            "deptbus_group_stuck": int(one.state in ALARMING),
            "deptbus_group_lost_events": one.lost,
        }
        for name, value in values.items():
            if value is not None:
                samples[name].append(f"{name}{{{labels}}} {value}")
    return "".join(
        f"# HELP {name} {_METRICS[name]}\n# TYPE {name} gauge\n" + "".join(f"{line}\n" for line in lines)
        for name, lines in samples.items()
    )


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
