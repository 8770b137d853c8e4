"""What the import of daily case counts makes of its files."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.clock import from_iso
from deptbus.errors import ImportRefused
from deptbus.imports import scenario
from deptbus.imports.epidemic import CASES, OBJECTION, Import, day_of, read_days
from tests.imports.files import FIRST, HEADER, row, write

REAL = Path(__file__).parents[3] / "shared" / "data" / "epidemic"
SECOND = FIRST + timedelta(days=1)


def read(folder: Path, last: date = SECOND, province: str = "990000") -> Import:
    return read_days(folder, province, FIRST, last)


def said(found: Import) -> list[tuple[object, ...]]:
    """Type, region and count or kind of each event."""
    return [(item.type, item.region, item.data.get("count") or item.data["kind"]) for item in found.items]


def test_the_first_value_and_every_increase_are_case_events(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3))
    write(tmp_path, SECOND, row(5, day=SECOND))
    found = read(tmp_path)
    assert said(found) == [(CASES, "990100", 3), (CASES, "990100", 2)]
    assert (found.case_events, found.cases, found.regions, found.rows, found.problems) == (2, 5, 1, 2, ())


def test_an_event_says_whence_it_is_and_is_dated_midnight_in_china(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3))
    write(tmp_path, SECOND)
    (item,) = read(tmp_path).items
    assert item.at_ms == from_iso("2020-01-20T00:00:00+08:00")
    assert item.department == "health"
    assert item.subject == item.region == "990100"
    assert item.data["source_reference"] == "2020-01-20.csv:2"
    assert item.data["total"] == 3


def test_ids_follow_from_file_line_and_kind(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3, code=""))
    write(tmp_path, SECOND, row(1, day=SECOND, code=""))
    ids = [item.id for item in read(tmp_path).items]
    assert len(set(ids)) == 4
    assert ids == [item.id for item in read(tmp_path).items]


def test_no_change_and_zero_are_no_events(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(0), row(4, city="示例乙市", code="990200"))
    write(tmp_path, SECOND, row(0, day=SECOND), row(4, day=SECOND, city="示例乙市", code="990200"))
    assert said(read(tmp_path)) == [(CASES, "990200", 4)]


def test_a_decrease_is_an_objection_and_no_cases(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(5))
    write(tmp_path, SECOND, row(3, day=SECOND))
    found = read(tmp_path)
    assert said(found) == [(CASES, "990100", 5), (OBJECTION, "990100", "decreasing_total")]
    objection = found.items[1]
    assert objection.department == "data"
    assert (objection.data["value"], objection.data["previous"]) == (3, 5)


def test_after_a_decrease_increases_count_from_the_lower_value(tmp_path: Path) -> None:
    third = SECOND + timedelta(days=1)
    write(tmp_path, FIRST, row(5))
    write(tmp_path, SECOND, row(3, day=SECOND))
    write(tmp_path, third, row(6, day=third))
    assert read(tmp_path, third).cases == 8


def test_a_row_without_city_code_counts_for_the_province_and_is_objected_to(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(2, code=""))
    write(tmp_path, SECOND, row(1, day=SECOND, code=""))
    assert said(read(tmp_path)) == [
        (CASES, "990000", 2),
        (OBJECTION, "990000", "missing_code"),
        (OBJECTION, "990000", "decreasing_total"),
        (OBJECTION, "990000", "missing_code"),
    ]


def test_a_row_without_city_code_is_objected_to_without_any_cases(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(0, code=""))
    write(tmp_path, SECOND)
    assert read(tmp_path).objections == {"missing_code": 1}


def test_totals_and_other_countries_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(9, city="", code=""), row(9, province="", city="", code=""), row(9, country="JP"))
    write(tmp_path, SECOND)
    found = read(tmp_path)
    assert (found.items, found.problems, found.rows) == ((), (), 0)


def test_cities_of_one_name_in_two_provinces_are_two(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(5), row(2, province="980000", code="980100"))
    write(tmp_path, SECOND, row(6, day=SECOND), row(3, day=SECOND, province="980000", code="980100"))
    assert read(tmp_path, province="all").cases == 9
    assert read(tmp_path, province="980000").cases == 3


def test_what_was_before_the_dates_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(5))
    write(tmp_path, SECOND, row(6, day=SECOND))
    assert read_days(tmp_path, "990000", SECOND, SECOND).cases == 6


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row("many"), "the confirmed count 'many'"),
        (row("-1"), "the confirmed count '-1'"),
        (row("1.5"), "the confirmed count '1.5'"),
        (row(""), "the confirmed count ''"),
        (row("９"), "the confirmed count '９'"),
        (row(2**31), "the confirmed count '2147483648'"),
        (row(1, day=SECOND), "the row is dated '2020-01-21' in the file of 2020-01-20"),
        (row(1, code="99"), "the city code '99' is not six digits"),
        (row(1, province="99"), "the province code '99' is not six digits"),
        ("2020-01-20,示例国,CN,示例省", "the row has 4 columns, the header 11"),
        (row(1) + ",7", "the row has 12 columns, the header 11"),
        ('2020-01-20,"示例国,CN,示例省', "this is no line of a CSV file"),
        (row(7), "stands in this file twice"),
    ],
)
def test_a_malformed_row_is_reported_and_stops_nothing(tmp_path: Path, line: str, reason: str) -> None:
    write(tmp_path, FIRST, row(3), line, row(4, city="示例乙市", code="990200"))
    write(tmp_path, SECOND)
    found = read(tmp_path)
    assert found.cases == 7
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("2020-01-20.csv", 3)
    assert reason in problem.reason


def test_a_line_that_is_not_utf_8_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, row(3))
    path.write_bytes(path.read_bytes() + row(1, city="示例乙市").encode("gb18030") + b"\n" + row(4, city="丙").encode())
    write(tmp_path, SECOND)
    found = read(tmp_path)
    assert found.cases == 7
    assert [(problem.line, "not UTF-8" in problem.reason) for problem in found.problems] == [(3, True)]


def test_a_byte_order_mark_is_reported_and_the_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, row(3))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    write(tmp_path, SECOND)
    found = read(tmp_path)
    assert found.cases == 3
    assert [(problem.file, problem.line) for problem in found.problems] == [("2020-01-20.csv", 1)]


def test_a_missing_day_is_reported_and_its_neighbours_count(tmp_path: Path) -> None:
    third = SECOND + timedelta(days=1)
    write(tmp_path, FIRST, row(3))
    write(tmp_path, third, row(4, day=third))
    found = read(tmp_path, third)
    assert found.cases == 4
    assert [str(problem) for problem in found.problems] == ["2020-01-21.csv: there is no file for this day."]


@pytest.mark.parametrize("content", [b"", b"\n\n", HEADER.replace("confirmed", "cases").encode(), b"\xff\xfe\x00"])
def test_a_file_without_its_columns_is_reported_as_a_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{FIRST}.csv").write_bytes(content)
    write(tmp_path, SECOND, row(4, day=SECOND))
    found = read(tmp_path)
    assert found.cases == 4
    assert found.files == 1
    assert "the whole file is left out" in found.problems[-1].reason


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    header = "confirmed,cityCode,city,provinceCode,province,countryCode,date"
    write(tmp_path, FIRST, "3,990100,示例甲市,990000,示例省,CN,2020-01-20", header=header)
    write(tmp_path, SECOND)
    assert read(tmp_path).cases == 3


@pytest.mark.parametrize(
    ("province", "first", "last", "sentence"),
    [
        ("44", FIRST, FIRST, "'44' is no province code"),
        ("440100", FIRST, FIRST, "'440100' is no province code"),
        ("all", SECOND, FIRST, "The dates run backwards"),
        ("all", SECOND, SECOND, "holds no day file from 2020-01-21 to 2020-01-21"),
    ],
)
def test_an_import_that_cannot_start_says_why(
    tmp_path: Path, province: str, first: date, last: date, sentence: str
) -> None:
    write(tmp_path, FIRST, row(1))
    with pytest.raises(ImportRefused, match=sentence):
        read_days(tmp_path, province, first, last)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="There is no folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["2020-02-30", "20200120", "yesterday", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ImportRefused, match="is no date"):
        day_of(text)


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=8))
def test_increases_and_decreases_are_those_of_a_simple_model(days: list[list[int]]) -> None:
    cities = [("示例甲市", "990100"), ("示例乙市", "990200"), ("外地来示例", "")]
    with TemporaryDirectory() as name:
        for number, figures in enumerate(days):
            day = FIRST + timedelta(days=number)
            rows = [row(n, day=day, city=c, code=k) for n, (c, k) in zip(figures, cities, strict=True)]
            write(Path(name), day, *rows)
        found = read(Path(name), FIRST + timedelta(days=len(days) - 1))
    changes = [
        now - then
        for then, now in zip([[0] * 3, *days[:-1]], days, strict=True)
        for then, now in zip(then, now, strict=True)
    ]
    assert found.cases == sum(change for change in changes if change > 0)
    assert found.case_events == sum(change > 0 for change in changes)
    expected = Counter(missing_code=len(days), decreasing_total=sum(change < 0 for change in changes))
    assert found.objections == {kind: count for kind, count in sorted(expected.items()) if count}
    assert [item.at_ms for item in found.items] == sorted(item.at_ms for item in found.items)
    assert len({item.id for item in found.items}) == len(found.items)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real data are not at {REAL}")
@pytest.mark.parametrize(
    ("province", "case_events", "cases", "objections", "regions"),
    [
        ("440000", 295, 1349, {"missing_code": 22}, 20),
        ("330000", 182, 1225, {"decreasing_total": 3, "missing_code": 30}, 12),
        ("all", 4933, 80296, {"decreasing_total": 55, "missing_code": 882}, 426),
    ],
)
def test_real_data(province: str, case_events: int, cases: int, objections: dict[str, int], regions: int) -> None:
    found = read_days(REAL, province, FIRST, date(2020, 2, 29))
    assert (found.case_events, found.cases, found.objections, found.regions) == (
        case_events, cases, objections, regions,
    )  # fmt: skip
    assert found.problems == ()


def test_the_built_in_scenario_has_every_level_but_the_highest_and_every_kind_of_flaw() -> None:
    found = read_days(scenario.FOLDER, scenario.PROVINCE, day_of(scenario.FIRST), day_of(scenario.LAST))
    totals: Counter[str] = Counter()
    for item in found.items:
        totals[item.region or ""] += item.data.get("count", 0)
    assert sorted(totals.values()) == [2, 3, 5, 14, 62]
    assert set(found.objections) == {"decreasing_total", "missing_code"}
    assert len(found.problems) == 1
