"""Partitions that stand still because a dead letter of theirs cannot be written: since when, why, when to try again.

Others go on meanwhile, so nobody may wait long for a letter: one without an answer by then counts as not written. It is
the same letter when it is written again, under the same id.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from deptbus.outcome import Pending

LETTER_S = 2.0
"""How long a batch waits for the answers to its dead letters."""
ADVICE = "see that bus.deadletters is there, takes records of this size and may be written (`deptbus topics plan`)"

Where = TypeVar("Where")


@dataclass(slots=True)
class Block:
    """One partition's standstill. Times are monotonic seconds."""

    offset: int
    """The record whose letter is not written."""
    reason: str
    since: float
    until: float
    """When it is tried again."""
    tries: int = 1


class Blocked(Generic[Where]):
    """The partitions that stand still now. ``pause_s`` tells how long to wait after so many tries."""

    def __init__(self, pause_s: Callable[[int], float]) -> None:
        self._pause_s = pause_s
        self._blocks: dict[Where, Block] = {}

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[Where]:
        return iter(tuple(self._blocks))

    def __contains__(self, where: object) -> bool:
        return where in self._blocks

    def __getitem__(self, where: Where) -> Block:
        return self._blocks[where]

    def hold(self, where: Where, offset: int, reason: str, now: float) -> Block:
        """A letter was not written; later each time for the same record."""
        block = self._blocks.get(where)
        if block is None or block.offset != offset:
            block = self._blocks[where] = Block(offset, reason, now if block is None else block.since, now)
        else:
            block.tries += 1
        block.reason = reason
        block.until = now + self._pause_s(block.tries)
        return block

    def due(self, now: float) -> list[Where]:
        """Those that are to be tried again."""
        return [where for where, block in self._blocks.items() if now >= block.until]

    def next_s(self, now: float) -> float | None:
        """In how many seconds the next one is to be tried again; None while none stands still."""
        return max(0.0, min(block.until for block in self._blocks.values()) - now) if self._blocks else None

    def passed(self, where: Where) -> Block | None:
        """It goes on; its standstill, if there was one."""
        return self._blocks.pop(where, None)

    def clear(self) -> None:
        """Forget all."""
        self._blocks.clear()


def await_answers(outputs: Iterable[Pending], letters: Iterable[Pending], limit_s: float) -> list[Pending]:
    """Wait for the answers to all outputs, and to letters for so long; the letters that have none by then."""
    for output in outputs:
        output.result()
    limit = time.monotonic() + limit_s
    return [letter for letter in letters if not letter.within(limit - time.monotonic())]


def why_unwritten(letter: Pending) -> str | None:
    """Why a letter is not on its topic as far as is known; None where it is."""
    outcome = letter.outcome
    if outcome is None:
        return f"no answer came within {LETTER_S:g} s"
    return None if outcome.acknowledged else outcome.reason
