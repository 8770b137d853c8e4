"""Deadlines: a time plus minutes, hours, days or working days. Pure.

Minutes, hours and days (24 h each) are plain sums. Working days follow 民法典 (Civil Code) §200 to §204: a
period counted in days begins on the day after its start (§201), and a last day that is no working day moves
to the next one (§203). Where §203 lets the last day run until 24:00, a deadline here falls at the start's own
time of day, so that ``2wd`` is always two whole working days, asked in the morning or in the evening:

- The Nth working day after the start, at the same time of day.
- A start on a day that is no working day counts as the beginning (00:00) of the next working day: what is
  asked on a Saturday within 1wd is due when Monday is over.
- Which days are working days is what the calendar says, weekends worked in lieu included. A year that the
  calendar lacks is refused, not guessed.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from deptbus.errors import DefinitionError
from deptbus.workflow.definition import Calendar, split_duration

_split = lru_cache(maxsize=1024)(split_duration)
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


def deadline(start_ms: int, duration: str, calendar: Calendar, zone: str) -> int:
    """When a duration that starts at ``start_ms`` is over, in milliseconds since the epoch.

    ``zone`` (IANA) says where a working day begins; it matters to working days only. ``DefinitionError`` when
    a year is needed that ``calendar`` does not hold; ``ValueError`` when ``duration`` is none.
    """
    plain_ms, working_days = _split(duration)
    if working_days == 0 and not duration.endswith("wd"):
        return start_ms + plain_ms
    return _after_working_days(start_ms, working_days, calendar, ZoneInfo(zone))


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Whether a day is a working day; ``DefinitionError`` when the calendar does not hold its year."""
    days = calendar.years.get(day.year)
    if days is None:
        held = ", ".join(str(year) for year in sorted(calendar.years)) or "no year"
        raise DefinitionError(
            f"The calendar {calendar.calendar} does not say which days of {day.year} are working days "
            f"(it holds {held}); add the year to the calendar and activate the workflow again."
        )
    return days[day.timetuple().tm_yday - 1] == "1"


def _after_working_days(start_ms: int, count: int, calendar: Calendar, zone: ZoneInfo) -> int:
    # Whole seconds through datetime, milliseconds beside it: no float ever rounds them.
    seconds, milliseconds = divmod(start_ms, 1000)
    start = datetime.fromtimestamp(seconds, zone)
    day, time_of_day = start.date(), start.time()
    if not is_working_day(day, calendar):
        day, time_of_day, milliseconds = _next_working_day(day, calendar), _MIDNIGHT, 0
    for _ in range(count):
        day = _next_working_day(day, calendar)
    return int(datetime.combine(day, time_of_day, zone).timestamp()) * 1000 + milliseconds


def _next_working_day(day: date, calendar: Calendar) -> date:
    day += _DAY
    while not is_working_day(day, calendar):
        day += _DAY
    return day
