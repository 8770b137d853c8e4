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

Where clocks are put forward or back, whoever asks later must never be due earlier, and nobody is late while the clock
can still show a time before the deadline:

- A time of day that the last day skips (02:30, when 02:00 becomes 03:00) counts as the moment of the change, 03:00.
- One that it has twice (01:30, when 02:00 becomes 01:00) is meant the second time.
- A start in an hour that has been before counts as the end of that hour (02:00), for it is later than all of its first
  run. Its first run counts as it reads.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from deptbus.errors import DefinitionError
from deptbus.workflow.definition import Calendar, split_duration

_split = lru_cache(maxsize=1024)(split_duration)
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000


def deadline(start_ms: int, duration: str, calendar: Calendar, zone: str) -> int:
    """When a duration that starts at ``start_ms`` is over, in milliseconds since the epoch.

    ``zone`` (IANA) says where a working day begins; it matters to working days only. ``DefinitionError`` when
    a year is needed that ``calendar`` does not hold; ``ValueError`` when ``duration`` is none.
    """
    plain, (_, working_days) = plain_ms(duration), _split(duration)
    if plain is not None:
        return start_ms + plain
    return _after_working_days(start_ms, working_days, calendar, ZoneInfo(zone))


@lru_cache(maxsize=1024)
def plain_ms(duration: str) -> int | None:
    """What minutes, hours or days come to, in milliseconds; None for working days. ``ValueError`` when it is none."""
    plain, working_days = _split(duration)
    return plain if working_days == 0 and not duration.endswith("wd") else None


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
    day, shown_ms = _put_back(start, zone) if start.fold else (start.date(), _shown_ms(start) + milliseconds)
    if not is_working_day(day, calendar):
        day, shown_ms = _next_working_day(day, calendar), 0
    elif count == 0:
        return start_ms
    for _ in range(count):
        day = _next_working_day(day, calendar)
    return _moment(day, shown_ms, zone)


def _shown_ms(moment: datetime) -> int:
    """The time of day that the clock shows, in milliseconds."""
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000


def _moment(day: date, shown_ms: int, zone: ZoneInfo) -> int:
    """When the clock shows that time on that day: see the module for days on which it never does, or twice."""
    seconds, milliseconds = divmod(shown_ms, 1000)
    shown = datetime.combine(day, time(), zone) + timedelta(seconds=seconds)
    first, second = int(shown.timestamp()), int(shown.replace(fold=1).timestamp())
    if second < first:
        return _change(second, first, zone) * 1000
    return second * 1000 + milliseconds


def _put_back(start: datetime, zone: ZoneInfo) -> tuple[date, int]:
    """Day and time of day at which the clock was put back, of a moment at which it shows a time for the second time."""
    before = start.replace(fold=0)
    changed = _change(int(before.timestamp()), int(start.timestamp()), zone)
    shown = datetime.fromtimestamp(changed - 1, zone) + timedelta(seconds=1)
    if shown.date() > start.date() and _shown_ms(shown) == 0:  # at the very end of the day, which goes on
        return start.date(), _DAY_MS - 1
    return shown.date(), _shown_ms(shown)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second after ``low``, up to ``high``, at which the clock goes as at ``high``."""
    goes = datetime.fromtimestamp(high, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == goes:
            high = middle
        else:
            low = middle
    return high


def _next_working_day(day: date, calendar: Calendar) -> date:
    day += _DAY
    while not is_working_day(day, calendar):
        day += _DAY
    return day
