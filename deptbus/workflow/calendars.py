"""Holiday calendars: which days of which years are working days, put into a pack as plain strings.

``cn`` are the arrangements of the State Council as the chinesecalendar library has them. Other calendars, and
years that ``cn`` lacks, stand in ``services/workflows/calendars/<name>.yaml``. A year that a calendar does not
have is refused later, never guessed.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deptbus.errors import DefinitionError
from deptbus.topics.yamlfile import read_yaml
from deptbus.workflow.definition import Calendar

CN = "cn"
_SATURDAY = 5


class _Year(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    holidays: tuple[date, ...] = ()
    """Days from Monday to Friday that are no working days; weekends need not be named."""
    workdays: tuple[date, ...] = ()
    """Weekend days that are worked in lieu."""


class _CalendarFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    calendar: str
    source: str
    """Who laid the holidays down, and where."""
    years: dict[int, _Year] = Field(min_length=1)


def load_calendar(root: Path, name: str) -> Calendar:
    """The calendar of a name, with every year it has; ``DefinitionError`` when there is none or it is broken."""
    path = root / "services" / "workflows" / "calendars" / f"{name}.yaml"
    years = chinese_years() if name == CN else {}
    if path.is_file():
        years |= _from_file(path, str(path.relative_to(root)))
    if years:
        return Calendar(calendar=name, years=dict(sorted(years.items())))
    raise DefinitionError(
        f"There is no calendar {name}: add services/workflows/calendars/{name}.yaml, or use {CN}, that of China."
    )


def chinese_years() -> dict[int, str]:
    """The working days of China, for each year whose holidays the State Council has laid down."""
    from chinese_calendar.constants import holidays, workdays  # noqa: PLC0415  # only loading needs the tables

    # A year's arrangement may name days of its neighbours; only its own has its National Day.
    years = sorted({day.year for day in holidays if (day.month, day.day) == (10, 1)})
    return {year: _days(year, holidays, workdays) for year in years}


def _from_file(path: Path, shown: str) -> dict[int, str]:
    file, lines = read_yaml(path, shown, _CalendarFile, DefinitionError)
    if file.calendar != path.stem:
        raise DefinitionError(
            f"{shown}, line {lines.of('calendar')}: the calendar {file.calendar} differs from the file's name; "
            "they must be the same."
        )
    for year, days in file.years.items():
        where = f"{shown}, line {lines.of('years', year)}"
        for day in (*days.holidays, *days.workdays):
            if day.year != year:
                raise DefinitionError(f"{where}: {day} does not lie in {year}.")
        for day in days.workdays:
            if day.weekday() < _SATURDAY or day in days.holidays:
                raise DefinitionError(
                    f"{where}: {day} is named under workdays, but is no weekend day or also a holiday; remove it."
                )
    return {year: _days(year, days.holidays, days.workdays) for year, days in file.years.items()}


def _days(year: int, holidays: Iterable[date], workdays: Iterable[date]) -> str:
    free, worked = frozenset(holidays), frozenset(workdays)
    day, days = date(year, 1, 1), []
    while day.year == year:
        days.append("1" if day in worked or (day.weekday() < _SATURDAY and day not in free) else "0")
        day += timedelta(days=1)
    return "".join(days)
