"""One record of a log dropped, doubled, swapped with another, or altered, as if Kafka had it so."""

from collections.abc import Callable, Sequence

from deptbus.record import Record

_TICK = b"@tick"

Tamper = Callable[[Sequence[Record], int], list[Record]]
"""The records of a topic, and the index of the one to tamper with; what is left of them."""


def drop(records: Sequence[Record], index: int) -> list[Record]:
    """The record is gone; the others keep their offsets."""
    return [*records[:index], *records[index + 1 :]]


def double(records: Sequence[Record], index: int) -> list[Record]:
    """The record stands there twice, one after the other; what follows it in its partition moves on by one."""
    partition = records[index].partition
    moved = [
        record._replace(offset=record.offset + 1) if record.partition == partition else record
        for record in records[index:]
    ]
    return [*records[:index], records[index], *moved]


def swap(records: Sequence[Record], index: int) -> list[Record]:
    """The record and a later one of its partition that differs from it have changed places: the next one, in the
    journal the next one beyond a tick, for the order within a step decides nothing."""
    one = records[index]
    later = [(place, record) for place, record in enumerate(records) if place > index]
    same = [(place, record) for place, record in later if record.partition == one.partition]
    if any(record.key == _TICK for _, record in same):
        ticks = [number for number, (_, record) in enumerate(same) if record.key == _TICK]
        same = [(place, record) for place, record in same[ticks[0] :] if record.key != _TICK]
    other_index, other = next((place, record) for place, record in same if record.value != one.value)
    changed = list(records)
    changed[index] = other._replace(offset=one.offset, timestamp_ms=one.timestamp_ms)
    changed[other_index] = one._replace(offset=other.offset, timestamp_ms=other.timestamp_ms)
    return changed


def alter(records: Sequence[Record], index: int) -> list[Record]:
    """One bit in the middle of the record's value is another."""
    value = bytearray(records[index].value or b"")
    value[len(value) // 2] ^= 1
    return [*records[:index], records[index]._replace(value=bytes(value)), *records[index + 1 :]]


ALL: dict[str, Tamper] = {"drop": drop, "double": double, "swap": swap, "alter": alter}
