"""The outcome of an exercise, counted from its topics and snapshots and from nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deptbus.errors import CodecError
from deptbus.exercise.link import Link
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.record import Record
from deptbus.workflow.definition import LEVELS

CASES = b"health.CasesConfirmed"
OBJECTION = b"data.ObjectionRaised"
INSTANCES = "workflow.instances"
CHANGED = b"workflow.InstanceChanged"
WRITTEN = ("workflow.tasks", "workflow.timeline", "workflow.events")
DEADLETTERS = "bus.deadletters"


@dataclass(slots=True)
class Summary:
    """Numbers of one exercise; ``incidents_by_level`` counts the highest level that the rule table gave."""

    case_events: int = 0
    cases: int = 0
    incidents: int = 0
    incidents_closed: int = 0
    acknowledged_late: int = 0
    completed_late: int = 0
    escalations: int = 0
    dead_letters: int = 0
    events_in: int = 0
    events_out: int = 0
    objections: dict[str, int] = field(default_factory=dict)
    incidents_by_level: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, dict[str, int]] = field(default_factory=dict)
    fold_equal: bool = False
    seconds: float = 0.0


def summarize(link: Link, inputs: Iterable[str]) -> Summary:
    """Read the namespace's topics to their ends. ``inputs``: the department topics that correlate reads."""
    summary = Summary()
    _count_inputs(link, inputs, summary)
    _count_instances(link, summary)
    summary.events_out = sum(len({_header(record, "ce_id") for record in _read(link, topic)}) for topic in WRITTEN)
    summary.dead_letters = len({_header(record, "ce_id") for record in _read(link, DEADLETTERS)})
    return summary


def _count_inputs(link: Link, inputs: Iterable[str], summary: Summary) -> None:
    seen: set[bytes | None] = set()
    objections: Counter[str] = Counter()
    for topic in sorted(set(inputs)):
        for record in _read(link, topic):
            event_id = _header(record, "ce_id")
            if event_id is None or event_id in seen:
                continue
            seen.add(event_id)
            kind = _header(record, "ce_type")
            if kind not in (CASES, OBJECTION):
                continue
            try:
                data = link.data(record)
            except CodecError:  # it is among the dead letters
                continue
            if kind == CASES:
                summary.case_events += 1
                summary.cases += data["count"]
            else:
                objections[data["kind"]] += 1
    summary.events_in = len(seen)
    summary.objections = dict(sorted(objections.items()))


def _count_instances(link: Link, summary: Summary) -> None:
    """The newest snapshot of each instance; only the last record of a key is decoded."""
    newest: dict[bytes | None, Record] = {}
    for record in _read(link, INSTANCES):
        if _header(record, "ce_type") == CHANGED:
            newest[record.key] = record
    levels: Counter[str] = Counter(dict.fromkeys(reversed(LEVELS), 0))
    tasks: dict[str, Counter[str]] = defaultdict(Counter)
    for record in newest.values():
        instance = link.data(record)
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


def _read(link: Link, topic: str) -> Iterable[Record]:
    return read_topic(reader_configuration(link.settings), link.settings.world.physical(topic))


def _header(record: Record, name: str) -> bytes | None:
    for header, value in record.headers:
        if header == name:
            return value
    return None
