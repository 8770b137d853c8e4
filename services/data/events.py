"""The events of data, typed.

Written by `deptbus schemas generate` from schemas/data/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData

ObjectionKind: TypeAlias = Literal["decreasing_total", "missing_code"]
"""decreasing_total: a cumulative figure went down; missing_code: the row has no city code."""


class ObjectionRaised(EventData, frozen=True):
    """The data authority objects to a reported figure."""

    EVENT_TYPE: ClassVar[str] = "data.ObjectionRaised"
    VERSION: ClassVar[int] = 1

    objection: str
    """The objection; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    kind: ObjectionKind
    """What is wrong."""
    province: str
    """GB/T 2260 code of the province."""
    city: str
    """The city's name as reported."""
    date: str
    """The day, ISO 8601, in China Standard Time."""
    value: int
    """The figure."""
    previous: int | None = None
    """The city's figure before, if there was one."""
    source_reference: str
    """Where the figure stands: file and line."""


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
    """The data authority has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "data.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
