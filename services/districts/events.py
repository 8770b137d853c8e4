"""The events of districts, typed.

Written by `deptbus schemas generate` from schemas/districts/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class BulletinPublished(EventData, frozen=True):
    """A district has published a bulletin on the epidemic."""

    EVENT_TYPE: ClassVar[str] = "districts.BulletinPublished"
    VERSION: ClassVar[int] = 1

    bulletin: str
    """The bulletin's number."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    title: str
    """Its title."""
    published_at: Timestamp
    """When."""


class ShelterOpened(EventData, frozen=True):
    """A district takes evacuated people in."""

    EVENT_TYPE: ClassVar[str] = "districts.ShelterOpened"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    shelter: str
    """The shelter."""
    places: int
    """People whom it can take in."""
    opened_at: Timestamp
    """When."""


class SheltersClosed(EventData, frozen=True):
    """A district has closed its shelters, and the people are home again."""

    EVENT_TYPE: ClassVar[str] = "districts.SheltersClosed"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    people: int
    """People who went home."""
    closed_at: Timestamp
    """When."""


class SiteReady(EventData, frozen=True):
    """An isolation site takes people in."""

    EVENT_TYPE: ClassVar[str] = "districts.SiteReady"
    VERSION: ClassVar[int] = 1

    site: str
    """The site."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    rooms: int
    """Rooms that are ready."""


class SiteRequisitioned(EventData, frozen=True):
    """A district has requisitioned a building for isolation."""

    EVENT_TYPE: ClassVar[str] = "districts.SiteRequisitioned"
    VERSION: ClassVar[int] = 1

    site: str
    """The site; unique."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    name: str
    """What the building is called."""
    rooms: int
    """Rooms."""
    order: str
    """Number of the requisition order."""


class SitesReleased(EventData, frozen=True):
    """All isolation sites of an incident went back to their owners."""

    EVENT_TYPE: ClassVar[str] = "districts.SitesReleased"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    note: str
    """On return and compensation, in words."""


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
    """A district or county has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "districts.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""
