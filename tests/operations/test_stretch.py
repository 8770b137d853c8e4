"""A stretch of a topic is resolved to offsets of each partition, and wrong ends are refused in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.errors import NotFound, SettingsError
from deptbus.operations.points import BEGINNING, END, Kind, Point, read_point
from deptbus.operations.stretch import Range, resolve

NOW = 1_600_000_000_000
ID = "01890000-0000-7000-8000-000000000001"


@dataclass
class ListedLog:
    """Of each partition the timestamps of its records, from an offset on."""

    partitions: Mapping[int, tuple[int, list[int]]]

    def bounds(self, topic: str) -> Mapping[int, Range]:
        return {p: (low, low + len(times)) for p, (low, times) in self.partitions.items()}

    def at_time(self, topic: str, time_ms: int) -> Mapping[int, int]:
        return {
            p: low + next((n for n, time in enumerate(times) if time >= time_ms), len(times))
            for p, (low, times) in self.partitions.items()
        }

    def find(self, topic: str, event_id: str) -> tuple[int, int, int] | None:
        low, times = self.partitions[0]
        return (0, low + 1, times[1]) if event_id == ID else None


LOG = ListedLog({0: (10, [100, 200, 300]), 1: (0, [150, 250])})


@pytest.mark.parametrize(
    ("start", "end", "ranges"),
    [
        (BEGINNING, END, {0: (10, 13), 1: (0, 2)}),
        (Point(Kind.LAST, 1), END, {0: (12, 13), 1: (1, 2)}),
        (Point(Kind.LAST, 99), END, {0: (10, 13), 1: (0, 2)}),
        (Point(Kind.OFFSET, 11), Point(Kind.OFFSET, 11), {0: (11, 12), 1: (2, 2)}),
        (Point(Kind.TIME, 150), Point(Kind.TIME, 250), {0: (11, 12), 1: (0, 1)}),
        (Point(Kind.EVENT, event_id=ID), END, {0: (11, 13), 1: (1, 2)}),
        (BEGINNING, Point(Kind.EVENT, event_id=ID), {0: (10, 12), 1: (0, 1)}),
        (END, END, {0: (13, 13), 1: (2, 2)}),
    ],
)
def test_points_become_offsets_of_each_partition(start: Point, end: Point, ranges: dict[int, Range]) -> None:
    assert resolve(LOG, "health.cases", start, end, NOW).ranges == ranges


def test_a_time_in_the_future_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--from 2020-09-13T12:26:40.001Z lies in the future"):
        resolve(LOG, "health.cases", Point(Kind.TIME, NOW + 1), END, NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (Point(Kind.TIME, 250), Point(Kind.TIME, 150)),
        (Point(Kind.OFFSET, 12), Point(Kind.OFFSET, 11)),
        (Point(Kind.LAST, 1), BEGINNING),
    ],
)
def test_an_end_before_the_start_is_refused(start: Point, end: Point) -> None:
    with pytest.raises(SettingsError, match=r"lies before --from .* exchange them"):
        resolve(LOG, "health.cases", start, end, NOW)


def test_an_event_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match=r"There is no event 01890000-.*2 on health.cases"):
        resolve(LOG, "health.cases", Point(Kind.EVENT, event_id=ID[:-1] + "2"), END, NOW)


@given(
    st.dictionaries(
        st.integers(0, 3), st.tuples(st.integers(0, 50), st.lists(st.integers(0, 500), max_size=20).map(sorted)),
        min_size=1,
    ),
    st.integers(0, 500),
)  # fmt: skip
def test_a_topic_cut_at_a_time_has_each_record_on_one_side(
    partitions: dict[int, tuple[int, list[int]]], cut: int
) -> None:
    log = ListedLog(partitions)
    before = resolve(log, "t", BEGINNING, Point(Kind.TIME, cut), NOW)
    after = resolve(log, "t", Point(Kind.TIME, cut), END, NOW)
    for p, (low, high) in log.bounds("t").items():
        assert (before.ranges[p][0], before.ranges[p][1], after.ranges[p][1]) == (low, after.ranges[p][0], high)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("beginning", BEGINNING),
        ("end", END),
        ("-20", Point(Kind.LAST, 20)),
        ("@17", Point(Kind.OFFSET, 17)),
        ("2020-01-24T08:00+08:00", Point(Kind.TIME, 1_579_824_000_000)),
        (ID, Point(Kind.EVENT, event_id=ID)),
    ],
)
def test_a_point_is_read_as_it_is_written(text: str, point: Point) -> None:
    assert read_point(text, "--from") == point
    assert read_point(str(point), "--from") == point


@pytest.mark.parametrize("text", ["", "yesterday", "-", "@", "17", "2020-01-24", "2020-01-24T08:00"])
def test_what_is_no_point_is_refused_with_what_it_may_be(text: str) -> None:
    with pytest.raises(SettingsError, match="--to is beginning, end, -N"):
        read_point(text, "--to")
