"""The events of fire, typed.

Written by `deptbus schemas generate` from schemas/fire/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class LeakContained(EventData, frozen=True):
    """Fire and rescue have contained what escapes; the source itself may still leak."""

    EVENT_TYPE: ClassVar[str] = "fire.LeakContained"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    method: str
    """How: water curtain, foam, booms."""
    contained_at: Timestamp
    """When."""


class PeopleRescued(EventData, frozen=True):
    """Fire and rescue have brought people out of danger."""

    EVENT_TYPE: ClassVar[str] = "fire.PeopleRescued"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    people: int
    """How many."""
    rescued_at: Timestamp
    """When."""


class SourceControlled(EventData, frozen=True):
    """Nothing escapes any more."""

    EVENT_TYPE: ClassVar[str] = "fire.SourceControlled"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    method: str
    """How: plugged, transferred, burnt off."""
    controlled_at: Timestamp
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
    """A fire and rescue brigade has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "fire.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""


class WorkResumed(EventData, frozen=True):
    """Work at the source goes on."""

    EVENT_TYPE: ClassVar[str] = "fire.WorkResumed"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    resumed_at: Timestamp
    """Since when."""


class WorkSuspended(EventData, frozen=True):
    """Work at the source was suspended because of danger to the crews."""

    EVENT_TYPE: ClassVar[str] = "fire.WorkSuspended"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reason: str
    """The danger, in words."""
    suspended_at: Timestamp
    """Since when."""
