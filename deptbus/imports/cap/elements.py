"""What an alert consists of, as tables: each element's name, how often it may stand, and what it holds, in order.

Sources: the data dictionaries and XML schemas of CAP 1.1 and CAP 1.2. CAP 1.2 added the responses Avoid and AllClear,
made a resource's media type mandatory, and fixed the form of times.
"""

from dataclasses import dataclass, field

from deptbus.imports.cap import values
from deptbus.imports.cap.values import Reader, one_of

CAP_11 = "urn:oasis:names:tc:emergency:cap:1.1"
CAP_12 = "urn:oasis:names:tc:emergency:cap:1.2"
CAP_10 = "http://www.incident.com/cap/1.0"


@dataclass(frozen=True, slots=True)
class Element:
    """One element: either ``read`` makes a value of its text, or it holds ``children`` in this order."""

    name: str
    least: int = 0
    """0, or 1 for a mandatory one."""
    many: bool = False
    read: Reader = values.text
    children: tuple["Element", ...] = field(default=())
    may_be_empty: bool = True
    """Whether an empty one says as much as none; otherwise its reader judges it."""


def _must(name: str, read: Reader = values.something, *, many: bool = False) -> Element:
    return Element(name, 1, many, read, may_be_empty=False)


_LANGUAGE = Element("language", read=values.language, may_be_empty=False)
"""Its reader judges an empty one, for one of spaces alone is no empty one to the schema."""


def _may(name: str, read: Reader = values.text, *, many: bool = False) -> Element:
    return Element(name, 0, many, read)


def _strict(name: str, read: Reader, *, many: bool = False) -> Element:
    """Optional, but never empty."""
    return Element(name, 0, many, read, may_be_empty=False)


def _pair(name: str) -> Element:
    """A name and a value; both may be empty, as the schema has it."""
    return Element(name, many=True, children=(Element("valueName", 1), Element("value", 1)))


STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
MESSAGE_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
CATEGORIES = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
RESPONSES_11 = ("Shelter", "Evacuate", "Prepare", "Execute", "Monitor", "Assess", "None")
RESPONSES_12 = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")


def _alert(responses: tuple[str, ...], time: Reader, mime_type: Element) -> tuple[Element, ...]:
    resource = Element("resource", many=True, children=(
        _must("resourceDesc"), mime_type, _strict("size", values.size), _may("uri"), _may("derefUri"), _may("digest"),
    ))  # fmt: skip
    area = Element("area", many=True, children=(
        _must("areaDesc"), _strict("polygon", values.polygon, many=True), _strict("circle", values.circle, many=True),
        _pair("geocode"), _strict("altitude", values.decimal), _strict("ceiling", values.decimal),
    ))  # fmt: skip
    info = Element("info", many=True, children=(
        _LANGUAGE, _must("category", one_of(*CATEGORIES), many=True), _must("event"),
        _strict("responseType", one_of(*responses), many=True), _must("urgency", one_of(*URGENCIES)),
        _must("severity", one_of(*SEVERITIES)), _must("certainty", one_of(*CERTAINTIES)), _may("audience"),
        _pair("eventCode"), _strict("effective", time), _strict("onset", time), _strict("expires", time),
        _may("senderName"), _may("headline"), _may("description"), _may("instruction"), _may("web"), _may("contact"),
        _pair("parameter"), resource, area,
    ))  # fmt: skip
    return (
        _must("identifier", values.identifier), _must("sender", values.identifier), _must("sent", time),
        _must("status", one_of(*STATUS)), _must("msgType", one_of(*MESSAGE_TYPES)), _may("source"),
        _must("scope", one_of(*SCOPES)), _may("restriction"), _may("addresses", values.words),
        _may("code", many=True), _may("note"), _strict("references", values.references(time)),
        _may("incidents", values.words), info,
    )  # fmt: skip


ALERTS = {
    CAP_11: _alert(RESPONSES_11, values.time_11, _may("mimeType")),
    CAP_12: _alert(RESPONSES_12, values.time_12, _must("mimeType")),
}
"""The children of ``alert`` by namespace."""
VERSIONS = {CAP_11: "1.1", CAP_12: "1.2"}
