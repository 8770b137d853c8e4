"""The events of enterprises, typed.

Written by `deptbus schemas generate` from schemas/enterprises/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class AccidentReported(EventData, frozen=True):
    """The head of the enterprise has reported an accident to the county's emergency bureau."""

    EVENT_TYPE: ClassVar[str] = "enterprises.AccidentReported"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    report: str
    """Number of the report."""
    measures: str
    """What the enterprise has done so far, in words."""
    reported_at: Timestamp
    """When."""


class LeakReported(EventData, frozen=True):
    """Somebody at a plant has reported that a dangerous substance escapes."""

    EVENT_TYPE: ClassVar[str] = "enterprises.LeakReported"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident; unique. It becomes the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    enterprise: str
    """Whose plant it is, by name."""
    credit_code: str
    """The enterprise's 统一社会信用代码 (GB 32100)."""
    site: str
    """The tank, pipe or vehicle that leaks."""
    substance: str
    """What escapes, by its name in the list of dangerous chemicals."""
    un_number: int
    """Its UN number."""
    quantity_kg: int
    """How much may escape, in kilograms."""
    reported_at: Timestamp
    """When it was reported."""


class ProductionStopped(EventData, frozen=True):
    """An enterprise has stopped its plant and brought its people out."""

    EVENT_TYPE: ClassVar[str] = "enterprises.ProductionStopped"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    units: int
    """Units of the plant that were stopped."""
    people: int
    """People brought out."""
    stopped_at: Timestamp
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
    """An enterprise has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "enterprises.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
