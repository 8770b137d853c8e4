"""Publishing: who may write where, what the key is, and the envelope around the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from deptbus.catalogue import BUS_OWNERS, Catalogue
from deptbus.clock import Clock
from deptbus.codec import Codec
from deptbus.envelope import Envelope, Headers, to_headers
from deptbus.errors import CodecError, NotOwner
from deptbus.ids import IdSource
from deptbus.namespace import Namespace
from deptbus.outcome import Pending
from deptbus.record import Event
from deptbus.transport import Sender

OPEN_TOPICS = frozenset({"bus.progress", "bus.deadletters", "bus.audit"})
"""Every service may append to these (I9)."""


class EventObject(Protocol):
    """An instance of a generated event class."""

    def to_data(self) -> dict[str, Any]:
        """The Avro record's dict."""


EventData = Mapping[str, Any] | EventObject
"""What is published: the Avro record's dict, or an event object."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event ready to be sent."""

    envelope: Envelope
    topic: str
    key: bytes | None
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class _Route:
    """What is the same for all events of one type."""

    topic: str
    key: str
    classification: str
    dataschema: str


class Publisher:
    """Turns data into events of ``owner`` and hands them to a sender. ``process`` names one of the bus's own."""

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
    ) -> None:
        self.owner = owner
        self.source = f"/bus/{process or owner}" if owner in BUS_OWNERS else f"/departments/{owner}"
        self._catalogue = catalogue
        self._codec = codec
        self._sender = sender
        self._namespace = namespace
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
        trace_id, span_id = _trace(event_id, cause)
        if cause is not None:
            correlation_id = correlation_id or cause.envelope.correlationid
            mode = mode or cause.envelope.mode
        envelope = Envelope(
            id=event_id,
            type=event_type,
            source=self.source,
            time_ms=self._clock() if time_ms is None else time_ms,
            subject=subject,
            dataschema=route.dataschema,
            correlationid=correlation_id,
            causationid=cause.envelope.id if cause else None,
            legalbasis=legal_basis,
            actor=actor,
            mode=mode or self._namespace.mode,
            region=region,
            classification=route.classification,
            traceparent=f"00-{trace_id}-{span_id}-01",
        )
        if key is None:
            key = _key(route.key, envelope)
        return Prepared(
            envelope,
            route.topic,
            None if key is None else key.encode(),
            self._codec.encode(event_type, data if isinstance(data, Mapping) else data.to_data()),
            to_headers(envelope),
        )

    def send(self, prepared: Prepared) -> Pending:
        """Hand over what was prepared, without waiting."""
        return self._sender.send(prepared.topic, prepared.key, prepared.value, prepared.headers, prepared.envelope.id)

    def _route(self, event_type: str) -> _Route:
        topic = self._catalogue.topic_of(event_type)
        if not may_write(self.owner, topic.owner, topic.name):
            raise NotOwner(
                f"{self.owner} cannot publish {event_type}: its topic {topic.name} belongs to {topic.owner}. "
                f"Publish an event of your own (topics/{self.owner}.yaml) and let {topic.owner} react to it."
            )
        schema = self._codec.schema(event_type)
        route = _Route(topic.name, topic.key, topic.classification, f"urn:deptbus:{event_type}:v{schema.version}")
        self._routes[event_type] = route
        return route


def may_write(owner: str, topic_owner: str, topic: str) -> bool:
    """Whether ``owner`` may write a topic (I9)."""
    return owner == topic_owner or topic in OPEN_TOPICS or (owner in BUS_OWNERS and topic_owner in BUS_OWNERS)


def _key(kind: str, envelope: Envelope) -> str | None:
    """The key that a topic declares; where the envelope lacks it, the subject."""
    if kind == "none":
        return None
    found = {"instance": envelope.correlationid, "region": envelope.region, "actor": envelope.actor}.get(kind)
    return found or envelope.subject


def _trace(event_id: str, cause: Event | None) -> tuple[str, str]:
    """Trace and span id: the trace of the cause, else a new one; both follow from ids, so a retry repeats them."""
    digits = event_id.replace("-", "")
    if len(digits) != 32:
        raise CodecError("headers", f"the event id {event_id!r} is no UUID; take one from deptbus.ids")
    inherited = cause.envelope.traceparent if cause else None
    parts = inherited.split("-") if inherited else []
    return (parts[1] if len(parts) == 4 else digits), digits[16:]
