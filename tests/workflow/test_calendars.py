"""Calendars: the State Council's holidays, files beside them, and what is refused."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from deptbus.errors import DefinitionError
from deptbus.workflow.calendars import load_calendar
from deptbus.workflow.deadlines import is_working_day


def write(root: Path, name: str, text: str) -> None:
    folder = root / "services" / "workflows" / "calendars"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_china_has_every_day_of_its_years(tmp_path: Path) -> None:
    calendar = load_calendar(tmp_path, "cn")
    assert {2019, 2020, 2021} <= calendar.years.keys()
    for year, days in calendar.years.items():
        assert len(days) == (date(year + 1, 1, 1) - date(year, 1, 1)).days
        assert set(days) == {"0", "1"}
        assert not is_working_day(date(year, 10, 1), calendar)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2020, 1, 19), True),  # a Sunday worked in lieu
        (date(2020, 1, 24), False),  # the eve of the Spring Festival, a Friday
        (date(2020, 1, 31), False),  # the holiday was prolonged
        (date(2020, 2, 3), True),
        (date(2020, 2, 8), False),  # a Saturday
    ],
)
def test_china_in_2020(tmp_path: Path, day: date, works: bool) -> None:
    assert is_working_day(day, load_calendar(tmp_path, "cn")) is works


def test_a_file_makes_a_calendar(tmp_path: Path) -> None:
    write(
        tmp_path,
        "drill",
        "calendar: drill\nsource: the drill's plan\nyears:\n  2031:\n    holidays: [2031-01-01]\n"
        "    workdays: [2031-01-04]\n",
    )
    calendar = load_calendar(tmp_path, "drill")
    january = [is_working_day(date(2031, 1, 1) + timedelta(days=n), calendar) for n in range(6)]
    assert january == [False, True, True, True, False, True]


def test_a_file_adds_a_year_to_china(tmp_path: Path) -> None:
    write(tmp_path, "cn", "calendar: cn\nsource: 国办发明电\nyears:\n  2031: {holidays: [2031-01-01]}\n")
    calendar = load_calendar(tmp_path, "cn")
    assert not is_working_day(date(2031, 1, 1), calendar)
    assert is_working_day(date(2020, 1, 19), calendar)


def test_no_calendar_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"There is no calendar mars: add services/workflows/calendars/mars"):
        load_calendar(tmp_path, "mars")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("calendar: other\nsource: s\nyears: {2031: {}}\n", "line 1: the calendar other differs from the file's name"),
        (
            "calendar: drill\nsource: s\nyears:\n  2031:\n    holidays: [2030-01-01]\n",
            "line 4: 2030-01-01 does not lie in 2031",
        ),
        (
            "calendar: drill\nsource: s\nyears:\n  2031:\n    workdays: [2031-01-06]\n",
            "line 4: 2031-01-06 is named under workdays",
        ),
        ("calendar: drill\nsource: s\nyears:\n  2031: {free: []}\n", "line 4: .*free is not known"),
        ("calendar: drill\nsource: s\nyears: {2031: {holidays: [2031-02-30]}}\n", "line 3: .*not usable"),
    ],
)
def test_a_broken_file_names_line_and_reason(tmp_path: Path, text: str, sentence: str) -> None:
    write(tmp_path, "drill", text)
    with pytest.raises(DefinitionError, match=rf"services/workflows/calendars/drill\.yaml, {sentence}"):
        load_calendar(tmp_path, "drill")
