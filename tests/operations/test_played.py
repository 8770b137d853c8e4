"""The records that a rehearsal plays, held on disk."""

import resource
from pathlib import Path

import pytest

from deptbus.clock import iso
from deptbus.errors import BusError
from deptbus.operations.played import Played
from deptbus.operations.rehearsal import Step, actual_course, exercise_course
from deptbus.record import Record

START = 1_579_536_000_000


def record(at: int, *, topic: str = "t", partition: int = 0, own: int | None = None, value: bytes = b"v") -> Record:
    headers = [("ce_id", f"e{at}".encode()), ("ce_id", b"again"), ("odd", b"\xff\x00")]
    if own is not None:
        headers[1] = ("ce_time", iso(START + own).encode())
    return Record(topic, partition, at, START + at, b"k", value, headers)


def test_records_come_back_as_they_were_in_the_order_of_the_brokers_times(tmp_path: Path) -> None:
    given = [record(9), record(3), record(3, topic="s"), record(3, partition=1), record(4)._replace(key=None)]
    with Played(tmp_path / "at" / "played") as played:
        played.take(iter(given[:2]))
        played.take(iter(given[2:]))
        course = actual_course(START, START + 10, 60_000)
        assert len(played) == 5
        assert played.span_ms() == (START + 3, START + 9)
        assert [each for _, each in played.in_order(course)] == [given[2], given[1], given[3], given[4], given[0]]
        assert {at for at, _ in played.in_order(course)} == {START + 3, START + 4, START + 9}


def test_in_an_exercise_its_steps_come_before_the_brokers_times(tmp_path: Path) -> None:
    steps = (Step(START, START, START + 10), Step(START + 500, START + 20, START + 30))
    course = exercise_course(steps, START, None)
    early, inside = record(499, own=25), record(498, own=5)
    with Played(tmp_path / "played") as played:
        played.take([early, inside])
        assert list(played.in_order(course)) == [(START, inside), (START + 20, early)]
        assert played.own_span_ms() == (START + 5, START + 25)


def test_what_was_played_is_known_by_its_id(tmp_path: Path) -> None:
    with Played(tmp_path / "played") as played:
        played.take([record(1, own=1)])
        assert "e1" in played
        assert "e2" not in played
        assert played.own_span_ms() == (START + 1, START + 1)


def test_nothing_is_left_on_the_disk_however_it_ends(tmp_path: Path) -> None:
    with Played(tmp_path / "played") as played:
        played.take([record(1)])
        assert list(tmp_path.iterdir()) == []
        assert len(played) == 1


def test_a_full_disk_is_told_with_the_place_and_what_to_do(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Played(tmp_path / "played") as played:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        try:
            with pytest.raises(BusError, match=r"cannot be held at .*played .*; free space there, or set BUS_RUN_DIR"):
                played.take(record(number, value=bytes(100_000)) for number in range(100))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
