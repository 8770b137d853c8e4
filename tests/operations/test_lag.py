"""How far a group is behind, computed from looks: whatever the log holds, and whatever the group does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.errors import SettingsError
from deptbus.operations.lag import History, Lag, Look, State, by_topic, exposition, lag, read_length, read_limit

SECOND = 1_000
LOOK = Look("lab", "ward.cases", 0, 100 * SECOND, 10, 0, 30, 30, 20, 60 * SECOND, newest_ms=90 * SECOND, members=1)


class TestOneLook:
    def test_unread_events_are_counted_and_timed(self) -> None:
        found = lag(LOOK)
        assert (found.events, found.exact, found.waiting_ms, found.behind_ms) == (20, True, 40 * SECOND, 30 * SECOND)
        assert (found.rate, found.catch_up_s, found.state) == (None, None, State.BEHIND)

    def test_markers_alone_are_no_lag(self) -> None:
        found = lag(replace(LOOK, records=0, first_ms=None))
        assert (found.events, found.exact, found.waiting_ms, found.state) == (0, True, 0, State.CURRENT)

    def test_what_was_not_counted_is_an_upper_bound(self) -> None:
        found = lag(replace(LOOK, records=None))
        assert (found.events, found.exact) == (20, False)

    def test_a_group_without_members_has_stopped(self) -> None:
        assert lag(replace(LOOK, members=0)).state is State.STOPPED

    def test_what_retention_removed_unread_is_lost(self) -> None:
        found = lag(replace(LOOK, start=25, records=5))
        assert (found.lost, found.position, found.alarming) == (15, 25, True)

    def test_a_topic_made_anew_leaves_the_group_behind_its_end(self) -> None:
        found = lag(replace(LOOK, committed=50, records=0))
        assert (found.ahead, found.events, found.alarming) == (20, 0, True)

    def test_a_group_that_never_committed_begins_at_the_beginning(self) -> None:
        found = lag(replace(LOOK, committed=None, start=4, records=26))
        assert (found.events, found.position, found.lost) == (26, 4, 0)

    def test_commit_age_is_told(self) -> None:
        assert lag(LOOK).commit_age_ms is None
        assert lag(replace(LOOK, committed_ms=70 * SECOND)).commit_age_ms == 30 * SECOND


class TestTwoLooks:
    def later(self, seconds: int = 10, **changes: object) -> Look:
        return replace(LOOK, at_ms=LOOK.at_ms + seconds * SECOND, **changes)  # type: ignore[arg-type]

    def test_a_position_that_does_not_move_before_old_records_is_stuck(self) -> None:
        assert lag(self.later(), LOOK).state is State.STUCK
        assert lag(self.later(), LOOK).alarming

    def test_records_that_have_just_come_are_not_stuck(self) -> None:
        assert lag(self.later(first_ms=105 * SECOND), LOOK).state is State.BEHIND

    def test_a_group_that_has_just_committed_is_at_work_and_not_stuck(self) -> None:
        assert lag(self.later(committed_ms=100 * SECOND), LOOK).state is not State.STUCK
        assert lag(self.later(committed_ms=79 * SECOND), LOOK).state is State.STUCK

    def test_rates_say_when_it_catches_up(self) -> None:
        found = lag(self.later(committed=60, end=80, latest=80, records=20), LOOK)
        assert (found.rate, found.arriving, found.catch_up_s) == (5.0, 5.0, None)
        found = lag(self.later(committed=70, end=80, latest=80, records=10), LOOK)
        assert (found.rate, found.arriving, found.catch_up_s) == (6.0, 5.0, 10.0)
        assert found.state is State.CATCHING_UP
        found = lag(self.later(committed=20, end=80, latest=80, records=60), LOOK)
        assert (found.catch_up_s, found.state) == (None, State.FALLING_BEHIND)

    def test_a_group_set_back_meanwhile_has_no_rate(self) -> None:
        found = lag(self.later(committed=0, records=30), LOOK)
        assert (found.rate, found.catch_up_s) == (None, None)

    def test_an_open_transaction_that_holds_records_back_is_told(self) -> None:
        held = {"committed": 30, "records": 0, "first_ms": None, "latest": 35, "held_ms": 60 * SECOND}
        assert lag(self.later(**held), replace(LOOK, **held)).state is State.HELD  # type: ignore[arg-type]
        assert lag(self.later(**held), replace(LOOK, **{**held, "end": 29})).state is State.CURRENT  # type: ignore[arg-type]

    def test_a_record_that_nobody_can_read_is_told(self) -> None:
        assert lag(replace(LOOK, readable=False, records=0)).state is State.UNREADABLE


def test_history_takes_rates_over_its_window_and_forgets_groups_that_are_gone() -> None:
    history = History(window_ms=10 * SECOND)
    assert history.add([LOOK])[0].rate is None
    for second in range(1, 31):
        looks = [replace(LOOK, at_ms=LOOK.at_ms + second * SECOND, committed=10 + second // 2, end=60, records=5)]
        (found,) = history.add(looks)
    assert found.rate == 0.5  # and not 0 or 1, as between two looks
    assert history.add([]) == []


class TestLimits:
    @pytest.mark.parametrize(
        ("text", "events", "waiting"), [("20", 20, None), ("90s", None, 90_000), ("2h", None, 7_200_000)]
    )
    def test_a_limit_is_events_or_time(self, text: str, events: int | None, waiting: int | None) -> None:
        limit = read_limit(text)
        assert (limit.events, limit.waiting_ms) == (events, waiting)

    @pytest.mark.parametrize("text", ["", "-1", "5 minutes", "1w", "m"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(SettingsError, match="--over is a number of events or a length of time"):
            read_limit(text)
        with pytest.raises(SettingsError, match="--stuck-after is a length of time"):
            read_length(text, "--stuck-after")

    def test_only_more_than_the_limit_is_too_much(self) -> None:
        assert not read_limit("20").exceeded(lag(LOOK))
        assert read_limit("19").exceeded(lag(LOOK))
        assert not read_limit("40s").exceeded(lag(LOOK))
        assert read_limit("39s").exceeded(lag(LOOK))


def test_metrics_lines_are_as_prometheus_reads_them() -> None:
    lines = exposition([lag(replace(LOOK, topic='a"b\\c'))]).splitlines()
    assert 'deptbus_group_lag_events{group="lab",topic="a\\"b\\\\c",partition="0"} 20' in lines
    assert 'deptbus_group_lag_seconds{group="lab",topic="a\\"b\\\\c",partition="0"} 40.0' in lines
    assert "# TYPE deptbus_group_stuck gauge" in lines


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[bool], int, int | None]:
    """A log's offsets (True for a record, False for a marker), where it begins, and what is committed."""
    offsets = draw(st.lists(st.booleans(), max_size=60))
    start = draw(st.integers(0, len(offsets)))
    return offsets, start, draw(st.none() | st.integers(0, len(offsets)))


def look_at(offsets: list[bool], start: int, committed: int | None, at_ms: int, *, counted: bool) -> Look:
    """What a look finds of a log whose record at offset n has the timestamp n."""
    unread = [n for n in range(max(start, committed or 0), len(offsets)) if offsets[n]]
    return Look(
        "lab", "ward.cases", 0, at_ms, committed, start, len(offsets), len(offsets),
        len(unread) if counted else None, unread[0] if unread else None,
        newest_ms=max((n for n, is_record in enumerate(offsets) if is_record), default=None), members=1,
    )  # fmt: skip


@given(logs(), st.booleans())
def test_lag_is_what_the_group_has_not_read(log: tuple[list[bool], int, int | None], counted: bool) -> None:
    offsets, start, committed = log
    found = lag(look_at(offsets, start, committed, 1_000, counted=counted))
    unread = sum(offsets[max(start, committed or 0) :])
    assert found.events == unread if found.exact else found.events >= unread
    assert counted <= found.exact
    assert found.behind_ms <= found.waiting_ms
    assert (found.state is State.CURRENT) == (found.events == 0)


@given(logs(), st.lists(st.booleans(), max_size=30))
def test_a_stopped_groups_lag_never_shrinks(log: tuple[list[bool], int, int | None], more: list[bool]) -> None:
    offsets, start, committed = log
    before = look_at(offsets, start, committed, 1_000, counted=True)
    after = look_at(offsets + more, start, committed, 2_000, counted=True)
    grown = lag(after, before)
    assert grown.events == lag(before).events + sum(more)
    assert grown.waiting_ms >= lag(before).waiting_ms
    assert grown.catch_up_s in (None, 0.0)
    assert grown.rate == 0.0


@given(logs(), st.integers(0, 40), st.integers(0, 40), st.integers(1, 100_000))
def test_after_the_time_told_a_group_has_caught_up(
    log: tuple[list[bool], int, int | None], read: int, grown: int, elapsed_ms: int
) -> None:
    offsets, start, committed = log
    later = min(max(start, committed or 0) + read, len(offsets) + grown)
    before = look_at(offsets, start, committed, 1_000, counted=False)
    after = look_at(offsets + [True] * grown, start, later, 1_000 + elapsed_ms, counted=False)
    found = lag(after, before)
    if found.catch_up_s is not None and found.events:
        assert found.rate is not None
        assert found.arriving is not None
        end = len(offsets) + grown + found.arriving * found.catch_up_s
        assert found.position + found.rate * found.catch_up_s == pytest.approx(end)
    elif found.events and found.rate is not None and found.arriving is not None:
        assert found.rate <= found.arriving


def test_a_topic_is_counted_only_where_all_of_its_partitions_are() -> None:
    lags = [lag(LOOK), lag(replace(LOOK, partition=1, records=None))]
    assert [one.exact for one in by_topic(lags)] == [False]


@given(st.lists(logs(), min_size=1, max_size=6))
def test_a_topic_is_the_sum_of_its_partitions(partitions: list[tuple[list[bool], int, int | None]]) -> None:
    lags: list[Lag] = [
        lag(replace(look_at(*one, 1_000, counted=True), partition=number)) for number, one in enumerate(partitions)
    ]
    (topic,) = by_topic(lags)
    assert topic.events == sum(one.events for one in lags)
    assert topic.waiting_ms == max(one.waiting_ms for one in lags)
    assert topic.partitions == tuple(range(len(partitions)))
    assert (topic.state is State.CURRENT) == all(one.state is State.CURRENT for one in lags)
