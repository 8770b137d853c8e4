"""The events of water, typed.

Written by `deptbus schemas generate` from schemas/water/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class DikeReinforced(EventData, frozen=True):
    """A danger at a dike was removed."""

    EVENT_TYPE: ClassVar[str] = "water.DikeReinforced"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    works: str
    """What was done, in words."""
    reinforced_at: Timestamp
    """When."""


class DikesPatrolled(EventData, frozen=True):
    """The dikes of a district were patrolled."""

    EVENT_TYPE: ClassVar[str] = "water.DikesPatrolled"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    kilometres: int
    """Length patrolled, in kilometres."""
    dangers: int
    """Dangers found."""
    patrolled_at: Timestamp
    """When."""


class DischargeProposed(EventData, frozen=True):
    """A reservoir has to discharge more than the river below it can take without danger."""

    EVENT_TYPE: ClassVar[str] = "water.DischargeProposed"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reservoir: str
    """The reservoir."""
    flow_m3_s: int
    """Discharge, in cubic metres per second."""
    reason: str
    """Why, in words."""
    proposed_at: Timestamp
    """When."""


WarningColour: TypeAlias = Literal["blue", "yellow", "orange", "red"]
"""Colour of a warning, red (highest) to blue. Not the event's grade and not the response level."""


class FloodWarned(EventData, frozen=True):
    """A flood of a river was warned of."""

    EVENT_TYPE: ClassVar[str] = "water.FloodWarned"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    river: str
    """The river."""
    regions: str
    """Codes of the districts in danger, separated by spaces."""
    colour: WarningColour
    """Colour of the warning."""
    warned_at: Timestamp
    """When."""


class IntakesClosed(EventData, frozen=True):
    """Water is no longer taken in where it may be polluted."""

    EVENT_TYPE: ClassVar[str] = "water.IntakesClosed"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    intakes: int
    """Intakes that were closed."""
    closed_at: Timestamp
    """When."""


class ReservoirDischarged(EventData, frozen=True):
    """A reservoir has opened its gates."""

    EVENT_TYPE: ClassVar[str] = "water.ReservoirDischarged"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reservoir: str
    """The reservoir."""
    flow_m3_s: int
    """Discharge, in cubic metres per second."""
    opened_at: Timestamp
    """When."""


class RiverStageUpdated(EventData, frozen=True):
    """The stage of a river was measured."""

    EVENT_TYPE: ClassVar[str] = "water.RiverStageUpdated"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    river: str
    """The river."""
    station: str
    """Where it was measured."""
    stage_cm: int
    """Stage, in centimetres above the gauge's zero."""
    warning_cm: int
    """Stage from which dikes are patrolled (警戒水位), in centimetres."""
    guarantee_cm: int
    """Stage up to which the dikes are built to hold (保证水位), in centimetres."""
    regions: str
    """Codes of the districts in danger, separated by spaces; empty once it has fallen."""
    measured_at: Timestamp
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
    """A water authority has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "water.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
