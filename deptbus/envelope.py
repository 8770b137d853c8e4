"""The envelope: who, when, why and under what authority, in CloudEvents 1.0 Kafka headers (binary mode).

Routing and operations read these headers and never need to decode a value.
"""

from collections.abc import Iterable
from typing import NamedTuple

from deptbus.clock import from_iso, iso
from deptbus.errors import CodecError

CONTENT_TYPE = "application/avro"
MODES = ("actual", "exercise", "test")

Headers = list[tuple[str, bytes]]


class Envelope(NamedTuple):
    """What is said about an event besides its data. Attribute names are the CloudEvents names without ``ce_``."""

    id: str
    type: str
    """The Avro full name: ``health.CasesConfirmed``."""
    source: str
    """``/departments/<department id>``, or ``/bus/<process>`` for the bus's own."""
    time_ms: int
    """When it happened, by its producer; in exercises this is exercise time and decides."""
    subject: str | None = None
    dataschema: str | None = None
    correlationid: str | None = None
    """The instance: ``<workflow>/<key>/<n>``."""
    causationid: str | None = None
    legalbasis: str | None = None
    actor: str | None = None
    """The officer or process that acted."""
    mode: str = "actual"
    region: str | None = None
    classification: str | None = None
    replayid: str | None = None
    traceparent: str | None = None

    @property
    def department(self) -> str:
        """The producing department's id."""
        return self.source.rsplit("/", 1)[-1]


_KNOWN = frozenset({"ce_specversion", "traceparent", *(f"ce_{name.removesuffix('_ms')}" for name in Envelope._fields)})
_FIXED: Headers = [("ce_specversion", b"1.0"), ("content-type", CONTENT_TYPE.encode())]


class Stamp:
    """Writes headers. Made once for all events of one type from one source; the headers these share are kept ready."""

    __slots__ = ("_shared",)

    def __init__(self, type: str, source: str, dataschema: str | None, classification: str | None) -> None:  # noqa: A002  # as in CloudEvents
        self._shared = [*_FIXED, ("ce_type", type.encode()), ("ce_source", source.encode())]
        if dataschema is not None:
            self._shared.append(("ce_dataschema", dataschema.encode()))
        if classification is not None:
            self._shared.append(("ce_classification", classification.encode()))

    def headers(
        self,
        id: str,  # noqa: A002  # the names of the envelope
        time_ms: int,
        mode: str,
        subject: str | None = None,
        *,
        correlationid: str | None = None,
        causationid: str | None = None,
        legalbasis: str | None = None,
        actor: str | None = None,
        region: str | None = None,
        replayid: str | None = None,
        traceparent: str | None = None,
    ) -> Headers:
        """The Kafka headers of one event; the arguments are those of ``Envelope``."""
        headers = [
            *self._shared,
            ("ce_id", id.encode()),
            ("ce_time", iso(time_ms).encode()),
            ("ce_mode", mode.encode()),
        ]
        if subject is not None:
            headers.append(("ce_subject", subject.encode()))
        if correlationid is not None:
            headers.append(("ce_correlationid", correlationid.encode()))
        if causationid is not None:
            headers.append(("ce_causationid", causationid.encode()))
        if legalbasis is not None:
            headers.append(("ce_legalbasis", legalbasis.encode()))
        if actor is not None:
            headers.append(("ce_actor", actor.encode()))
        if region is not None:
            headers.append(("ce_region", region.encode()))
        if replayid is not None:
            headers.append(("ce_replayid", replayid.encode()))
        if traceparent is not None:
            headers.append(("ce_traceparent", traceparent.encode()))
        return headers


def to_headers(envelope: Envelope) -> Headers:
    """The Kafka headers of an envelope."""
    stamp = Stamp(envelope.type, envelope.source, envelope.dataschema, envelope.classification)
    return stamp.headers(
        envelope.id,
        envelope.time_ms,
        envelope.mode,
        envelope.subject,
        correlationid=envelope.correlationid,
        causationid=envelope.causationid,
        legalbasis=envelope.legalbasis,
        actor=envelope.actor,
        region=envelope.region,
        replayid=envelope.replayid,
        traceparent=envelope.traceparent,
    )


def type_in(headers: Iterable[tuple[str, bytes | None]] | None) -> str | None:
    """The event type in Kafka headers, without reading the others; None if it is missing or no text."""
    for name, value in headers or ():
        if name == "ce_type" and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def from_headers(headers: Iterable[tuple[str, bytes | None]] | None) -> Envelope:
    """The envelope in Kafka headers.

    Raises ``CodecError`` (reason ``headers``) when one that must be there is missing or cannot be read.
    """
    try:
        texts = {name: value.decode() for name, value in headers or () if value is not None and name in _KNOWN}
        get = texts.get
        if texts["ce_specversion"] != "1.0":
            raise CodecError("headers", f"ce_specversion is {texts['ce_specversion']!r}; only 1.0 is understood")
        mode = get("ce_mode", "actual")
        if mode not in MODES:
            raise CodecError("headers", f"ce_mode is {mode!r}; it must be one of {', '.join(MODES)}")
        return Envelope(
            texts["ce_id"],
            texts["ce_type"],
            texts["ce_source"],
            from_iso(texts["ce_time"]),
            get("ce_subject"),
            get("ce_dataschema"),
            get("ce_correlationid"),
            get("ce_causationid"),
            get("ce_legalbasis"),
            get("ce_actor"),
            mode,
            get("ce_region"),
            get("ce_classification"),
            get("ce_replayid"),
            get("ce_traceparent") or get("traceparent"),  # the second by producers that OpenTelemetry instruments
        )
    except KeyError as missing:
        raise CodecError(
            "headers", f"the header {missing.args[0]} is missing: this is not an event of the bus"
        ) from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise CodecError("headers", f"a header cannot be read: {error}") from None
