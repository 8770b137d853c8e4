"""What a subscriber counts with: its bounds, and what became of the records of a batch."""

from dataclasses import dataclass, field

from deptbus.blocked import why_unwritten
from deptbus.outcome import Pending
from deptbus.record import Record
from deptbus.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a subscriber; times in milliseconds."""

    attempts_max: int = 3
    backoff_ms: int = 200
    backoff_max_ms: int = 5_000
    inbox_max: int = 100_000
    """Handled events that the process remembers."""

    def pause_s(self, attempt: int) -> float:
        """The pause after attempt number ``attempt``, in seconds: doubles each time, up to the longest."""
        pause: int = min(self.backoff_ms * 2 ** (attempt - 1), self.backoff_max_ms)
        return pause / 1000


@dataclass(slots=True, eq=False)
class Finished:
    """One record with nothing left for one service to do but wait for these answers."""

    record: Record
    service: Service
    key: str | None = None
    outputs: list[Pending] = field(default_factory=list)
    letter: Pending | None = None

    def unknown(self) -> Pending | None:
        """An output of which nobody knows whether it is on its topic."""
        return next((p for p in self.outputs if p.outcome and p.outcome.state == "unknown"), None)

    def unwritten(self) -> str | None:
        """Why the dead letter is not written, if it is not."""
        return None if self.letter is None else why_unwritten(self.letter)


@dataclass(slots=True)
class Progress:
    """What became of one partition's part of a batch."""

    reached: int | None = None
    """The offset after the last record that was handled."""
    waiting: list[Finished] = field(default_factory=list)
    """What waits for answers, in the order of the records."""
    error: BaseException | None = None
