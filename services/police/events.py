"""The events of police, typed.

Written by `deptbus schemas generate` from schemas/police/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class BanIssued(EventData, frozen=True):
    """A gathering was forbidden."""

    EVENT_TYPE: ClassVar[str] = "police.BanIssued"
    VERSION: ClassVar[int] = 1

    gathering: str
    """The gathering."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    ban: str
    """Number of the decision."""
    issued_at: Timestamp
    """When."""


class CordonLifted(EventData, frozen=True):
    """A district's part of the hot zone is open again."""

    EVENT_TYPE: ClassVar[str] = "police.CordonLifted"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    lifted_at: Timestamp
    """When."""


class CordonSet(EventData, frozen=True):
    """A district's part of the hot zone is closed."""

    EVENT_TYPE: ClassVar[str] = "police.CordonSet"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    posts: int
    """Posts at which nobody is let in."""
    set_at: Timestamp
    """When."""


class GatheringDispersed(EventData, frozen=True):
    """A gathering is over."""

    EVENT_TYPE: ClassVar[str] = "police.GatheringDispersed"
    VERSION: ClassVar[int] = 1

    gathering: str
    """The gathering."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    people: int
    """People sent home."""
    dispersed_at: Timestamp
    """When."""


class PeopleEvacuated(EventData, frozen=True):
    """The people of a district who were in danger are out of it."""

    EVENT_TYPE: ClassVar[str] = "police.PeopleEvacuated"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    people: int
    """How many."""
    evacuated_at: Timestamp
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
    """Public security has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "police.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
