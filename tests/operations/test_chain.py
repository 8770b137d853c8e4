"""The chain of acts, as records in memory: whatever is done to it shows, and nothing else does."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.catalogue import load_catalogue
from deptbus.errors import SettingsError
from deptbus.operations.acts import TOPIC, ActReader
from deptbus.operations.chain import EMPTY, FINDINGS_MAX, Head, Verified, Verifier, hash_of, read_head
from deptbus.record import Record
from deptbus.testing import MemoryBroker, memory_auditor

ROOT = Path(__file__).parents[2]
LENGTH = 6


@cache
def world() -> tuple[MemoryBroker, tuple[Record, ...], Head]:
    """A broker, the records of a whole chain, and its head."""
    broker = MemoryBroker(load_catalogue(ROOT, 0))
    auditor = memory_auditor(broker)
    for number in range(LENGTH):
        last = auditor.record("topics.apply", f"t{number}", "because", {"changes": number})
    return broker, tuple(broker.records(TOPIC)), last.head


def verify(records: Iterable[Record], *seen: Head) -> Verified:
    reader, verifier = ActReader(world()[0].codec), Verifier(seen)
    for record in records:
        act = reader.read(record)
        if act is None:
            verifier.foreign(record.offset)
        else:
            verifier.add(act)
    return verifier.end()


def codes(verified: Verified) -> list[str]:
    return [finding.code for finding in verified.findings]


def test_a_chain_that_nobody_touched_is_whole() -> None:
    _, records, head = world()
    assert verify(records, head) == Verified(LENGTH, head, (), 0)
    assert verify(records[:3], Head(2, records_head(1).hash)).findings == ()
    assert verify(()) == Verified(0, EMPTY, (), 0)


def test_a_restored_log_is_the_same_chain_wherever_its_records_stand() -> None:
    _, records, head = world()
    moved = [record._replace(offset=3 * record.offset + 7, timestamp_ms=1) for record in records]
    assert verify(moved, head) == Verified(LENGTH, head, (), 0)


@pytest.mark.parametrize("taken", [[0], [0, 1, 2]])
def test_a_cut_at_the_beginning_is_told(taken: list[int]) -> None:
    _, records, head = world()
    verified = verify(records[len(taken) :], head)
    assert codes(verified) == ["beginning"]
    assert verified.findings[0].message.en == (
        f"The log begins with number {len(taken) + 1} at offset {len(taken)}: what was before it was cut off."
    )


def test_a_gap_is_told_with_its_numbers_and_offsets() -> None:
    _, records, head = world()
    verified = verify([*records[:2], *records[4:]], head)
    assert codes(verified) == ["gap"]
    assert verified.findings[0].message.en == "Numbers 3 to 4 are missing between the offsets 1 and 4."
    assert verified.findings[0].message.zh == "位移 1 与 4 之间缺少第 3 至 4 号记录。"


def test_what_was_put_in_or_exchanged_is_told_with_its_place() -> None:
    _, records, head = world()
    twice = verify([*records[:3], records[1]._replace(offset=9), *records[3:]], head)
    assert [(finding.code, finding.offset) for finding in twice.findings] == [("order", 9), ("gap", 3)]
    assert twice.findings[0].message.en == (
        "The record at offset 9 has the number 2 and stands behind number 3: something was put in or exchanged."
    )
    exchanged = verify([records[0], records[2], records[1], *records[3:]], head)
    assert codes(exchanged) == ["gap", "order", "gap"]


def test_a_cut_at_the_end_is_told_by_a_head_that_was_kept() -> None:
    _, records, head = world()
    assert verify(records[:4]).findings == ()
    verified = verify(records[:4], head)
    assert codes(verified) == ["end"]
    assert "ends with number 4 and has been seen up to number 6" in verified.findings[0].message.en
    assert codes(verify((), head)) == ["end"]


def test_a_changed_last_record_is_told_by_a_head_that_was_kept() -> None:
    _, records, head = world()
    changed = [*records[:-1], records[-1]._replace(key=b"somebody else")]
    assert verify(changed).findings == ()
    assert codes(verify(changed, head)) == ["head"]


def test_a_record_that_is_no_act_is_told_and_breaks_nothing() -> None:
    _, records, head = world()
    strange = records[0]._replace(offset=99, value=b"\x00nothing")
    verified = verify([*records[:3], strange, *records[3:]], head)
    assert [(finding.code, finding.offset) for finding in verified.findings] == [("foreign", 99)]


def test_all_findings_are_counted_and_the_first_are_told() -> None:
    _, records, _ = world()
    verified = verify(record for _ in range(2 * FINDINGS_MAX) for record in records[:1])
    assert (len(verified.findings), verified.found) == (FINDINGS_MAX, 2 * FINDINGS_MAX - 1)


@given(st.data())
def test_any_change_removal_exchange_or_cut_is_found(data: st.DataObject) -> None:
    """Held against the head that was kept; which of the many ways is drawn."""
    _, records, head = world()
    touched = data.draw(st.sampled_from([changed, removed, exchanged, cut, repeated]))(list(records), data)
    if touched == list(records):
        return
    assert verify(touched, head).found > 0


def changed(records: list[Record], data: st.DataObject) -> list[Record]:
    """One byte of a record: of its key, its value, or a header that is read."""
    at = data.draw(st.integers(0, LENGTH - 1))
    record = records[at]
    what = data.draw(st.sampled_from(["key", "value", "header", "headers"]))
    if what == "header":
        number = data.draw(st.integers(0, len(record.headers) - 1))
        name, content = record.headers[number]
        headers = [*record.headers[:number], (name, flipped(content, data)), *record.headers[number + 1 :]]
        records[at] = record._replace(headers=headers)
    elif what == "headers":
        number = data.draw(st.integers(0, len(record.headers) - 1))
        records[at] = record._replace(headers=record.headers[:number] + record.headers[number + 1 :])
    else:
        records[at] = record._replace(**{what: flipped(getattr(record, what), data)})
    return records


def flipped(content: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]


def removed(records: list[Record], data: st.DataObject) -> list[Record]:
    taken = data.draw(st.sets(st.integers(0, LENGTH - 1), min_size=1))
    return [record for at, record in enumerate(records) if at not in taken]


def exchanged(records: list[Record], data: st.DataObject) -> list[Record]:
    return data.draw(st.permutations(records))


def cut(records: list[Record], data: st.DataObject) -> list[Record]:
    start = data.draw(st.integers(0, LENGTH))
    return records[start : data.draw(st.integers(start, LENGTH))]


def repeated(records: list[Record], data: st.DataObject) -> list[Record]:
    at = data.draw(st.integers(0, LENGTH - 1))
    records.insert(data.draw(st.integers(0, LENGTH)), records[at])
    return records


parts = st.one_of(st.none(), st.binary(max_size=4))
record_parts = st.tuples(parts, parts, st.lists(st.tuples(st.sampled_from(["ce_a", "ce_ab"]), parts), max_size=2))


@given(record_parts, record_parts)
def test_no_two_records_are_hashed_alike(one: Any, other: Any) -> None:
    assert (hash_of(*one) == hash_of(*other)) == (one == other)


def test_a_header_that_nobody_reads_does_not_count() -> None:
    assert hash_of(b"k", b"v", [("ce_id", b"1")]) == hash_of(b"k", b"v", [("ce_id", b"1"), ("x-copied-by", b"x")])


def test_a_head_is_read_as_it_was_written() -> None:
    _, _, head = world()
    assert read_head(str(head)) == head
    for wrong in ("6", "6:abc", f"0:{'0' * 64}", f"-1:{'0' * 64}"):
        with pytest.raises(SettingsError, match="NUMBER:HASH"):
            read_head(wrong)


def records_head(at: int) -> Head:
    broker, records, _ = world()
    act = ActReader(broker.codec).read(records[at])
    assert act is not None
    return act.head
