"""What a simulated officer does with a task and when: drawn, the same for the same seed and task. Pure.

The shares are this project's choice, made to exercise every rung of an escalation ladder without hiding what
works. Of tasks asked for the first time, 5 in 100 are not answered at all until long after they were due, 4 are
declined, 8 are acknowledged late and 8 are completed late; the rest is in time. A second attempt is never declined
and seldom silent; from the third on everything is in time, so every task ends. What is asked again in the
same matter (a periodic return of figures) is routine: mostly done at once.
"""

import hashlib
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of what happens, each of 1; the rest is done in time."""

    silent: float = 0.0
    declined: float = 0.0
    acknowledged_late: float = 0.0
    completed_late: float = 0.0


FIRST = Habits(silent=0.05, declined=0.04, acknowledged_late=0.08, completed_late=0.08)
SECOND = Habits(silent=0.02, acknowledged_late=0.05, completed_late=0.05)
ROUTINE = Habits(silent=0.005, acknowledged_late=0.01, completed_late=0.01)
RELIABLE = Habits()


Disposition = Literal["acknowledged", "accepted", "committed", "declined", "progressed", "completed"]


@dataclass(frozen=True, slots=True)
class Act:
    """An answer to a task: what, and when (milliseconds)."""

    disposition: Disposition
    at_ms: int


def draw_for(seed: int, task: dict[str, Any], purpose: str) -> Random:
    """The random numbers of one ``workflow.TaskRequested``.

    They follow from the seed and from what is asked: workflow and key, step, subject, region, attempt, and when it
    was asked for, so that a periodic task does not go the same way every time.
    """
    asked = (
        seed, task["instance"], task["step"], task["subject"], task["region"], task["department"], task["attempt"],
        task["requested_at"], purpose,
    )  # fmt: skip
    return Random(hashlib.sha256("\x1f".join(map(str, asked)).encode()).digest())


def acts(seed: int, task: dict[str, Any], *, routine: bool) -> tuple[Act, ...]:
    """What the department does with a task, in the order of time.

    Who is done before the acknowledgement would be due says so once: completing acknowledges.
    """
    draw = draw_for(seed, task, "acts")
    asked_ms = task["requested_at"]
    acknowledge_ms = max(task["acknowledge_by"] - asked_ms, MINUTE_MS)
    complete_ms = max(task["complete_by"] - asked_ms, 2 * MINUTE_MS)
    habits = _habits(task["attempt"], routine)
    chance = draw.random()
    if chance < habits.silent:
        # Nobody hears of it, and somebody finds it a day later, if it was not asked for again before.
        found_ms = asked_ms + complete_ms + draw.randrange(12 * HOUR_MS, 24 * HOUR_MS)
        return (Act("completed", found_ms),)
    chance -= habits.silent
    acknowledged_ms = asked_ms + _between(draw, acknowledge_ms, 0.1, 0.8)
    if chance < habits.declined:
        return (Act("declined", acknowledged_ms),)
    chance -= habits.declined
    completed_ms = asked_ms + _duration(draw, acknowledge_ms, complete_ms, routine)
    if chance < habits.acknowledged_late:
        acknowledged_ms = asked_ms + _between(draw, acknowledge_ms, 1.1, 2.5)
        completed_ms = max(completed_ms, acknowledged_ms + MINUTE_MS)
    elif chance < habits.acknowledged_late + habits.completed_late:
        completed_ms = asked_ms + _between(draw, complete_ms, 1.05, 1.6)
    elif completed_ms <= asked_ms + acknowledge_ms:
        return (Act("completed", completed_ms),)
    return (Act("acknowledged", acknowledged_ms), Act("completed", completed_ms))


def _habits(attempt: int, routine: bool) -> Habits:
    if attempt >= 3:
        return RELIABLE
    if attempt == 2:
        return SECOND
    return ROUTINE if routine else FIRST


def _duration(draw: Random, acknowledge_ms: int, complete_ms: int, routine: bool) -> int:
    """How long a task takes that is completed in time."""
    if routine and draw.random() < 0.8:
        return min(draw.randrange(20 * MINUTE_MS, 30 * MINUTE_MS), acknowledge_ms - MINUTE_MS // 2)
    if routine:
        return min(draw.randrange(30 * MINUTE_MS, 50 * MINUTE_MS), complete_ms - MINUTE_MS)
    return _between(draw, complete_ms, 0.2, 0.9)


def _between(draw: Random, span_ms: int, low: float, high: float) -> int:
    """A part of a span, in milliseconds: whole numbers only, so that every machine draws the same."""
    return span_ms * draw.randrange(round(low * 1000), round(high * 1000)) // 1000
