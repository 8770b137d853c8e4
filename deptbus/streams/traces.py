"""How traces go on through ``advance``: what it writes belongs to the trace of what it follows from.

What follows from nothing that was read, as an escalation when time has come, begins a trace of its own. The spans,
where they are recorded, are one for the batch, which links to the events in it, and one for each output, both up to a
bound.
"""

from typing import TYPE_CHECKING

from deptbus.publishing import trace_of
from deptbus.record import Record
from deptbus.streams.wiring import JOURNAL

if TYPE_CHECKING:
    from deptbus.observe.tracing import Tracer, Work

OUTPUTS_MAX = 64
"""Outputs of a batch that have a span of their own at most."""
_NAMES = ("ce_traceparent", "traceparent")


class Traces:
    """Traceparents by event id: of a batch, and in exercise time of all that waits for its step's tick."""

    def __init__(self, tracer: "Tracer | None") -> None:
        self._tracer = tracer
        self._known: dict[str, str] = {}
        self._read: list[str] = []
        """Of the events of the batch."""
        self._batch: Work | None = None
        self._outputs: list[Work] = []

    def begin(self, *, held: bool) -> None:
        """Another batch: what was known before counts no more, unless entries are ``held`` that are applied later."""
        if not held:
            self._known.clear()
        self._read.clear()
        self._outputs.clear()
        self._batch = None

    def add(self, event_id: str, record: Record) -> None:
        """An event of the batch, which stands in this entry of the journal."""
        found = traceparent(record)
        if found is not None:
            self._known[event_id] = found
            self._read.append(found)

    def read(self) -> None:
        """All events of the batch were added."""
        if self._tracer is not None and self._read:
            self._batch = self._tracer.batch("advance", JOURNAL, len(self._read), self._read)

    def next(self, event_id: str, cause: str | None, topic: str) -> str:
        """The traceparent of an output that follows from the event ``cause``."""
        digits = event_id.replace("-", "")
        origin = self._known.get(cause) if cause is not None else None
        trace = trace_of(origin) or digits
        if self._tracer is None or not self._tracer.samples(trace):
            made = f"00-{trace}-{digits[16:]}-00"
        else:
            made = f"00-{trace}-{digits[16:]}-01"
            if len(self._outputs) < OUTPUTS_MAX and (work := self._tracer.publishing(topic, event_id, made, origin)):
                self._outputs.append(work)
        self._known[event_id] = made
        return made

    def committed(self) -> None:
        """What was written so far stands."""
        for work in self._outputs:
            work.end()
        self._outputs.clear()
        if self._batch is not None:
            self._batch.end()
            self._batch = None


def traceparent(record: Record) -> str | None:
    """The traceparent in a record's headers, without reading the others; the last as we write them."""
    for name, value in reversed(record.headers):
        if name in _NAMES and value is not None:
            return value.decode(errors="replace")
    return None
