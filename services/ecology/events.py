"""The events of ecology, typed.

Written by `deptbus schemas generate` from schemas/ecology/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp

WarningColour: TypeAlias = Literal["blue", "yellow", "orange", "red"]
"""Colour of a warning, red (highest) to blue. Not the event's grade and not the response level."""


class PlumeUpdated(EventData, frozen=True):
    """Where the cloud drifts was computed again."""

    EVENT_TYPE: ClassVar[str] = "ecology.PlumeUpdated"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    regions: str
    """Codes of the districts that it touches, separated by spaces; empty once it is gone."""
    radius_m: int
    """Distance from the source up to which people are in danger, in metres."""
    people: int
    """People who live there."""
    colour: WarningColour
    """Colour of the warning."""
    direction: str
    """Whither it drifts, such as NE."""
    computed_at: Timestamp
    """When."""


class ReadingTaken(EventData, frozen=True):
    """The environment was measured at an incident."""

    EVENT_TYPE: ClassVar[str] = "ecology.ReadingTaken"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    substance: str
    """What was measured."""
    concentration_mg_m3: float
    """Highest concentration found, in milligrams per cubic metre."""
    normal: bool
    """Whether all readings are within the limits."""
    taken_at: Timestamp
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
    """An ecology authority has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "ecology.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""


class WaterMeasured(EventData, frozen=True):
    """Drinking water and rivers were measured after an incident."""

    EVENT_TYPE: ClassVar[str] = "ecology.WaterMeasured"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    places: int
    """Places measured."""
    safe: bool
    """Whether all are within the limits."""
    measured_at: Timestamp
    """When."""
