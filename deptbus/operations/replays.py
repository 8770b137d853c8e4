"""A replay: which records are delivered again, where to, and how what was ordered is written down. Pure.

The plan is fixed before anything is done, to the last offset, and stands whole in the audit record of the replay's
start: whoever goes on with it later needs its id and nothing else, and does what was ordered.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from deptbus.errors import NotFound, SettingsError
from deptbus.operations.filters import Filter, read_filter
from deptbus.operations.stretch import Range, Stretch

ACT = "replay.run"
STOPPED = "replay.stop"
RESUMED = "replay.resume"

Kind = Literal["topic", "live", "group", "rehearsal"]
State = Literal["started", "stopped", "done", "failed"]

RANGES_CHARS_MAX = 9_000
"""So long the ranges of one topic may be when they are written down."""


class Target(NamedTuple):
    """Where a stretch is delivered to."""

    kind: Kind
    name: str
    """Of the new topic, the live topic, the group or the namespace."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events are meant, as a person wrote it; what is empty says nothing."""

    types: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()

    def filter(self) -> Filter:
        """As it is applied; ``SettingsError``."""
        return read_filter(**asdict(self))


@dataclass(frozen=True, slots=True)
class Replay:
    """What is ordered."""

    id: str
    target: Target
    stretches: tuple[Stretch, ...]
    choice: Choice = field(default_factory=Choice)
    into: Mapping[str, str] = field(default_factory=dict)
    """By source topic, the topic that its events are written to (logical names)."""
    ends: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """By topic that is written to, where its partitions ended before."""
    rate: float | None = None
    """Events in a second at most."""

    @property
    def offsets(self) -> int:
        """How many offsets it goes through."""
        return sum(stretch.offsets for stretch in self.stretches)

    def to_detail(self) -> dict[str, str]:
        """As particulars of an act. ``SettingsError`` where it has too many partitions for a record."""
        detail: dict[str, str] = {"kind": self.target.kind}
        if self.choice != Choice():
            given = {name: value for name, value in asdict(self.choice).items() if value}
            detail["filter"] = orjson.dumps(given).decode()
        if self.rate is not None:
            detail["rate"] = f"{self.rate:g}"
        for stretch in self.stretches:
            detail[f"from {stretch.topic}"] = _written(stretch)
        for source, target in self.into.items():
            detail[f"into {source}"] = target
        for target, ends in self.ends.items():
            detail[f"ends {target}"] = " ".join(f"{number}:{end}" for number, end in sorted(ends.items()))
        return detail


def from_detail(replay_id: str, name: str, detail: Mapping[str, str]) -> Replay:
    """The replay of an act's particulars; ``name`` is the target's."""
    parts = [(*each.split(" ", 1), value) for each, value in detail.items() if " " in each]
    rate = detail.get("rate")
    return Replay(
        replay_id,
        Target(detail["kind"], name),  # type: ignore[arg-type]  # as it was written
        tuple(Stretch(topic, dict(_ranges(value))) for what, topic, value in parts if what == "from"),
        _choice(orjson.loads(detail.get("filter", "{}"))),
        {topic: value for what, topic, value in parts if what == "into"},
        {topic: dict(_numbers(value)) for what, topic, value in parts if what == "ends"},
        None if rate is None else float(rate),
    )


def _choice(given: Mapping[str, Any]) -> Choice:
    lists: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in given.items()}
    return Choice(**lists)


def _written(stretch: Stretch) -> str:
    text = " ".join(f"{number}:{start}-{end}" for number, (start, end) in sorted(stretch.ranges.items()))
    if len(text) > RANGES_CHARS_MAX:
        raise SettingsError(
            f"{stretch.topic} has {len(stretch.ranges)} partitions, more than one replay can name; replay it by parts."
        )
    return text


def _ranges(text: str) -> Iterator[tuple[int, Range]]:
    for part in text.split():
        number, _, ends = part.partition(":")
        start, _, end = ends.partition("-")
        yield int(number), (int(start), int(end))


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split():
        number, _, end = part.partition(":")
        yield int(number), int(end)


class Known(NamedTuple):
    """A replay of which the audit tells."""

    replay: Replay
    state: State
    started_ms: int
    operator: str
    reason: str | None


class Told(NamedTuple):
    """What is read of an act on record."""

    id: str
    start: str | None
    """The record of its start, in a record of its end."""
    time_ms: int
    data: Mapping[str, Any]


def replays(acts: Iterable[Told]) -> dict[str, Known]:
    """Every replay on record by its id, the oldest first, and how it stands."""
    found: dict[str, Known] = {}
    for told in acts:
        act, data = told.data["act"], told.data
        if act == ACT and data["outcome"] == "started":
            replay = from_detail(told.id, data["target"], data["detail"])
            found[told.id] = Known(replay, "started", told.time_ms, data["operator"], data["reason"])
        elif told.start in found and act in _STATES:
            known = found[told.start]
            state = data["outcome"] if act == ACT else _STATES[act]
            found[told.start] = known._replace(state=state)
    return found


_STATES: Mapping[str, State] = {ACT: "done", STOPPED: "stopped", RESUMED: "started"}


def find(known: Mapping[str, Known], replay_id: str) -> Known:
    """A replay by its id or the beginning of it; ``NotFound``."""
    fitting = [each for name, each in known.items() if name.startswith(replay_id.lower())]
    if len(fitting) == 1 and len(replay_id) >= 4:
        return fitting[0]
    if len(fitting) > 1:
        raise NotFound(f"{len(fitting)} replays begin with {replay_id}; write more of the id.")
    raise NotFound(f"There is no replay {replay_id} on record; `deptbus replay list` shows all.")


@dataclass(slots=True)
class Counts:
    """What a stretch holds of what is meant."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By topic and event type; the type of what has none is empty."""
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, topic: str, event_type: str, time_ms: int) -> None:
        """Count one."""
        self.events[topic, event_type] += 1
        if self.first_ms is None or time_ms < self.first_ms:
            self.first_ms = time_ms
        if self.last_ms is None or time_ms > self.last_ms:
            self.last_ms = time_ms

    @property
    def total(self) -> int:
        """How many in all."""
        return self.events.total()
