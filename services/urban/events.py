"""The events of urban, typed.

Written by `deptbus schemas generate` from schemas/urban/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class GatheringDetected(EventData, frozen=True):
    """A gathering that spreads the disease was seen or announced."""

    EVENT_TYPE: ClassVar[str] = "urban.GatheringDetected"
    VERSION: ClassVar[int] = 1

    gathering: str
    """The gathering; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    place: str
    """Where."""
    people: int
    """People there or expected."""
    detected_at: Timestamp
    """When."""


class PublicityCarriedOut(EventData, frozen=True):
    """Publicity and community control were carried out."""

    EVENT_TYPE: ClassVar[str] = "urban.PublicityCarriedOut"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    communities: int
    """Communities reached."""
    channels: tuple[str, ...]
    """By what means."""


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
    """Urban management has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "urban.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
