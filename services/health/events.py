"""The events of health, typed.

Written by `deptbus schemas generate` from schemas/health/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class BedsPrepared(EventData, frozen=True):
    """Beds and medicines for the injured of an incident are ready."""

    EVENT_TYPE: ClassVar[str] = "health.BedsPrepared"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    beds: int
    """Beds kept free."""
    antidote: str
    """Medicines kept ready against what escaped."""
    prepared_at: Timestamp
    """When."""


class CaseReported(EventData, frozen=True):
    """A doctor or hospital has reported one suspected case, not yet verified."""

    EVENT_TYPE: ClassVar[str] = "health.CaseReported"
    VERSION: ClassVar[int] = 1

    case: str
    """The case, by the number of its report card."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    disease: str
    """The disease suspected, by its name in the statutory list."""
    facility: str
    """The hospital or clinic that reported it."""
    patient: str | None = None
    """The patient's name. Personal data."""
    patient_id: str | None = None
    """The patient's 身份证号 (GB 11643). Personal data."""
    onset_date: str | None = None
    """First day of symptoms, ISO 8601. Personal data."""
    reported_at: Timestamp
    """When the card was filled in."""


class CasesConfirmed(EventData, frozen=True):
    """New cases of a city were confirmed on a day, as a number."""

    EVENT_TYPE: ClassVar[str] = "health.CasesConfirmed"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    province: str
    """GB/T 2260 code of the province."""
    city: str
    """The city's name as reported."""
    count: int
    """New confirmed cases, at least 1."""
    total: int
    """Confirmed cases of the city up to that day."""
    date: str
    """The day, ISO 8601, in China Standard Time."""
    source_reference: str
    """Where the figure stands: file and line."""


class DecontaminationSet(EventData, frozen=True):
    """People can be decontaminated before they come to a hospital."""

    EVENT_TYPE: ClassVar[str] = "health.DecontaminationSet"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    stations: int
    """Stations set up."""
    set_at: Timestamp
    """When."""


Verdict: TypeAlias = Literal["corrected", "upheld", "withdrawn"]
"""corrected: the figure was wrong; upheld: it was right; withdrawn: it no longer counts."""


class FigureVerified(EventData, frozen=True):
    """A reported figure that the data authority objected to was verified."""

    EVENT_TYPE: ClassVar[str] = "health.FigureVerified"
    VERSION: ClassVar[int] = 1

    objection: str
    """The objection."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    outcome: Verdict
    """What became of the figure."""
    note: str
    """The finding, in words."""


class ResourceCommitted(EventData, frozen=True):
    """The health authority has bound itself to supply what is short (EDXL-RM: commit)."""

    EVENT_TYPE: ClassVar[str] = "health.ResourceCommitted"
    VERSION: ClassVar[int] = 1

    shortage: str
    """The shortage."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    resource: str
    """What is supplied."""
    quantity: int
    """How much."""
    supplier: str
    """Who supplies it."""
    deliver_by: Timestamp
    """Until when it is there."""


class ResourceDeclined(EventData, frozen=True):
    """The health authority cannot supply what is short (EDXL-RM: decline)."""

    EVENT_TYPE: ClassVar[str] = "health.ResourceDeclined"
    VERSION: ClassVar[int] = 1

    shortage: str
    """The shortage."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    reason: str
    """Why not."""


class ResourcesReleased(EventData, frozen=True):
    """Resources committed to an incident went back to those who supplied them (EDXL-RM: release)."""

    EVENT_TYPE: ClassVar[str] = "health.ResourcesReleased"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    note: str
    """What went back, in words."""


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
    """The health authority has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "health.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
