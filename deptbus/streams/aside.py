"""Partitions of ``correlate`` whose dead letters cannot be written, and their records from there on. Pure.

A partition that stands still is tried again with the one record at which it does. Once that letter is written, what was
put aside is correlated as if it had just come: what had been appended already is appended again under the same ids.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from deptbus.blocked import Block, Blocked
from deptbus.record import Record

Where = TypeVar("Where")
Batch = list[tuple[Where, Record]]


@dataclass(slots=True)
class Settled(Generic[Where]):
    """What a batch came to."""

    ends: dict[Where, int] = field(default_factory=dict)
    """Up to where partitions are done with."""
    held: list[tuple[Where, Record, Block]] = field(default_factory=list)
    """Those that stand still, at which record."""
    gone_on: list[tuple[Where, Record]] = field(default_factory=list)
    """Those that do no longer."""
    again: Batch[Where] = field(default_factory=list)
    """What had been put aside of them, to be taken before all else."""


class Aside(Generic[Where]):
    """See the module."""

    def __init__(self, pause_s: Callable[[int], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._blocked: Blocked[Where] = Blocked(pause_s)
        self._records: dict[Where, deque[Record]] = {}
        self._clock = clock

    def __len__(self) -> int:
        return len(self._blocked)

    def next_s(self) -> float | None:
        """In how many seconds one is to be tried again; None while none stands still."""
        return self._blocked.next_s(self._clock())

    def batch(self, taken: Iterable[tuple[Where, Record]]) -> Batch[Where]:
        """What is to be correlated of what was taken: what belongs behind a record put aside is put there."""
        batch = [(where, self._records[where][0]) for where in self._blocked.due(self._clock())]
        for where, record in taken:
            if where in self._records:
                self._records[where].append(record)
            else:
                batch.append((where, record))
        return batch

    def settle(self, batch: Sequence[tuple[Where, Record]], unwritten: Mapping[int, str]) -> Settled[Where]:
        """What a batch came to; ``unwritten`` says for records, by their places, why their letters are not written."""
        if not unwritten and not self._blocked:
            return Settled({where: record.offset + 1 for where, record in batch})
        settled: Settled[Where] = Settled()
        stopped: set[Where] = set()
        for place, (where, record) in enumerate(batch):
            if where in stopped:
                self._records[where].append(record)
            elif place in unwritten:
                stopped.add(where)
                self._records.setdefault(where, deque([record]))
                block = self._blocked.hold(where, record.offset, unwritten[place], self._clock())
                settled.held.append((where, record, block))
            else:
                settled.ends[where] = record.offset + 1
                if self._blocked.passed(where) is not None:
                    settled.gone_on.append((where, record))
                    settled.again += [(where, one) for one in list(self._records.pop(where))[1:]]
        return settled

    def clear(self) -> None:
        """The partitions are somebody else's."""
        self._blocked.clear()
        self._records.clear()
