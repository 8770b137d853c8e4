"""The events of warning, typed.

Written by `deptbus schemas generate` from schemas/warning/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, RecordData, Timestamp

AlertStatus: TypeAlias = Literal["Actual", "Exercise", "System", "Test", "Draft"]
"""Whether it is meant."""

AlertMessageType: TypeAlias = Literal["Alert", "Update", "Cancel", "Ack", "Error"]
"""An Update supersedes what it references, a Cancel ends it."""

AlertScope: TypeAlias = Literal["Public", "Restricted", "Private"]
"""For whom it is."""


class AlertReference(RecordData, frozen=True):
    """An earlier alert."""

    sender: str
    """Its sender."""
    identifier: str
    """Its identifier."""
    sent: str
    """When it was sent, ISO 8601 with offset."""


AlertCategory: TypeAlias = Literal[
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
]
"""Kind of hazard."""

AlertResponse: TypeAlias = Literal[
    "Shelter",
    "Evacuate",
    "Prepare",
    "Execute",
    "Avoid",
    "Monitor",
    "Assess",
    "AllClear",
    "None",
]
"""What to do."""

AlertUrgency: TypeAlias = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
"""How soon to act (CAP)."""

AlertSeverity: TypeAlias = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
"""How great the threat is (CAP)."""

AlertCertainty: TypeAlias = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
"""How sure it is (CAP)."""


class NamedValue(RecordData, frozen=True):
    """A name and what it stands for there, such as SAME = SVR."""

    name: str
    """CAP valueName."""
    value: str
    """CAP value."""


class AlertResource(RecordData, frozen=True):
    """A file that belongs to the alert."""

    description: str
    """CAP resourceDesc."""
    mime_type: str | None = None
    """Its media type; in CAP 1.1 it may be missing."""
    size: int | None = None
    """Its size, bytes."""
    uri: str | None = None
    """Where it is."""
    deref_uri: str | None = None
    """Its content in base64."""
    digest: str | None = None
    """Its SHA-1, as the alert gives it."""


class GeoPoint(RecordData, frozen=True):
    """A place in WGS 84."""

    latitude: float
    """Degrees north, -90 to 90."""
    longitude: float
    """Degrees east, -180 to 180."""


class GeoCircle(RecordData, frozen=True):
    """A circle on the ground."""

    centre: GeoPoint
    """Its centre."""
    radius_km: float
    """Its radius, kilometres."""


class AlertArea(RecordData, frozen=True):
    """Where: the union of its polygons, circles and codes."""

    description: str
    """CAP areaDesc."""
    polygons: tuple[tuple[GeoPoint, ...], ...]
    """Each closed: its first point is its last."""
    circles: tuple[GeoCircle, ...]
    """CAP circle."""
    geocodes: tuple[NamedValue, ...]
    """Codes of the area, each with the list that it is from."""
    altitude: float | None = None
    """Lowest altitude concerned, feet above mean sea level."""
    ceiling: float | None = None
    """Highest altitude concerned, feet above mean sea level."""


class AlertInfo(RecordData, frozen=True):
    """What an alert says in one language."""

    language: str
    """RFC 3066 tag; en-US where the alert names none."""
    categories: tuple[AlertCategory, ...]
    """At least one."""
    event: str
    """The event, in words."""
    response_types: tuple[AlertResponse, ...]
    """What to do."""
    urgency: AlertUrgency
    """How soon to act."""
    severity: AlertSeverity
    """How great the threat is."""
    certainty: AlertCertainty
    """How sure it is."""
    audience: str | None = None
    """For whom."""
    event_codes: tuple[NamedValue, ...]
    """Codes of the event, each with the list that it is from."""
    effective: str | None = None
    """From when the information holds, ISO 8601 with offset."""
    onset: str | None = None
    """When the event is expected to begin, ISO 8601 with offset."""
    expires: str | None = None
    """Until when the information holds, ISO 8601 with offset."""
    sender_name: str | None = None
    """Who issues it, in words."""
    headline: str | None = None
    """The headline."""
    description: str | None = None
    """What happens."""
    instruction: str | None = None
    """What to do, in words."""
    web: str | None = None
    """Where to read more."""
    contact: str | None = None
    """Whom to ask."""
    parameters: tuple[NamedValue, ...]
    """What the sender adds, such as the warning colour."""
    resources: tuple[AlertResource, ...]
    """Files."""
    areas: tuple[AlertArea, ...]
    """Where."""


WarningColour: TypeAlias = Literal["blue", "yellow", "orange", "red"]
"""Colour of a warning, red (highest) to blue. Not the event's grade and not the response level."""

EventGrade: TypeAlias = Literal["IV", "III", "II", "I"]
"""Grade of an event, I (特别重大, gravest) to IV (一般). Not the warning colour and not the response level.
"""

ResponseLevel: TypeAlias = Literal["IV", "III", "II", "I"]
"""Response level of an emergency, I (一级, highest) to IV (四级). Not the event grade and not the warning
colour.
"""


class WarningId(RecordData, frozen=True):
    """A warning number of the national release system (12379), taken apart."""

    region: str
    """GB/T 2260 code of the issuer's region."""
    organisation: str
    """GB/T 4657 code of the kind of organisation, three digits."""
    unit: str
    """The unit, three digits; 000 where there is none."""
    extension: str
    """Two digits; 00 where there is none."""
    issued_at: Timestamp
    """When it was numbered; in the number it is Beijing time."""
    sequence: int
    """The last digit: one of several numbered in the same second."""


SignatureVerdict: TypeAlias = Literal["none", "valid", "invalid", "unverifiable"]
"""What checking the XML signature has shown."""


class AlertReceived(EventData, frozen=True):
    """An alert of another system (CAP 1.1 or 1.2) was received and read."""

    EVENT_TYPE: ClassVar[str] = "warning.AlertReceived"
    VERSION: ClassVar[int] = 1

    identifier: str
    """CAP identifier: the sender's number of the alert."""
    sender: str
    """CAP sender."""
    sent: str
    """CAP sent: ISO 8601 with offset."""
    sent_at: Timestamp
    """The same as a time: of two messages of a chain the one sent later counts, whichever arrives first."""
    cap_version: str
    """1.1 or 1.2."""
    status: AlertStatus
    """Whether it is meant."""
    message_type: AlertMessageType
    """CAP msgType."""
    source: str | None = None
    """Where the sender has it from."""
    scope: AlertScope
    """For whom it is."""
    restriction: str | None = None
    """The rule by which a restricted alert is passed on."""
    addresses: tuple[str, ...]
    """To whom a private alert goes."""
    codes: tuple[str, ...]
    """Marks of special handling, such as the profile."""
    note: str | None = None
    """What the alert is for, in words."""
    references: tuple[AlertReference, ...]
    """The earlier alerts that it supersedes, cancels or answers."""
    reference: str
    """The identifier of the first of them; empty if there is none."""
    incidents: tuple[str, ...]
    """Names of the incidents that it belongs to."""
    infos: tuple[AlertInfo, ...]
    """What it says, by language; a Cancel may say nothing."""
    region: str | None = None
    """GB/T 2260 code of the smallest region that contains all areas, from their codes or else from the
    warning number.
    """
    regions: str
    """GB/T 2260 codes of all areas, separated by spaces; may be empty."""
    category: str
    """The first category of the first info; this and what follows is empty where there is no info."""
    event: str
    """The event of the first info."""
    headline: str
    """The headline of the first info."""
    urgency: str
    """The urgency of the first info."""
    severity: str
    """The severity of the first info."""
    certainty: str
    """The certainty of the first info."""
    colour: WarningColour | None = None
    """The warning's colour, where the alert gives it."""
    grade: EventGrade | None = None
    """The event's grade, where the alert gives it."""
    level: ResponseLevel | None = None
    """The response level, where the alert gives it."""
    warning_id: WarningId | None = None
    """The identifier taken apart, where it is a warning number."""
    signature: SignatureVerdict
    """What checking the XML signature has shown."""
    signature_reason: str | None = None
    """Why it is invalid or cannot be verified, or by whose key it is valid."""
    source_file: str
    """The file's name."""
    source_hash: str
    """SHA-256 of the file, hexadecimal."""


Disposition: TypeAlias = Literal[
    "acknowledged",
    "accepted",
    "committed",
    "declined",
    "progressed",
    "completed",
]
"""What a department says of a task: seen, taken on, bound to give it, refused, under way, done."""


class TaskAnswered(EventData, frozen=True):
    """The warning centre has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "warning.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
