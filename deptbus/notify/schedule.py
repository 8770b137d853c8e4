"""What a receiver's answer means, and when a notification is tried again or given up. Pure."""

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

AWAY = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that speak of the moment, not of the notification."""

Kind = Literal["delivered", "refused", "failed", "away"]


class Verdict(NamedTuple):
    """What became of one attempt.

    ``refused``: trying again would not help. ``failed``: the receiver is there and could not take it.
    ``away``: the receiver is not there, or asks to be left alone.
    """

    kind: Kind
    reason: str = ""
    after_s: float | None = None
    """How long the receiver asks to be left alone, in seconds."""


def judge(status: int, retry_after: str | None, now_s: float, answer: str = "") -> Verdict:
    """The verdict of an HTTP answer; ``answer`` is the beginning of its body."""
    reason = f"HTTP {status}" + (f": {answer}" if answer else "")
    if 200 <= status < 300:
        return Verdict("delivered")
    if status in AWAY:
        return Verdict("away", reason, _seconds(retry_after, now_s))
    if 300 <= status < 400:
        return Verdict("refused", f"HTTP {status}: redirections are not followed")
    if 400 <= status < 500:
        return Verdict("refused", reason)
    return Verdict("failed", reason, _seconds(retry_after, now_s))


def _seconds(retry_after: str | None, now_s: float) -> float | None:
    """``Retry-After`` as seconds from now; None where it says nothing that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How patient a channel is; times in seconds."""

    backoff_s: float
    backoff_max_s: float
    retry_after_max_s: float
    attempts_max: int
    """Attempts at one notification that ended ``failed``, at most."""
    away_max_s: float
    """How long one notification waits for a receiver that is away."""


JITTER = 0.2
"""A pause is shorter than its full length by up to this share, so that many channels do not call at once."""


def pause_s(failures: int, chance: float, bounds: Bounds) -> float:
    """The pause after so many failures in a row, in seconds: doubles up to its bound. ``chance``: from 0 to 1."""
    full: float = min(bounds.backoff_s * 2 ** min(failures - 1, 60), bounds.backoff_max_s)
    return full * (1 - JITTER * chance)


class Step(NamedTuple):
    """What follows from an attempt that did not deliver."""

    given_up: str | None
    """The reason for the dead letter; None: the notification is tried again."""
    pause_s: float
    """How long the whole channel waits."""
    attempts: int
    """Attempts at this notification so far."""


@dataclass(slots=True)
class Patience:
    """One channel's count of what failed.

    Pauses follow the channel's failures in a row, not the notification's own: while its receiver is down a channel
    calls once a longest pause, and what waits stays in the log.
    """

    bounds: Bounds
    in_a_row: int = 0
    _tried: dict[str, list[float]] = field(default_factory=dict)
    """By notification: attempts, those that failed, and when the first found the receiver away."""

    def delivered(self, message_id: str) -> None:
        """An attempt delivered."""
        self.in_a_row = 0
        self._tried.pop(message_id, None)

    def missed(self, message_id: str, verdict: Verdict, now_s: float, chance: float) -> Step:
        """An attempt did not deliver."""
        tried = self._tried.setdefault(message_id, [0, 0, now_s])
        tried[0] += 1
        if verdict.kind == "refused":
            self.in_a_row = 0  # it is there
            return self._end(message_id, "notify_refused", 0.0)
        self.in_a_row += 1
        pause = pause_s(self.in_a_row, chance, self.bounds)
        if verdict.after_s is not None:
            pause = max(pause, min(verdict.after_s, self.bounds.retry_after_max_s))
        if verdict.kind == "failed":
            tried[1] += 1
            if tried[1] >= self.bounds.attempts_max:
                return self._end(message_id, "notify_failed", pause)
        if now_s - tried[2] >= self.bounds.away_max_s:
            return self._end(message_id, "notify_away", pause)
        return Step(None, pause, int(tried[0]))

    def _end(self, message_id: str, reason: str, pause: float) -> Step:
        return Step(reason, pause, int(self._tried.pop(message_id)[0]))
