"""Traces by OpenTelemetry, in the ids that events carry already.

An event's ``ce_traceparent`` names the trace and the span of its publish (``publishing``), and both follow from event
ids. So what is recorded here fits together over topics, processes and restarts, whichever of these record anything, and
whether a trace is recorded is decided by its id alone, alike everywhere. A process that records nothing has no tracer.
"""

import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from deptbus.outcome import Outcome, Pending
from deptbus.record import Record

LINKS_MAX = 64
"""Events that the span of a batch links to at most, and outputs of a batch that have spans of their own."""
RANDOM_BITS = 32
"""The last bits of a trace id, which are random; what stands before them in a UUIDv7 is time, and a counter in it."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Tracer:
    """Records the share ``ratio`` of all traces. Safe to use from several threads."""

    def __init__(self, processor: SpanProcessor, ratio: float, resource: Resource | None = None) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(ALWAYS_ON, resource or Resource({}), id_generator=self._ids)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("deptbus")
        self._below = round(ratio * (1 << RANDOM_BITS))

    def samples(self, trace: str) -> bool:
        """Whether a trace is recorded; ``trace`` are its 32 hexadecimal digits."""
        return int(trace[-RANDOM_BITS // 4 :], 16) < self._below

    def publishing(
        self, topic: str, event_id: str, traceparent: str, cause: str | None, within: "Work | None" = None
    ) -> "Work | None":
        """The span of a publish, under the ids of the event's ``traceparent``; None for a trace that is not recorded.

        ``cause`` is the traceparent of the event that it follows from, ``within`` what it was published in.
        """
        own = self._context(traceparent)
        if own is None:
            return None
        parent = self._context(cause) if cause else None
        if within is not None:
            parent = within.span.get_span_context()
        if parent is not None and parent.trace_id != own.trace_id:
            parent = None
        self._ids.next(own.trace_id, own.span_id)
        return Work(self._start(f"send {topic}", SpanKind.PRODUCER, parent, {
            "messaging.operation.type": "send", "messaging.destination.name": topic, "messaging.message.id": event_id,
        }))  # fmt: skip

    def handling(self, record: Record, event_id: str, traceparent: str | None, service: str) -> "Work | None":
        """The span in which a service handles an event: it follows from that of the publish, and links to it."""
        parent = self._context(traceparent) if traceparent else None
        if parent is None:
            return None
        return Work(self._start(f"process {record.topic}", SpanKind.CONSUMER, parent, {
            "messaging.operation.type": "process", "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition), "messaging.kafka.offset": record.offset,
            "messaging.message.id": event_id, "messaging.consumer.group.name": service,
        }, [Link(parent)]))  # fmt: skip

    def batch(self, role: str, topic: str, count: int, traceparents: Iterable[str | None]) -> "Work | None":
        """The span of a batch, a trace of its own that links to the first of the recorded events in it; None for none.

        ``traceparents`` are looked at in order until enough are found.
        """
        links: list[Link] = []
        for traceparent in traceparents:
            context = self._context(traceparent) if traceparent else None
            if context is not None:
                links.append(Link(context))
                if len(links) == LINKS_MAX:
                    break
        if not links:
            return None
        return Work(self._start(f"{role} {topic}", SpanKind.CONSUMER, None, {
            "messaging.operation.type": "process", "messaging.destination.name": topic,
            "messaging.batch.message_count": count, "messaging.consumer.group.name": role,
        }, links))  # fmt: skip

    def close(self) -> None:
        """Send what is recorded."""
        self._provider.shutdown()

    def _context(self, traceparent: str) -> SpanContext | None:
        """What a traceparent names, where its trace is recorded."""
        parts = traceparent.split("-")
        try:
            if len(parts) != 4 or not self.samples(parts[1]):
                return None
            context = SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=True, trace_flags=_SAMPLED)
        except ValueError:
            return None
        return context if context.is_valid else None

    def _start(
        self, name: str, kind: SpanKind, parent: SpanContext | None, attributes: dict[str, Any],
        links: Iterable[Link] = (),
    ) -> Span:  # fmt: skip
        context = api.set_span_in_context(api.NonRecordingSpan(parent or api.INVALID_SPAN_CONTEXT))
        attributes["messaging.system"] = "kafka"
        return self._tracer.start_span(name, context, kind, attributes, list(links))


class Work:
    """A span under way."""

    __slots__ = ("span",)

    def __init__(self, span: Span) -> None:
        self.span = span

    def calling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A handler, called so that spans which it makes itself are within this one."""

        def call(*arguments: Any) -> Any:
            with api.use_span(self.span, set_status_on_exception=False):
                answer = function(*arguments)
            return self._await(answer) if inspect.isawaitable(answer) else answer

        return call

    async def _await(self, answer: Any) -> Any:
        with api.use_span(self.span, set_status_on_exception=False):
            return await answer

    def failed(self, why: str) -> None:
        """It came to nothing."""
        self.span.set_status(Status(StatusCode.ERROR, why[:500]))

    def end(self) -> None:
        """It is over."""
        self.span.end()

    def end_with(self, pending: Pending) -> None:
        """It is over when a publish is answered."""
        pending.when_settled(self._answered)

    def _answered(self, outcome: Outcome) -> None:
        if outcome.acknowledged:
            self.span.set_attribute("messaging.destination.partition.id", str(outcome.partition))
            self.span.set_attribute("messaging.kafka.offset", outcome.offset)
        else:
            self.failed(f"{outcome.state}: {outcome.reason}")
        self.span.end()


class _Ids(IdGenerator):
    """Ids as they were asked for, else random ones."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self._asked = threading.local()

    def next(self, trace_id: int, span_id: int) -> None:
        """The next span of this thread has these."""
        self._asked.trace, self._asked.span = trace_id, span_id

    def generate_span_id(self) -> int:
        """OpenTelemetry asks for it last."""
        asked = getattr(self._asked, "span", None)
        self._asked.trace = self._asked.span = None
        return self._random.generate_span_id() if asked is None else asked

    def generate_trace_id(self) -> int:
        """Of a span without a parent."""
        asked = getattr(self._asked, "trace", None)
        return self._random.generate_trace_id() if asked is None else asked


@cache
def exporting(endpoint: str, ratio: float, namespace: str) -> Tracer:
    """The tracer of this process, which sends to an OTLP collector over HTTP, from a thread of its own."""
    resource = Resource({
        "service.name": "deptbus",
        "service.namespace": namespace or "actual",
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    })  # fmt: skip
    return Tracer(BatchSpanProcessor(OTLPSpanExporter(endpoint)), ratio, resource)
