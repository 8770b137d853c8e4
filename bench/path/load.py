"""What is published: confirmed cases of an epidemic, as health would publish them, and what must come of them.

Every run has regions and event ids of its own, the same for both sides of a pair. A region has ``EVENTS_EACH`` events
of two cases: its incident opens, is raised to level III and at the last event to II, and asks for tasks each time.
"""

from collections.abc import Iterator
from typing import NamedTuple

from deptbus.codec import Codec
from deptbus.envelope import Envelope, Headers, to_headers
from deptbus.ids import derived_id
from deptbus.record import Record
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.definition import PackContent
from deptbus.workflow.pack import Pack
from deptbus.workflow.partition import Partition
from deptbus.workflow.peers import new_entry

CASES = "health.CasesConfirmed"
TOPIC = "health.cases"
EVENTS_EACH = 25
CASES_EACH = 2
START = 1_579_449_600_000
"""When the events say that they happened; the broker's time decides."""


class Made(NamedTuple):
    """One event, ready to be produced."""

    key: bytes
    value: bytes
    headers: Headers


def events(codec: Codec, run: int, count: int) -> Iterator[Made]:
    """``count`` events of a run, a multiple of ``EVENTS_EACH``: the regions take turns."""
    regions = [f"{run:02}{number:04}" for number in range(count // EVENTS_EACH)]
    for number in range(count):
        region = regions[number % len(regions)]
        data = {
            "region": region, "province": "广东省", "city": "广州市", "count": CASES_EACH, "total": number,
            "date": "2020-01-20", "source_reference": f"2020-01-20.csv:{number}",
        }  # fmt: skip
        event_id = derived_id(f"{run}:{number}", "bench", CASES, region)
        envelope = Envelope(
            id=event_id, type=CASES, source="/departments/health", time_ms=START + number, subject=region,
            dataschema=f"urn:deptbus:{CASES}:v1", region=region, classification="sensitive",
            traceparent=f"00-{event_id.replace('-', '')}-{event_id.replace('-', '')[16:]}-01",
        )  # fmt: skip
        yield Made(region.encode(), codec.encode(CASES, data), to_headers(envelope))


def unhurried(content: PackContent) -> PackContent:
    """The same workflow with deadlines that no measurement lives to see.

    The broker's time decides what is due: after a quarter of an hour nobody would have acknowledged what the first
    runs asked, and its escalations would come among the outputs of later runs, on our side only.
    """
    steps = tuple(
        step.model_copy(update={"acknowledge_by": "20d", "complete_by": "30d"}) for step in content.definition.steps
    )
    return content.model_copy(update={"definition": content.definition.model_copy(update={"steps": steps})})


class Expected(NamedTuple):
    """What one region's events put out."""

    tasks: int
    timeline: int


def expected(codec: Codec, pack: Pack) -> Expected:
    """By the pure core: one region's events, correlated and applied."""
    correlator, partition = (
        Correlator([pack]),
        Partition(0, stepped=False, codec=codec),
    )
    activation = new_entry("activation", START, pack.workflow, "", pack=pack.hash, body=pack.to_bytes())
    partition.apply([(0, activation, None)])
    tasks = timeline = 0
    for number, made in enumerate(events(codec, 0, EVENTS_EACH), start=1):
        record = Record(TOPIC, 0, number, START + number, made.key, made.value, made.headers)
        data = codec.decode(made.value, CASES)
        envelope = Envelope(id=str(number), type=CASES, source="", time_ms=START, region=data["region"])
        for appended in correlator.entries(envelope, data, record, record.timestamp_ms):
            for output in partition.apply([(number, appended.entry, data)]):
                tasks += output.topic == "workflow.tasks"
                timeline += output.topic == "workflow.timeline"
    return Expected(tasks, timeline)
