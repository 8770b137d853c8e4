"""The events of cdc, typed.

Written by `deptbus schemas generate` from schemas/cdc/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class CaseConfirmed(EventData, frozen=True):
    """A reported case was verified and is one."""

    EVENT_TYPE: ClassVar[str] = "cdc.CaseConfirmed"
    VERSION: ClassVar[int] = 1

    case: str
    """The case, by the number of its report card."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    method: str
    """How it was verified."""
    verified_at: Timestamp
    """When."""


class CaseDiscarded(EventData, frozen=True):
    """A reported case was verified and is none, or a confirmed case was taken back."""

    EVENT_TYPE: ClassVar[str] = "cdc.CaseDiscarded"
    VERSION: ClassVar[int] = 1

    case: str
    """The case, by the number of its report card."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    retracts: bool = False
    """Whether it had been confirmed before."""
    reason: str
    """Why it is none."""
    verified_at: Timestamp
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
    """The centre for disease control has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "cdc.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
