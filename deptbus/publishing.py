"""Publishing: who may write where, what the key is, and the envelope around the data."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from deptbus.catalogue import BUS_OWNERS, Catalogue
from deptbus.clock import Clock
from deptbus.codec import Codec
from deptbus.envelope import Headers, Stamp
from deptbus.errors import CodecError, NotOwner
from deptbus.ids import IdSource
from deptbus.namespace import Namespace
from deptbus.observe.counting import PROCESS, Count
from deptbus.observe.names import PUBLISHED
from deptbus.outcome import Pending
from deptbus.record import Event
from deptbus.transport import Sender

if TYPE_CHECKING:
    from deptbus.observe.tracing import Tracer, Work

_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

OPEN_TOPICS = frozenset({"bus.progress", "bus.deadletters", "bus.audit"})
"""Every service may append to these (I9)."""
CHAINED = frozenset({"bus.audit"})
"""To these only through their recorder, which knows the record before: ``bootstrap.open_auditor`` (I9)."""


class EventObject(Protocol):
    """An instance of a generated event class."""

    def to_data(self) -> dict[str, Any]:
        """The Avro record's dict."""


EventData = Mapping[str, Any] | EventObject
"""What is published: the Avro record's dict, or an event object."""


class Prepared(NamedTuple):
    """An event ready to be sent."""

    id: str
    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    sent: Count
    """How many of its type were handed over."""
    cause: str | None
    """The traceparent of what it follows from."""


class _Route(NamedTuple):
    """What is the same for all events of one type."""

    topic: str
    key: str
    stamp: Stamp
    sent: Count


class Publisher:
    """Turns data into events of ``owner`` and hands them to a sender. ``process`` names one of the bus's own.

    ``tracer`` records the publishes of a share of all traces, where there is one.
    """

    def __init__(
        self,
        owner: str,
        catalogue: Catalogue,
        codec: Codec,
        sender: Sender,
        *,
        namespace: Namespace,
        clock: Clock,
        ids: IdSource,
        process: str | None = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.owner = owner
        self.source = source_of(owner, process)
        self.tracer = None if owner == "bus" else tracer  # reports, ticks and letters are no part of what happens
        self._catalogue = catalogue
        self._codec = codec
        self._sender = sender
        self._mode = namespace.mode
        self._clock = clock
        self._ids = ids
        self._routes: dict[str, _Route] = {}

    def prepare(
        self,
        event_type: str,
        data: EventData,
        *,
        subject: str,
        key: str | None = None,
        region: str | None = None,
        legal_basis: str | None = None,
        actor: str | None = None,
        time_ms: int | None = None,
        id: str | None = None,  # noqa: A002  # the name it has in the envelope
        cause: Event | None = None,
        correlation_id: str | None = None,
        mode: str | None = None,
    ) -> Prepared:
        """Check and encode. ``NotOwner``, ``CatalogueError`` (no such type) or ``CodecError`` (data do not fit)."""
        route = self._routes.get(event_type) or self._route(event_type)
        event_id = id or self._ids()
        digits = event_id.replace("-", "")
        if len(digits) != 32:
            raise CodecError("headers", f"the event id {event_id!r} is no UUID; take one from deptbus.ids")
        if cause is None:
            trace, cause_id, origin = digits, None, None
        else:
            origin = cause.envelope.traceparent
            trace, cause_id = trace_of(origin) or digits, cause.envelope.id
            correlation_id = correlation_id or cause.envelope.correlationid
            mode = mode or cause.envelope.mode
        if key is None:
            key = subject if route.key == "subject" else _key(route.key, subject, correlation_id, region, actor)
        return Prepared(
            event_id,
            route.topic,
            None if key is None else key.encode(),
            self._codec.encode(event_type, data if isinstance(data, (dict, Mapping)) else data.to_data()),
            route.stamp.headers(
                event_id,
                self._clock() if time_ms is None else time_ms,
                mode or self._mode,
                subject,
                correlationid=correlation_id,
                causationid=cause_id,
                legalbasis=legal_basis,
                actor=actor,
                region=region,
                # Trace and span follow from ids, so that a retry repeats them; 01 says that the publish is recorded.
                traceparent=f"00-{trace}-{digits[16:]}-{'01' if self.tracer and self.tracer.samples(trace) else '00'}",
            ),
            route.sent,
            origin,
        )

    def send(self, prepared: Prepared, partition: int = -1, within: "Work | None" = None) -> Pending:
        """Hand over what was prepared, without waiting; ``partition`` -1 leaves it to the key.

        ``within``: the span of what it was published in.
        """
        event_id, topic, key, value, headers, sent, cause = prepared
        sent.value += 1
        if self.tracer is None:
            return self._sender.send(topic, key, value, headers, event_id, partition)
        work = self.tracer.publishing(topic, event_id, headers[-1][1].decode(), cause, within)  # as Stamp puts it last
        pending = self._sender.send(topic, key, value, headers, event_id, partition)
        if work is not None:
            work.end_with(pending)
        return pending

    def _route(self, event_type: str) -> _Route:
        topic = self._catalogue.topic_of(event_type)
        if topic.name in CHAINED:
            raise NotOwner(
                f"{self.owner} cannot publish {event_type} like other events: {topic.name} is a chain of records. "
                "Record the act with bootstrap.open_auditor(settings, owner=…)."
            )
        if not may_write(self.owner, topic.owner, topic.name):
            raise NotOwner(
                f"{self.owner} cannot publish {event_type}: its topic {topic.name} belongs to {topic.owner}. "
                f"Publish an event of your own (topics/{self.owner}.yaml) and let {topic.owner} react to it."
            )
        schema = self._codec.schema(event_type)
        dataschema = f"urn:deptbus:{event_type}:v{schema.version}"
        stamp = Stamp(event_type, self.source, dataschema, topic.classification)
        route = _Route(topic.name, topic.key, stamp, PROCESS.count(PUBLISHED, event_type))
        self._routes[event_type] = route
        return route


def source_of(owner: str, process: str | None = None) -> str:
    """What an owner's events name as their source (``ce_source``)."""
    return f"/bus/{process or owner}" if owner in BUS_OWNERS else f"/departments/{owner}"


def may_write(owner: str, topic_owner: str, topic: str) -> bool:
    """Whether ``owner`` may write a topic (I9)."""
    return owner == topic_owner or topic in OPEN_TOPICS or (owner in BUS_OWNERS and topic_owner in BUS_OWNERS)


def _key(kind: str, subject: str, instance: str | None, region: str | None, actor: str | None) -> str | None:
    """The key that a topic declares; where the event lacks it, the subject."""
    if kind == "none":
        return None
    return {"instance": instance, "region": region, "actor": actor}.get(kind) or subject


def trace_of(traceparent: str | None) -> str | None:
    """The trace that a traceparent names; None where it is none."""
    return traceparent[3:35] if traceparent is not None and _TRACEPARENT.fullmatch(traceparent) else None
