"""The envelope: who, when, why and under what authority, in CloudEvents 1.0 Kafka headers (binary mode).

Routing and operations read these headers and never need to decode a value.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from deptbus.clock import from_iso, iso
from deptbus.errors import CodecError

CONTENT_TYPE = "application/avro"
MODES = ("actual", "exercise", "test")

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
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


# Header names, in the order in which they are written.
_OPTIONAL = (
    "subject", "dataschema", "correlationid", "causationid", "legalbasis", "actor", "region", "classification",
    "replayid", "traceparent",
)  # fmt: skip
_HEADER_OF = [(name, f"ce_{name}") for name in _OPTIONAL]
_FIXED: Headers = [("ce_specversion", b"1.0"), ("content-type", CONTENT_TYPE.encode())]


def to_headers(envelope: Envelope) -> Headers:
    """The Kafka headers of an envelope."""
    headers = [
        *_FIXED,
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", iso(envelope.time_ms).encode()),
        ("ce_mode", envelope.mode.encode()),
    ]
    for name, header in _HEADER_OF:
        value = getattr(envelope, name)
        if value is not None:
            headers.append((header, value.encode()))
    return headers


def from_headers(headers: Iterable[tuple[str, bytes | None]] | None) -> Envelope:
    """The envelope in Kafka headers.

    Raises ``CodecError`` (reason ``headers``) when one that must be there is missing or cannot be read.
    """
    found = {name: value for name, value in headers or () if value is not None}
    try:
        if found["ce_specversion"] != b"1.0":
            raise CodecError("headers", f"ce_specversion is {found['ce_specversion']!r}; only 1.0 is understood")
        mode = found.get("ce_mode", b"actual").decode()
        if mode not in MODES:
            raise CodecError("headers", f"ce_mode is {mode!r}; it must be one of {', '.join(MODES)}")
        return Envelope(
            id=found["ce_id"].decode(),
            type=found["ce_type"].decode(),
            source=found["ce_source"].decode(),
            time_ms=from_iso(found["ce_time"].decode()),
            mode=mode,
            **{name: found[header].decode() for name, header in _HEADER_OF if header in found},
        )
    except KeyError as missing:
        raise CodecError(
            "headers", f"the header {missing.args[0]} is missing: this is not an event of the bus"
        ) from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise CodecError("headers", f"a header cannot be read: {error}") from None
