"""Transactions that are over and have no end in some partitions, and how what they wrote is made whole.

A broker that stands still or is killed between the answer to a commit and its markers has no leaders for a moment when
it is about to write them; it takes those partitions for deleted and forgets them (seen with Kafka 4.3.1). Readers of
committed records then wait at that place, until the next transaction of the same id ends there: its end becomes that of
what was left, whatever had been answered.

So every record names the transaction that wrote it, by a mark. Once older owners are fenced, what a transaction has
left is made good: where any of it, or of a later one, can be read, it was committed and the rest is written once more;
where nothing can, nobody has seen it, it is given up, and its journal entries are applied again.
"""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from deptbus.errors import TransactionUnclear
from deptbus.kafka.configuration import Configuration, producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_newest, read_partition
from deptbus.kafka.ends import ends_of
from deptbus.kafka.producer import TransactionalProducer
from deptbus.record import Record
from deptbus.streams.wiring import EVENTS, INSTANCES, JOURNAL, TASKS, TIMELINE, Wiring

OWN = (TASKS, EVENTS, TIMELINE, INSTANCES)
"""What only the owner of a journal partition writes, to the same partition number."""
HEADER = "bus_transaction"
_PAUSE_S = 0.005

Where = tuple[str, int]
"""A logical topic and a partition of it."""


class Mark(NamedTuple):
    """A transaction of one owner. Later ones are greater."""

    offset: int
    """The last entry that is applied to all of its keys."""
    key: str
    """Of the next entry the last key to which it is applied; empty where none is under way."""

    def header(self, number: int) -> tuple[str, bytes]:
        """How records of journal partition ``number``'s owner name it."""
        return HEADER, f"{number}/{self.offset}/{self.key}".encode()


def mark_of(record: Record, number: int) -> Mark | None:
    """The transaction of the owner of journal partition ``number`` that has written a record, if one has."""
    for name, value in record.headers:
        if name == HEADER and value is not None:
            owner, offset, key = value.decode().split("/", 2)
            return Mark(int(offset), key) if int(owner) == number else None
    return None


class Mended(NamedTuple):
    """What was done."""

    freed: list[str]
    """The partitions in which something had no end, ``<topic>/<number>``."""
    again: int
    """How many records were written once more."""


class Hanging:
    """What the owner of journal partition ``number`` has left. ``look`` before older owners are fenced, then ``mend``.

    An older owner's open transaction is given up by the fencing, and with it what an earlier one has left there.
    """

    def __init__(self, wiring: Wiring, number: int) -> None:
        self._wiring = wiring
        self._number = number
        self._reading = reader_configuration(wiring.settings)
        self._left: dict[Where, dict[int, Record]] = {}

    def look(self) -> list[Where]:
        """Note what has no end; the partitions in which that is ours."""
        found: list[Where] = []
        stable = self._ends(committed=True)
        for where, end in self._ends(committed=False).items():
            if stable[where] >= end:
                continue
            unended = self._read(where, stable[where], end, committed=False)
            ours = {record.offset: record for record in unended if mark_of(record, self._number) is not None}
            if ours or where[0] in OWN:
                self._left.setdefault(where, {}).update(ours)
                found.append(where)
        return found

    def mend(self, producer: TransactionalProducer) -> Mended:
        """Make whole what was left; ``producer`` was just initialised. Raises ``TransactionUnclear``."""
        hanging, lost = self.look(), self._lost()
        # First, and by another id: whoever dies here leaves what was left as it was.
        ends = self._write_again(lost) if lost else {}
        if hanging:
            physical = self._wiring.world.physical
            producer.void((physical(topic), partition) for topic, partition in sorted(hanging))
        self._await(ends)
        self._left.clear()
        return Mended([f"{topic}/{partition}" for topic, partition in sorted(hanging)], len(lost))

    def _write_again(self, lost: Iterable[Record]) -> Mapping[tuple[str, int], int]:
        """Commit these once more, with their ids and headers; where they end, by physical topic and partition."""
        world, settings = self._wiring.world, self._wiring.settings
        name = world.physical(f"advance-{self._number}-again")
        producer = TransactionalProducer(producer_configuration(settings), name, settings.publish_timeout_s)
        try:
            producer.init()
            producer.begin()
            for record in lost:
                headers = [(name, value) for name, value in record.headers if value is not None]
                producer.send(world.physical(record.topic), record.partition, record.key, record.value, headers)
            producer.commit()
        finally:
            producer.close()
        return producer.ends

    def _lost(self) -> list[Record]:
        """What was committed and cannot be read, each partition's in order."""
        if not any(self._left.values()):
            return []
        stable = self._ends(committed=True)
        seen = [mark for topic in OWN if (mark := self._newest(topic, stable[topic, self._number])) is not None]
        if not seen:
            return []
        lost: list[Record] = []
        for where, records in self._left.items():
            first = min(records, default=stable[where])
            there = {record.offset for record in self._read(where, first, stable[where], committed=True)}
            lost += [one for offset, one in sorted(records.items()) if offset not in there and self._stands(one, seen)]
        return lost

    def _stands(self, record: Record, seen: Iterable[Mark]) -> bool:
        mark = mark_of(record, self._number)
        return mark is not None and mark <= max(seen)

    def _newest(self, topic: str, end: int) -> Mark | None:
        """The newest transaction of which something can be read there."""
        physical = self._wiring.world.physical(topic)
        for record in read_newest(self._reading, physical, self._number, end):
            if (mark := mark_of(record, self._number)) is not None:
                return mark
        return None

    def _await(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Until what was written can be read: the broker writes a transaction's end after it has said that it will."""
        world = self._wiring.world
        limit = time.monotonic() + self._wiring.settings.publish_timeout_s
        while ends:
            stable = self._ends(committed=True)
            if all(stable[world.logical(topic), partition] >= end for (topic, partition), end in ends.items()):
                return
            if time.monotonic() > limit:
                raise TransactionUnclear(f"what partition {self._number} had left was written again and has no end")
            time.sleep(_PAUSE_S)

    def _ends(self, *, committed: bool) -> dict[Where, int]:
        world = self._wiring.world
        topics = {world.physical(topic): self._number for topic in OWN} | {world.physical(JOURNAL): None}
        found = ends_of(self._isolated(committed=committed), topics)
        return {(world.logical(topic), partition): end for (topic, partition), end in found.items()}

    def _read(self, where: Where, start: int, end: int, *, committed: bool) -> list[Record]:
        """What lies there from ``start`` on, before ``end``."""
        physical = self._wiring.world.physical(where[0])
        return list(read_partition(self._isolated(committed=committed), physical, where[1], start, end))

    def _isolated(self, *, committed: bool) -> Configuration:
        """Clients of their own: one that has seen a broker without leaders may not find them again for long."""
        return self._reading | ({} if committed else {"isolation.level": "read_uncommitted"})
