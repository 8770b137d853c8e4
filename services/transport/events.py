"""The events of transport, typed.

Written by `deptbus schemas generate` from schemas/transport/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class CheckpointActivated(EventData, frozen=True):
    """A traffic checkpoint was put into operation."""

    EVENT_TYPE: ClassVar[str] = "transport.CheckpointActivated"
    VERSION: ClassVar[int] = 1

    checkpoint: str
    """The checkpoint; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    road: str
    """Where it stands."""
    activated_at: Timestamp
    """Since when."""


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
    """The transport department has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "transport.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""


class TrafficDiverted(EventData, frozen=True):
    """Traffic goes around a zone."""

    EVENT_TYPE: ClassVar[str] = "transport.TrafficDiverted"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    road: str
    """The road that is closed."""
    diverted_at: Timestamp
    """Since when."""


class TrafficRestored(EventData, frozen=True):
    """Traffic takes its usual ways again."""

    EVENT_TYPE: ClassVar[str] = "transport.TrafficRestored"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    restored_at: Timestamp
    """Since when."""
