"""A wrong clock on this machine does not decide what is late."""

from deptbus.desk.present import present

NOW = 1_000_000_000


def test_a_clock_that_is_right_enough_counts() -> None:
    for off_ms in (-59_000, 0, 59_000):
        assert (present(NOW, NOW - off_ms).at_ms, present(NOW, NOW - off_ms).note) == (NOW, None)
    assert (present(NOW, 0).at_ms, present(NOW, 0).note) == (NOW, None)  # nothing was read at all


def test_a_clock_behind_yields_to_broker_time() -> None:
    found = present(NOW, NOW + 3_600_000)
    assert found.at_ms == NOW + 3_600_000
    assert found.note is not None
    assert "3600 s behind the broker's" in found.note.en


def test_a_clock_ahead_yields_where_a_report_shows_that_it_is() -> None:
    found = present(NOW, NOW - 3_600_000, NOW - 3_599_000)
    assert found.at_ms == NOW - 3_599_000
    assert found.note is not None
    assert "3599 s ahead of the broker's" in found.note.en
    assert present(NOW, NOW - 3_600_000, NOW - 1_000).note is None  # it was only silent


def test_a_silent_bus_is_said_to_be_silent() -> None:
    found = present(NOW, NOW - 3_600_000)
    assert found.at_ms == NOW
    assert found.note is not None
    assert found.note.en.startswith("Nobody has reported on bus.progress for 3600 s: correlate and advance do not run")
