"""What a subscriber counts with: its bounds, and what became of the records of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deptbus.outcome import Pending
from deptbus.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a subscriber; times in milliseconds."""

    attempts_max: int = 3
    backoff_ms: int = 200
    backoff_max_ms: int = 5_000

    def pause_s(self, attempt: int) -> float:
        """The pause after attempt number ``attempt``, in seconds: doubles each time, up to the longest."""
        pause: int = min(self.backoff_ms * 2 ** (attempt - 1), self.backoff_max_ms)
        return pause / 1000


@dataclass(slots=True)
class Finished:
    """One record with nothing left to do but wait for these answers."""

    record: Record
    key: str | None = None
    outputs: Sequence[Pending] = ()
    letter: Pending | None = None


@dataclass(slots=True)
class Progress:
    """What became of one partition's part of a batch."""

    finished: list[Finished] = field(default_factory=list)
    error: BaseException | None = None
