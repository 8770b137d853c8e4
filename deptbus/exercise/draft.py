"""What a simulated desk would publish: an event without the envelope's ids and times, which the exercise adds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Draft:
    """One event that a department publishes when it has done a task."""

    type: str
    """The event's type; the department must own its topic."""
    data: dict[str, Any]
    subject: str | None
    region: str | None
    basis: str
    """Legal basis, for the envelope."""
