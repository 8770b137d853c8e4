"""The events of emergency, typed.

Written by `deptbus schemas generate` from schemas/emergency/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class CasualtiesUpdated(EventData, frozen=True):
    """The casualties of an incident were counted again; all numbers are totals."""

    EVENT_TYPE: ClassVar[str] = "emergency.CasualtiesUpdated"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    workflow: str
    """The workflow that the incident runs, such as leak or flood."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    dead: int
    """Dead."""
    severe: int
    """Severely injured or poisoned, the dead not counted."""
    injured: int
    """Injured in all, the severely injured among them."""
    missing: int
    """Missing or trapped."""
    counted_at: Timestamp
    """When they were counted."""


EventGrade: TypeAlias = Literal["IV", "III", "II", "I"]
"""Grade of an event, I (特别重大, gravest) to IV (一般). Not the warning colour and not the response level.
"""


class IncidentReported(EventData, frozen=True):
    """An emergency authority has reported an incident to the next level."""

    EVENT_TYPE: ClassVar[str] = "emergency.IncidentReported"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    authority: str
    """To whom: the authority at the next level."""
    grade: EventGrade
    """The grade so far."""
    dead: int
    """Dead so far."""
    injured: int
    """Injured so far."""
    reported_at: Timestamp
    """When."""


class ResourceCommitted(EventData, frozen=True):
    """An emergency authority has bound itself to send what was requested (EDXL-RM: commit)."""

    EVENT_TYPE: ClassVar[str] = "emergency.ResourceCommitted"
    VERSION: ClassVar[int] = 1

    request: str
    """The request."""
    region: str
    """GB/T 2260 code of the region that gives it, six digits."""
    resource: str
    """What it sends."""
    quantity: int
    """How much."""
    supplier: str
    """Who supplies it."""
    arrive_by: Timestamp
    """Until when it is there."""


class ResourceDeclined(EventData, frozen=True):
    """An emergency authority cannot send what was requested (EDXL-RM: decline)."""

    EVENT_TYPE: ClassVar[str] = "emergency.ResourceDeclined"
    VERSION: ClassVar[int] = 1

    request: str
    """The request."""
    region: str
    """GB/T 2260 code of the region that was asked, six digits."""
    resource: str
    """What was requested."""
    quantity: int
    """How much."""
    reason: str
    """Why not."""


class ResourceDeployed(EventData, frozen=True):
    """What was committed is at work (EDXL-RM: deployment status)."""

    EVENT_TYPE: ClassVar[str] = "emergency.ResourceDeployed"
    VERSION: ClassVar[int] = 1

    request: str
    """The request."""
    region: str
    """GB/T 2260 code of the region that gave it, six digits."""
    resource: str
    """What it is."""
    quantity: int
    """How much."""
    deployed_at: Timestamp
    """Since when."""


class ResourceRequested(EventData, frozen=True):
    """An incident needs what its own region does not have (EDXL-RM: request)."""

    EVENT_TYPE: ClassVar[str] = "emergency.ResourceRequested"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    workflow: str
    """The workflow that the incident runs, such as leak or flood."""
    request: str
    """The request; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    of_region: str
    """GB/T 2260 code of the region that is asked, for mutual aid a neighbour's."""
    resource: str
    """What is needed."""
    quantity: int
    """How much."""
    needed_by: Timestamp
    """Until when."""


class ResourcesReleased(EventData, frozen=True):
    """What was deployed for an incident went back to those who gave it (EDXL-RM: release)."""

    EVENT_TYPE: ClassVar[str] = "emergency.ResourcesReleased"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    note: str
    """What went back, in words."""
    released_at: Timestamp
    """When."""


class SupplementReported(EventData, frozen=True):
    """The final casualties were reported after the time in which they may still change."""

    EVENT_TYPE: ClassVar[str] = "emergency.SupplementReported"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    dead: int
    """Dead."""
    injured: int
    """Injured in all."""
    reported_at: Timestamp
    """When."""


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
    """An emergency authority has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "emergency.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""


class ZoneSet(EventData, frozen=True):
    """The zones that are closed and cleared around an incident were laid down."""

    EVENT_TYPE: ClassVar[str] = "emergency.ZoneSet"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    regions: str
    """Codes of the districts that the zones touch, separated by spaces."""
    radius_m: int
    """Radius of the hot zone, in metres."""
    set_at: Timestamp
    """When."""
