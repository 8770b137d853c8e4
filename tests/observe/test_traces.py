"""Traces go on over topics, under the ids that events carry; what is recorded is decided by the trace alone."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace as api
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import Retry
from deptbus.handlers import Context
from deptbus.ids import derived_id, random_id
from deptbus.observe.tracing import LINKS_MAX, Tracer
from deptbus.record import Event
from deptbus.settings import Settings
from deptbus.streams.traces import OUTPUTS_MAX, Traces
from deptbus.testing import MemoryBroker, run_until
from tests.broker import ROOT
from tests.workflow.world import sample

CASES = "health.CasesConfirmed"
OPENED = "cdc.CaseConfirmed"


class Recorded:
    """A tracer, and the spans that it has recorded."""

    def __init__(self, ratio: float = 1.0) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracer = Tracer(SimpleSpanProcessor(self.exporter), ratio)

    def spans(self) -> list[ReadableSpan]:
        """In the order in which they began."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> ReadableSpan:
        """The only span of a name."""
        [found] = [span for span in self.spans() if span.name == name]
        return found


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(load_catalogue(ROOT, system_clock()), settings=Settings.load(root=ROOT))


def _investigating(
    broker: MemoryBroker, tracer: Tracer | None, first: Callable[[Context], None] = lambda _: None
) -> Bus:
    """The disease control centre, which publishes for every confirmed case."""
    cdc = broker.connect("cdc", tracer=tracer)

    @cdc.subscribe(CASES)
    def investigate(event: Event, context: Context) -> None:
        first(context)
        context.publish(OPENED, sample(OPENED), subject="440100")

    return cdc


def _report(broker: MemoryBroker, tracer: Tracer | None, **about: Any) -> None:
    broker.connect("health", tracer=tracer).publish(CASES, sample(CASES), subject="440100", **about).require()


def _ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def test_a_trace_goes_on_over_two_hops(broker: MemoryBroker) -> None:
    recorded = Recorded()
    _report(broker, recorded.tracer)
    run_until(_investigating(broker, recorded.tracer), lambda: broker.events("cdc.verifications"))
    health = broker.connect("health", tracer=recorded.tracer)
    seen: list[Event] = []
    health.subscribe(OPENED)(lambda event: _seen(seen, event))
    run_until(health, lambda: seen)
    sent, handled, sent_on, handled_again = recorded.spans()
    assert [span.name for span in recorded.spans()] == [
        "send health.cases", "process health.cases", "send cdc.verifications", "process cdc.verifications",
    ]  # fmt: skip
    assert len({_ids(span)[0] for span in recorded.spans()}) == 1
    for span, before in ((handled, sent), (sent_on, handled), (handled_again, sent_on)):
        assert span.parent is not None
        assert span.parent.span_id == _ids(before)[1]
    for consumer, producer in ((handled, sent), (handled_again, sent_on)):
        assert (producer.kind, consumer.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
        [link] = consumer.links
        assert (link.context.trace_id, link.context.span_id) == _ids(producer)
    assert seen[0].envelope.traceparent == f"00-{_ids(sent_on)[0]:032x}-{_ids(sent_on)[1]:016x}-01"


def test_a_process_that_records_nothing_does_not_break_a_trace(broker: MemoryBroker) -> None:
    recorded = Recorded()
    _report(broker, recorded.tracer)
    run_until(_investigating(broker, None), lambda: broker.events("cdc.verifications"))
    [event] = broker.events("cdc.verifications")
    assert event.envelope.traceparent is not None
    assert event.envelope.traceparent.split("-")[1] == f"{_ids(recorded.named('send health.cases'))[0]:032x}"
    assert event.envelope.traceparent.endswith("-00"), "its own publish is not recorded"


def test_a_share_of_all_traces_is_recorded_alike_everywhere() -> None:
    traces = [random_id().replace("-", "") for _ in range(2_000)]
    traces += [derived_id(one, "a", "b", "c").replace("-", "") for one in traces]
    one, other = Recorded(0.25), Recorded(0.25)
    kept = [trace for trace in traces if one.tracer.samples(trace)]
    assert kept == [trace for trace in traces if other.tracer.samples(trace)]
    assert 800 < len(kept) < 1_200
    assert not any(Recorded(0).tracer.samples(trace) for trace in traces)
    assert all(Recorded(1).tracer.samples(trace) for trace in traces)


def test_what_fails_is_marked_and_what_is_tried_again_is_not(broker: MemoryBroker) -> None:
    recorded = Recorded()
    _report(broker, recorded.tracer)

    def once_more(context: Context) -> None:
        if context.attempt == 1:
            raise Retry

    run_until(_investigating(broker, recorded.tracer, once_more), lambda: broker.events("cdc.verifications"))
    handled = recorded.named("process health.cases")
    assert handled.status.status_code is not StatusCode.ERROR
    assert [event.name for event in handled.events] == ["exception"]

    def never(context: Context) -> None:
        raise RuntimeError("never")

    again = Recorded()
    _report(broker, again.tracer)
    run_until(_investigating(broker, again.tracer, never), lambda: broker.events("bus.deadletters"))
    assert again.named("process health.cases").status.status_code is StatusCode.ERROR
    assert "never" in (again.named("process health.cases").status.description or "")


def test_what_the_broker_does_not_take_is_marked(broker: MemoryBroker) -> None:
    recorded = Recorded()
    broker.fail("health.cases", "failed")
    outcome = broker.connect("health", tracer=recorded.tracer).publish(CASES, sample(CASES), subject="440100")
    assert outcome.state == "failed"
    assert recorded.named("send health.cases").status.status_code is StatusCode.ERROR


def test_spans_of_a_handler_are_within_that_of_the_event(broker: MemoryBroker) -> None:
    recorded = Recorded()
    _report(broker, recorded.tracer)
    cdc = broker.connect("cdc", tracer=recorded.tracer)
    current: list[int] = []

    @cdc.subscribe(CASES)
    async def look(event: Event) -> None:
        current.append(api.get_current_span().get_span_context().span_id)

    run_until(cdc, lambda: current)
    assert current == [_ids(recorded.named("process health.cases"))[1]]
    assert not api.get_current_span().get_span_context().is_valid


def test_a_traceparent_of_another_system_is_gone_on_with(broker: MemoryBroker) -> None:
    recorded = Recorded()
    _report(broker, None)
    [record] = broker.records("health.cases")
    theirs = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    headers = [header for header in record.headers if header[0] != "ce_traceparent"]
    headers = [(name, random_id().encode() if name == "ce_id" else value) for name, value in headers]
    broker.put("health.cases", record.value, record.key, [*headers, ("traceparent", theirs.encode())])
    run_until(_investigating(broker, recorded.tracer), lambda: len(broker.events("cdc.verifications")) == 2)
    assert [event.envelope.traceparent for event in broker.events("health.cases")].count(theirs) == 1
    [span] = [one for one in recorded.spans() if one.parent and one.parent.span_id == int("cd" * 8, 16)]
    assert (span.name, _ids(span)[0]) == ("process health.cases", int("ab" * 16, 16))


@pytest.mark.parametrize("odd", ["", "00-xyz-1-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é" * 55])
def test_a_traceparent_that_is_none_does_no_harm(broker: MemoryBroker, odd: str) -> None:
    _report(broker, None)
    [record] = broker.records("health.cases")
    headers = [header for header in record.headers if header[0] != "ce_traceparent"]
    headers = [(name, random_id().encode() if name == "ce_id" else value) for name, value in headers]
    broker.put("health.cases", record.value, record.key, [*headers, ("ce_traceparent", odd.encode())])
    run_until(_investigating(broker, Recorded().tracer), lambda: len(broker.events("cdc.verifications")) == 2)
    assert not broker.events("bus.deadletters")


def test_advance_goes_on_with_the_trace_of_what_it_read() -> None:
    recorded = Recorded()
    traces, origin = Traces(recorded.tracer), f"00-{'ab' * 16}-{'cd' * 8}-01"
    read = MemoryBroker(load_catalogue(ROOT, system_clock()), settings=Settings.load(root=ROOT)).put(
        "workflow.journal", b"", headers=[("ce_traceparent", origin.encode())]
    )
    first, second, alone = random_id(), random_id(), random_id()
    traces.begin(held=False)
    traces.add("the case", read)
    traces.read()
    assert trace_ids(traces.next(first, "the case", "workflow.tasks")) == ("ab" * 16, first.replace("-", "")[16:])
    assert trace_ids(traces.next(second, first, "workflow.events"))[0] == "ab" * 16
    assert trace_ids(traces.next(alone, "something long ago", "workflow.tasks"))[0] == alone.replace("-", "")
    assert not recorded.spans(), "nothing is recorded before it is committed"
    traces.committed()
    batch = recorded.named("advance workflow.journal")
    assert [f"{link.context.trace_id:032x}" for link in batch.links] == ["ab" * 16]
    tasks = [span for span in recorded.spans() if span.name == "send workflow.tasks"]
    assert [span.parent and span.parent.span_id for span in tasks] == [int("cd" * 8, 16), None]


def test_what_waits_for_its_steps_tick_keeps_its_trace() -> None:
    traces, broker = Traces(None), MemoryBroker(load_catalogue(ROOT, system_clock()))
    origin = f"00-{'ab' * 16}-{'cd' * 8}-01"
    traces.begin(held=False)
    traces.add("the case", broker.put("workflow.journal", b"", headers=[("ce_traceparent", origin.encode())]))
    traces.begin(held=True)
    assert "ab" * 16 in traces.next(random_id(), "the case", "workflow.tasks")
    traces.begin(held=False)
    assert "ab" * 16 not in traces.next(random_id(), "the case", "workflow.tasks")


def test_links_and_spans_of_a_large_batch_are_bounded() -> None:
    recorded = Recorded()
    traces, broker = Traces(recorded.tracer), MemoryBroker(load_catalogue(ROOT, system_clock()))
    traces.begin(held=False)
    for number in range(300):
        digits = random_id().replace("-", "")
        headers = [("ce_traceparent", f"00-{digits}-{digits[16:]}-01".encode())]
        traces.add(str(number), broker.put("workflow.journal", b"", headers=headers))
    traces.read()
    for number in range(300):
        traces.next(random_id(), str(number), "workflow.tasks")
    traces.committed()
    assert len(recorded.named("advance workflow.journal").links) == LINKS_MAX
    assert len(recorded.spans()) == OUTPUTS_MAX + 1


def test_without_an_endpoint_nothing_is_recorded_and_opentelemetry_is_not_loaded() -> None:
    assert bootstrap.open_tracer(Settings.load()) is None
    assert bootstrap.open_tracer(Settings.load(otlp_endpoint="")) is None
    endpoint = "http://127.0.0.1:1/v1/traces"
    assert bootstrap.open_tracer(Settings.load(otlp_endpoint=endpoint, trace_ratio=0)) is None


def _seen(seen: list[Event], event: Event) -> None:
    seen.append(event)


def trace_ids(traceparent: str) -> tuple[str, str]:
    """Trace and span."""
    _, trace, span, flags = traceparent.split("-")
    assert flags == "01"
    return trace, span
