"""Daily cumulative case counts, one ``YYYY-MM-DD.csv`` a day, into confirmed cases and objections to figures.

A city is (province code, city name); its region is its own code, else the province's. The increase over the city's
previous value is a case event, a decrease an objection of kind ``decreasing_total``, a row without a city code one
of kind ``missing_code``. What cannot be read is reported and left out; the rest goes on.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from deptbus.errors import ImportRefused
from deptbus.ids import derived_id
from deptbus.imports.item import Item, Problem

CASES = "health.CasesConfirmed"
OBJECTION = "data.ObjectionRaised"
COLUMNS = ("date", "countryCode", "province", "provinceCode", "city", "cityCode", "confirmed")
"""Columns that must be there; others are not looked at."""
COUNT_MAX = 2**31 - 1
"""The largest number that an Avro int holds."""

_BASIS = "《中华人民共和国传染病防治法》（2013年修正）第三十八条"
_BASIS_OBJECTION = "《政务信息资源共享管理暂行办法》（国发〔2016〕51号）"
_DAY_MS = 86_400_000
_ZONE_MS = 8 * 3_600_000
"""China Standard Time is +08:00, without daylight saving."""
_REGION = re.compile(r"[1-9][0-9]{5}")
_PROVINCE = re.compile(r"[1-9][0-9]0000")
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Import:
    """What was read: events in the order of (time, file, line), and what went wrong."""

    items: tuple[Item, ...]
    problems: tuple[Problem, ...]
    files: int
    """Day files that could be read at all."""
    rows: int
    """Rows of cities that counted."""

    @property
    def case_events(self) -> int:
        """Events of confirmed cases."""
        return sum(item.type == CASES for item in self.items)

    @property
    def cases(self) -> int:
        """Confirmed cases in them."""
        return sum(item.data["count"] for item in self.items if item.type == CASES)

    @property
    def objections(self) -> dict[str, int]:
        """Objections by kind."""
        kinds = Counter(item.data["kind"] for item in self.items if item.type == OBJECTION)
        return dict(sorted(kinds.items()))

    @property
    def regions(self) -> int:
        """Regions with confirmed cases."""
        return len({item.region for item in self.items if item.type == CASES})


def read_days(folder: Path, province: str, first: date, last: date) -> Import:
    """The events of the days ``first`` to ``last``, inclusive, of a province (its six-digit code) or of ``all``.

    ``ImportRefused`` when it cannot start: no such folder, no day file in it, dates in the wrong order, no such
    code. Whatever is wrong inside the files is in ``problems``.
    """
    if not folder.is_dir():
        raise ImportRefused(f"There is no folder {folder}; name the one that holds the day files YYYY-MM-DD.csv.")
    if last < first:
        raise ImportRefused(f"The dates run backwards, from {first} to {last}; give the earlier one first.")
    if province != "all" and not _PROVINCE.fullmatch(province):
        raise ImportRefused(f"{province!r} is no province code; give six digits such as 440000, or all.")
    reading = _Reading(province)
    day = first
    while day <= last:
        reading.day(folder / f"{day}.csv", day)
        day += timedelta(days=1)
    if not reading.found:
        raise ImportRefused(f"{folder} holds no day file from {first} to {last}; day files are named YYYY-MM-DD.csv.")
    return Import(tuple(reading.items), tuple(reading.problems), reading.files, reading.rows)


class _Row(NamedTuple):
    """A row of a city, checked."""

    file: str
    line: int
    day: date
    province: str
    city: str
    code: str
    """The city's code; may be empty."""
    confirmed: int

    @property
    def region(self) -> str:
        return self.code or self.province

    @property
    def reference(self) -> str:
        return f"{self.file}:{self.line}"


class _Malformed(Exception):
    """A row that cannot be used; the text says why."""


@dataclass(slots=True)
class _Reading:
    """What has been read so far: the latest figure of each city, events, problems."""

    province: str
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    found: int = 0
    """Day files that exist."""
    files: int = 0
    rows: int = 0
    _previous: dict[tuple[str, str], int] = field(default_factory=dict)

    def day(self, path: Path, day: date) -> None:
        """Read one day's file."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            self._report(path, None, "there is no file for this day")
            return
        except OSError as error:
            self.found += 1
            self._report(path, None, f"the file cannot be read: {error.strerror or error}")
            return
        self.found += 1
        if content.startswith(_BOM):
            content = content.removeprefix(_BOM)
            self._report(path, 1, "the file begins with a byte order mark; it was read without")
        lines = self._lines(path, content)
        header = [column.strip() for column in next(lines, (1, [""]))[1]]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            self._report(path, 1, f"the header lacks {', '.join(missing)}; the whole file is left out")
            return
        self.files += 1
        seen: set[tuple[str, str]] = set()
        for line, cells in lines:
            try:
                row = self._row(path.name, line, day, header, cells)
                if row is not None:
                    if (row.province, row.city) in seen:
                        raise _Malformed(f"{row.city} of {row.province} stands in this file twice")
                    seen.add((row.province, row.city))
                    self._take(row)
            except _Malformed as error:
                self._report(path, line, str(error))

    def _lines(self, path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
        """Line numbers and cells. Each line is read by itself, so that a broken one spoils no other."""
        for number, raw in enumerate(content.split(b"\n"), start=1):
            if not raw.strip():
                continue
            try:
                yield number, next(csv.reader([raw.rstrip(b"\r").decode("utf-8")], strict=True))
            except UnicodeDecodeError as error:
                self._report(path, number, f"byte {error.start + 1} of the line is not UTF-8")
            except (csv.Error, StopIteration) as error:
                self._report(path, number, f"this is no line of a CSV file: {error}")

    def _row(self, file: str, line: int, day: date, header: list[str], cells: list[str]) -> _Row | None:
        """The row if it is one of a city and of the province asked for; ``_Malformed`` says what is wrong with it."""
        if len(cells) != len(header):
            raise _Malformed(f"the row has {len(cells)} columns, the header {len(header)}")
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        if row["countryCode"] != "CN" or not row["province"] or not row["city"]:
            return None
        province = row["provinceCode"]
        if not _PROVINCE.fullmatch(province):
            raise _Malformed(f"the province code {province!r} is not six digits ending in 0000")
        if self.province not in ("all", province):
            return None
        if row["date"] != str(day):
            raise _Malformed(f"the row is dated {row['date']!r} in the file of {day}")
        if row["cityCode"] and not _REGION.fullmatch(row["cityCode"]):
            raise _Malformed(f"the city code {row['cityCode']!r} is not six digits")
        confirmed = row["confirmed"]
        if not _NUMBER.fullmatch(confirmed) or int(confirmed) > COUNT_MAX:
            raise _Malformed(f"the confirmed count {confirmed!r} is not a whole number from 0 to {COUNT_MAX}")
        return _Row(file, line, day, province, row["city"], row["cityCode"], int(confirmed))

    def _take(self, row: _Row) -> None:
        """Note the city's new figure, and what follows from it."""
        self.rows += 1
        previous = self._previous.get((row.province, row.city))
        self._previous[row.province, row.city] = row.confirmed
        increase = row.confirmed - (previous or 0)
        if increase > 0:
            self._confirm(row, increase)
        elif increase < 0:
            self._object(row, "decreasing_total", previous)
        if not row.code:
            self._object(row, "missing_code", previous)

    def _confirm(self, row: _Row, count: int) -> None:
        data = {
            "region": row.region,
            "province": row.province,
            "city": row.city,
            "count": count,
            "total": row.confirmed,
            "date": str(row.day),
            "source_reference": row.reference,
        }
        self._add(row, "health", CASES, "cases_confirmed", data, _BASIS)

    def _object(self, row: _Row, kind: str, previous: int | None) -> None:
        data = {
            "objection": f"{row.reference}/{kind}",
            "region": row.region,
            "kind": kind,
            "province": row.province,
            "city": row.city,
            "date": str(row.day),
            "value": row.confirmed,
            "previous": previous,
            "source_reference": row.reference,
        }
        self._add(row, "data", OBJECTION, kind, data, _BASIS_OBJECTION)

    def _add(self, row: _Row, department: str, event_type: str, kind: str, data: dict[str, object], basis: str) -> None:
        identity = derived_id(row.reference, f"/departments/{department}", event_type, kind)
        midnight = midnight_ms(row.day)
        self.items.append(Item(midnight, department, event_type, identity, data, row.region, row.region, basis))

    def _report(self, path: Path, line: int | None, reason: str) -> None:
        self.problems.append(Problem(path.name, line, reason))


def midnight_ms(day: date) -> int:
    """The beginning of a day in China Standard Time (+08:00), milliseconds since the epoch."""
    return (day - date(1970, 1, 1)).days * _DAY_MS - _ZONE_MS


def day_of(text: str) -> date:
    """The day in ``YYYY-MM-DD``; ``ImportRefused`` for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise ImportRefused(f"{text!r} is no date; write it as 2020-01-20.") from None
