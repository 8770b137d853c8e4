"""The outcome of an exercise, counted from its topics and snapshots and from nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deptbus.envelope import from_headers
from deptbus.errors import CodecError
from deptbus.exercise.link import Link
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.consumer import BEGINNING
from deptbus.record import Record
from deptbus.workflow.definition import LEVELS

INSTANCES = "workflow.instances"
CHANGED = b"workflow.InstanceChanged"
WRITTEN = ("workflow.tasks", "workflow.timeline", "workflow.events")
DEADLETTERS = "bus.deadletters"
DEADLETTERED = b"bus.DeadLettered"


@dataclass(slots=True)
class Summary:
    """Numbers of one exercise; ``incidents_by_level`` counts the highest level that the rule table gave."""

    imported: dict[str, int] = field(default_factory=dict)
    """Events that were brought in, by type: those without a cause."""
    figures: dict[str, int | dict[str, int]] = field(default_factory=dict)
    """What else the plan wanted counted of these."""
    incidents: int = 0
    incidents_closed: int = 0
    acknowledged_late: int = 0
    completed_late: int = 0
    escalations: int = 0
    dead_letters: int = 0
    events_in: int = 0
    events_out: int = 0
    incidents_by_level: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, dict[str, int]] = field(default_factory=dict)
    fold_equal: bool = False
    seconds: float = 0.0

    def to_data(self) -> dict[str, Any]:
        """As it is written and printed: the figures stand among the other numbers."""
        data = asdict(self)
        figures: dict[str, Any] = data.pop("figures")
        return figures | data


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the events of one type that were brought in: how many, the sum of a field, or how many by a field."""

    name: str
    type: str
    sum_of: str | None = None
    by: str | None = None

    def of(self, events: Iterable[Mapping[str, Any]]) -> int | dict[str, int]:
        """The number; by a field's values, one for each."""
        if self.by is not None:
            return dict(sorted(Counter(str(data[self.by]) for data in events).items()))
        return sum(1 if self.sum_of is None else data[self.sum_of] for data in events)


def summarize(link: Link, inputs: Iterable[str], figures: Iterable[Figure] = ()) -> Summary:
    """Read the namespace's topics to their ends. ``inputs``: the department topics that correlate reads."""
    counting = _Counting(link, frozenset(inputs), tuple(figures))
    for record in _read(link, [*counting.inputs, *WRITTEN, INSTANCES, DEADLETTERS]):
        counting.take(record)
    return counting.summary()


class _Counting:
    """Counts records of all topics, in whatever order they come; an id counts once."""

    def __init__(self, link: Link, inputs: frozenset[str], figures: tuple[Figure, ...]) -> None:
        self.inputs = inputs
        self._link = link
        self._figures = figures
        self._ids: dict[str, set[bytes]] = defaultdict(set)
        self._newest: dict[bytes | None, Record] = {}
        """The last snapshot of each instance; only that is decoded."""
        self._imported: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def take(self, record: Record) -> None:
        """Count one record."""
        headers = dict(record.headers)
        kind, event_id = headers.get("ce_type"), headers.get("ce_id")
        if record.topic == INSTANCES:
            if kind == CHANGED:
                self._newest[record.key] = record
            return
        if record.topic == DEADLETTERS and kind != DEADLETTERED:  # what was done about one
            return
        seen = self._ids["in" if record.topic in self.inputs else record.topic]
        if event_id is None or event_id in seen:
            return
        seen.add(event_id)
        if record.topic in self.inputs and "ce_causationid" not in headers:
            self._count_import(record)

    def _count_import(self, record: Record) -> None:
        try:
            event_type = from_headers(record.headers).type
            data = self._link.data(record)
        except CodecError:  # it is among the dead letters
            return
        self._imported[event_type].append(data)

    def summary(self) -> Summary:
        """What was counted."""
        summary = Summary(
            imported={event_type: len(events) for event_type, events in sorted(self._imported.items())},
            figures={figure.name: figure.of(self._imported.get(figure.type, ())) for figure in self._figures},
            dead_letters=len(self._ids[DEADLETTERS]),
            events_in=len(self._ids["in"]),
            events_out=sum(len(self._ids[topic]) for topic in WRITTEN),
        )
        _count_instances((self._link.data(record) for record in self._newest.values()), summary)
        return summary


def _count_instances(instances: Iterable[dict[str, Any]], summary: Summary) -> None:
    """Add what the last snapshots of all instances say."""
    levels: Counter[str] = Counter(dict.fromkeys(reversed(LEVELS), 0))
    tasks: dict[str, Counter[str]] = defaultdict(Counter)
    for instance in instances:
        summary.incidents += 1
        summary.incidents_closed += instance["status"] == "closed"
        _add_counts(summary, instance["counts"])
        if instance["highest_level"] is not None:
            levels[instance["highest_level"]] += 1
        for department, states in instance["tally"].items():
            tasks[department].update(states)
    summary.incidents_by_level = dict(levels)
    summary.tasks = {
        department: {state: count for state, count in sorted(states.items()) if count}
        for department, states in sorted(tasks.items())
    }


def _add_counts(summary: Summary, counts: Mapping[str, Any]) -> None:
    summary.acknowledged_late += counts.get("acknowledged_late", 0)
    summary.completed_late += counts.get("completed_late", 0)
    summary.escalations += counts.get("escalations", 0)


def _read(link: Link, topics: list[str]) -> Iterator[Record]:
    """Every record of these topics up to their present ends, all with one reader."""
    world = link.settings.world
    ends = Admin(client_configuration(link.settings)).end_offsets(world, topics)
    tail = link.tail(dict.fromkeys(topics, BEGINNING))
    try:
        while not tail.has_reached(ends):
            yield from tail.poll(1.0, 10_000)
    finally:
        tail.close()
