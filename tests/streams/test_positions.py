"""Positions: what a worker may claim to have read."""

from deptbus.streams.positions import Positions


def test_nothing_is_known_at_first() -> None:
    assert Positions().of("a") is None
    assert not Positions().cover({"a": 1})
    assert Positions().cover({"a": 0})


def test_an_empty_partition_is_read_to_where_the_fetch_begins() -> None:
    positions = Positions()
    positions.fetched({"a": 7}, {})
    assert positions.of("a") == 7


def test_delivered_records_do_not_count_until_they_are_processed() -> None:
    positions = Positions()
    positions.fetched({"a": 7}, {})
    positions.fetched({"a": 12}, {"a": 10})
    assert positions.of("a") is None
    positions.processed("a", 9)
    assert positions.of("a") == 9
    positions.processed("a", 10)
    assert positions.of("a") == 12, "two markers follow the last record"
    assert positions.cover({"a": 12})


def test_what_was_fetched_before_does_not_hide_what_is_processed() -> None:
    positions = Positions()
    positions.fetched({"a": 3}, {"a": 3})
    positions.processed("a", 5)
    assert positions.all() == {"a": 5}
    positions.clear()
    assert positions.all() == {}
