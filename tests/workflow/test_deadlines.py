"""Deadlines: by the clock, and by working days as 民法典 counts them."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.clock import from_iso, iso
from deptbus.errors import DefinitionError
from deptbus.workflow.calendars import chinese_years
from deptbus.workflow.deadlines import deadline, is_working_day
from deptbus.workflow.definition import Calendar

ZONE = "Asia/Shanghai"
CHINA = Calendar(calendar="cn", years=chinese_years())
FIRST = from_iso("2004-01-01T00:00:00+08:00")
LAST = from_iso("2025-12-31T23:59:59.999+08:00")

times = st.integers(FIRST, LAST)
counts = st.integers(0, 20)


def due(start: str, duration: str) -> str:
    moment = deadline(from_iso(start), duration, CHINA, ZONE)
    return datetime.fromtimestamp(moment / 1000, ZoneInfo(ZONE)).isoformat(timespec="milliseconds")


def day_of(moment: int) -> date:
    return datetime.fromtimestamp(moment / 1000, ZoneInfo(ZONE)).date()


@pytest.mark.parametrize(
    ("duration", "later"),
    [("0m", 0), ("15m", 900_000), ("2h", 7_200_000), ("14d", 14 * 86_400_000)],
)
def test_minutes_hours_and_days_are_plain_sums(duration: str, later: int) -> None:
    assert deadline(1_579_449_600_123, duration, CHINA, ZONE) == 1_579_449_600_123 + later


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2020-01-13T10:00:00.123+08:00", "1wd", "2020-01-14T10:00:00.123+08:00"),
        ("2020-01-10T17:30:00.000+08:00", "1wd", "2020-01-13T17:30:00.000+08:00"),  # over a weekend
        ("2020-01-17T09:00:00.000+08:00", "1wd", "2020-01-19T09:00:00.000+08:00"),  # a Sunday worked in lieu
        ("2020-01-23T09:00:00.000+08:00", "1wd", "2020-02-03T09:00:00.000+08:00"),  # over the Spring Festival
        ("2020-01-11T10:00:00.000+08:00", "1wd", "2020-01-14T00:00:00.000+08:00"),  # asked on a Saturday
        ("2020-01-12T23:59:59.999+08:00", "2wd", "2020-01-15T00:00:00.000+08:00"),
        ("2020-01-13T10:00:00.000+08:00", "0wd", "2020-01-13T10:00:00.000+08:00"),
        ("2019-12-31T10:00:00.000+08:00", "1wd", "2020-01-02T10:00:00.000+08:00"),  # into the next year
    ],
)
def test_working_days_are_counted_from_the_day_after(start: str, duration: str, end: str) -> None:
    assert due(start, duration) == end


def test_a_year_that_the_calendar_lacks_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"calendar cn does not say which days of 2027 .* 2026"):
        deadline(from_iso("2026-12-31T10:00:00+08:00"), "1wd", CHINA, ZONE)


def test_a_year_that_the_calendar_lacks_does_not_matter_to_hours() -> None:
    empty = Calendar(calendar="cn", years={})
    assert iso(deadline(from_iso("2031-01-01T00:00:00Z"), "4h", empty, ZONE)) == "2031-01-01T04:00:00.000Z"


@given(times, st.integers(1, 20))
def test_never_due_on_a_day_that_is_no_working_day(start: int, count: int) -> None:
    assert is_working_day(day_of(deadline(start, f"{count}wd", CHINA, ZONE)), CHINA)


@given(times, counts, counts)
def test_working_days_add_up(start: int, first: int, second: int) -> None:
    between = deadline(start, f"{first}wd", CHINA, ZONE)
    assert deadline(between, f"{second}wd", CHINA, ZONE) == deadline(start, f"{first + second}wd", CHINA, ZONE)


@given(times, times, counts)
def test_who_asks_later_is_answered_no_earlier(one: int, other: int, count: int) -> None:
    earlier, later = sorted((one, other))
    duration = f"{count}wd"
    assert deadline(earlier, duration, CHINA, ZONE) <= deadline(later, duration, CHINA, ZONE)


@given(times, counts)
def test_more_days_are_later(start: int, count: int) -> None:
    assert start <= deadline(start, f"{count}wd", CHINA, ZONE) < deadline(start, f"{count + 1}wd", CHINA, ZONE)


@given(times, st.integers(1, 20))
def test_each_counted_day_is_whole(start: int, count: int) -> None:
    """Between start and deadline lie exactly so many working days, counted from the start's time of day."""
    end = deadline(start, f"{count}wd", CHINA, ZONE)
    first = datetime.fromtimestamp(start / 1000, ZoneInfo(ZONE))
    last = datetime.fromtimestamp(end / 1000, ZoneInfo(ZONE))
    days = [date.fromordinal(n) for n in range(first.toordinal() + 1, last.toordinal() + 1)]
    counted = sum(is_working_day(day, CHINA) for day in days)
    if is_working_day(first.date(), CHINA):
        assert counted == count
    else:  # the last day has only begun
        assert last.time() == time(0)
        assert counted == count + 1
