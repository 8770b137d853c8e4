"""The events of command, typed.

Written by `deptbus schemas generate` from schemas/command/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class AfterActionFiled(EventData, frozen=True):
    """The command post has filed the report on an incident that is over."""

    EVENT_TYPE: ClassVar[str] = "command.AfterActionFiled"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    report: str
    """Number of the report."""
    summary: str
    """What happened and what was learnt, in words."""
    filed_at: Timestamp
    """When."""


class AllClearGiven(EventData, frozen=True):
    """The command post has declared that the danger is over."""

    EVENT_TYPE: ClassVar[str] = "command.AllClearGiven"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    order: str
    """Number of the order."""
    given_at: Timestamp
    """When."""


Act: TypeAlias = Literal["open", "level", "reassign", "extend", "close", "merge", "split"]
"""open: open an instance; level: set the response level; reassign: give a task to another department; extend:
give it more time; close: close the instance; merge: put it under the command of another; split: let it be
commanded on its own again.
"""

ResponseLevel: TypeAlias = Literal["IV", "III", "II", "I"]
"""Response level of an emergency, I (一级, highest) to IV (四级). Not the event grade and not the warning
colour.
"""


class DirectiveIssued(EventData, frozen=True):
    """A commander has given an order to an instance; fields that the act does not need stay null."""

    EVENT_TYPE: ClassVar[str] = "command.DirectiveIssued"
    VERSION: ClassVar[int] = 1

    act: Act
    """What is ordered."""
    workflow: str
    """The workflow."""
    key: str
    """The correlation key of the instance."""
    task: str | None = None
    """reassign, extend: the task."""
    level: ResponseLevel | None = None
    """level: the level from now on."""
    to_department: str | None = None
    """reassign: the department from now on."""
    acknowledge_by: Timestamp | None = None
    """extend: the new time."""
    complete_by: Timestamp | None = None
    """extend: the new time."""
    into: str | None = None
    """merge: the instance that leads from now on, <workflow>/<key>/<n>."""
    reason: str
    """Why."""


class PlanSet(EventData, frozen=True):
    """The command post has laid down who does what in the incidents that it leads."""

    EVENT_TYPE: ClassVar[str] = "command.PlanSet"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    plan: str
    """Number of the plan."""
    set_at: Timestamp
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
    """The command post has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "command.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
