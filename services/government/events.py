"""The events of government, typed.

Written by `deptbus schemas generate` from schemas/government/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData


class AlertCancelled(EventData, frozen=True):
    """The competent government has ended the response and cancelled its alerts (CAP 1.2: Cancel)."""

    EVENT_TYPE: ClassVar[str] = "government.AlertCancelled"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    alert_sender: str
    """CAP sender."""
    alert_identifier: str
    """CAP identifier of the Cancel."""
    alert_sent: str
    """CAP sent: ISO 8601 with offset."""
    references: str
    """The alerts cancelled, each sender,identifier,sent, separated by spaces; may be empty."""


class BanApproved(EventData, frozen=True):
    """The government at the next level has approved that a gathering be forbidden."""

    EVENT_TYPE: ClassVar[str] = "government.BanApproved"
    VERSION: ClassVar[int] = 1

    gathering: str
    """The gathering."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    approval: str
    """Number of the approval."""


class BanRejected(EventData, frozen=True):
    """The government at the next level has not approved that a gathering be forbidden."""

    EVENT_TYPE: ClassVar[str] = "government.BanRejected"
    VERSION: ClassVar[int] = 1

    gathering: str
    """The gathering."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reason: str
    """Why not."""


class DischargeApproved(EventData, frozen=True):
    """The government at the next level has approved the discharge of a reservoir."""

    EVENT_TYPE: ClassVar[str] = "government.DischargeApproved"
    VERSION: ClassVar[int] = 1

    reservoir: str
    """The reservoir."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    approval: str
    """Number of the approval."""


class DischargeRejected(EventData, frozen=True):
    """The government at the next level has not approved the discharge of a reservoir."""

    EVENT_TYPE: ClassVar[str] = "government.DischargeRejected"
    VERSION: ClassVar[int] = 1

    reservoir: str
    """The reservoir."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reason: str
    """Why not."""


class EvacuationApproved(EventData, frozen=True):
    """The government at the next level has approved an evacuation beyond the usual radius."""

    EVENT_TYPE: ClassVar[str] = "government.EvacuationApproved"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    approval: str
    """Number of the approval."""


class EvacuationRejected(EventData, frozen=True):
    """The government at the next level has not approved an evacuation beyond the usual radius."""

    EVENT_TYPE: ClassVar[str] = "government.EvacuationRejected"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reason: str
    """Why not."""


ResponseLevel: TypeAlias = Literal["IV", "III", "II", "I"]
"""Response level of an emergency, I (一级, highest) to IV (四级). Not the event grade and not the warning
colour.
"""

WarningColour: TypeAlias = Literal["blue", "yellow", "orange", "red"]
"""Colour of a warning, red (highest) to blue. Not the event's grade and not the response level."""

EventGrade: TypeAlias = Literal["IV", "III", "II", "I"]
"""Grade of an event, I (特别重大, gravest) to IV (一般). Not the warning colour and not the response level.
"""

AlertUrgency: TypeAlias = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
"""How soon to act (CAP)."""

AlertSeverity: TypeAlias = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
"""How great the threat is (CAP)."""

AlertCertainty: TypeAlias = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
"""How sure it is (CAP)."""


class LevelActivated(EventData, frozen=True):
    """The competent government has confirmed a response level and issued the alert (CAP 1.2: Alert or
    Update).
    """

    EVENT_TYPE: ClassVar[str] = "government.LevelActivated"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    level: ResponseLevel
    """The level."""
    alert_sender: str
    """CAP sender."""
    alert_identifier: str
    """CAP identifier."""
    alert_sent: str
    """CAP sent: ISO 8601 with offset."""
    colour: WarningColour | None = None
    """The warning's colour, where there is one."""
    grade: EventGrade | None = None
    """The event's grade, where it is known."""
    urgency: AlertUrgency = "Unknown"
    """How soon to act."""
    severity: AlertSeverity = "Unknown"
    """How great the threat is."""
    certainty: AlertCertainty = "Unknown"
    """How sure it is."""


class LevelRejected(EventData, frozen=True):
    """The competent government did not confirm a response level. The standing rule's level stays in force."""

    EVENT_TYPE: ClassVar[str] = "government.LevelRejected"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    level: ResponseLevel
    """The level."""
    reason: str
    """Why."""


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
    """A people's government has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "government.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
