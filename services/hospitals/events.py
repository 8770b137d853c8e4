"""The events of hospitals, typed.

Written by `deptbus schemas generate` from schemas/hospitals/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, RecordData, Timestamp

FacilityStatus: TypeAlias = Literal["Normal", "Compromised", "Evacuating", "Closed"]
"""Whether the hospitals work as usual (EDXL-HAVE)."""

EmsStatus: TypeAlias = Literal["Normal", "Advisory", "Closed", "NotApplicable"]
"""Whether ambulances are taken in (EDXL-HAVE)."""

BedKind: TypeAlias = Literal[
    "AdultICU",
    "Burn",
    "MedicalSurgical",
    "NegativeFlowIsolation",
    "OtherIsolation",
    "OperatingRooms",
    "PediatricICU",
    "Pediatrics",
    "Psychiatric",
]
"""Kind of bed (EDXL-HAVE)."""


class BedCapacity(RecordData, frozen=True):
    """Beds of one kind."""

    kind: BedKind
    """Kind of bed."""
    baseline: int
    """Staffed beds in all."""
    available: int
    """Of these, free."""


class CapacityUpdated(EventData, frozen=True):
    """The hospitals of a region have reported their capacity (terms of EDXL-HAVE)."""

    EVENT_TYPE: ClassVar[str] = "hospitals.CapacityUpdated"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    facility_status: FacilityStatus
    """Whether they work as usual."""
    ems_status: EmsStatus
    """Whether ambulances are taken in."""
    beds: tuple[BedCapacity, ...]
    """Beds by kind."""
    reported_at: Timestamp
    """When it was counted."""


class ResourceShort(EventData, frozen=True):
    """Hospitals lack something that they cannot get by themselves (EDXL-RM: request)."""

    EVENT_TYPE: ClassVar[str] = "hospitals.ResourceShort"
    VERSION: ClassVar[int] = 1

    shortage: str
    """The shortage; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    resource: str
    """What is short."""
    quantity: int
    """How much is missing."""
    needed_by: Timestamp
    """Until when it is needed."""


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
    """A hospital has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "hospitals.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
