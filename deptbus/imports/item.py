"""What an import brings in: dated events with derived ids, and what could not be read."""

from dataclasses import dataclass
from typing import Any

ACTOR = "import"


@dataclass(frozen=True, slots=True)
class Item:
    """One event of the past, as the department that is its source publishes it."""

    at_ms: int
    """Its date, milliseconds since the epoch."""
    department: str
    type: str
    id: str
    """Derived from its source reference: brought in twice it is the same event."""
    data: dict[str, Any]
    subject: str
    region: str | None
    basis: str
    mode: str | None = None
    """``ce_mode`` of an event that is not meant; None for that of the world."""
    actor: str = ACTOR
    """Who acted, for the envelope."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or row that could not be used, or not as it stands."""

    file: str
    line: int | None
    """From 1, the header's; None for the file as a whole."""
    reason: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.reason}."
