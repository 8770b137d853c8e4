"""The events of weather, typed.

Written by `deptbus schemas generate` from schemas/weather/; change those, not this file.
"""

from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, Timestamp


class RainForecast(EventData, frozen=True):
    """The rain that is to be expected was forecast."""

    EVENT_TYPE: ClassVar[str] = "weather.RainForecast"
    VERSION: ClassVar[int] = 1

    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    millimetres: int
    """Expected rain, in millimetres."""
    hours: int
    """Over how many hours."""
    forecast_at: Timestamp
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
    """A weather service has said how it stands with a task that it was asked for."""

    EVENT_TYPE: ClassVar[str] = "weather.TaskAnswered"
    VERSION: ClassVar[int] = 1

    task: str
    """The task, which is the id of its TaskRequested event."""
    disposition: Disposition
    """How the task stands."""
    note: str | None = None
    """What the officer adds, in words."""


class WindReported(EventData, frozen=True):
    """The wind at an incident was reported."""

    EVENT_TYPE: ClassVar[str] = "weather.WindReported"
    VERSION: ClassVar[int] = 1

    incident: str
    """The incident: the correlation key of its instance."""
    region: str
    """GB/T 2260 code of the region concerned, six digits."""
    direction: str
    """Whence it blows, such as SW."""
    speed_m_s: int
    """Mean speed, in metres per second."""
    observed_at: Timestamp
    """When."""
