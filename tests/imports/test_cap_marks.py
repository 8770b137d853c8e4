"""Warning numbers are taken apart; colour, grade and level are three marks, read only where the alert gives them."""

import pytest

from deptbus.clock import from_iso
from deptbus.imports.cap.warning_id import NoWarningId, read_warning_id
from tests.imports.cap_files import INFO, cap, data, remarks


def _with(*parameters: tuple[str, str], headline: str = "预警") -> str:
    told = "".join(
        f"    <parameter><valueName>{name}</valueName><value>{value}</value></parameter>\n"
        for name, value in parameters
    )
    return INFO.replace("深圳市发布暴雨橙色预警信号", headline).replace("    <area>", f"{told}    <area>", 1)


def test_a_warning_number_is_taken_apart_and_put_together_again() -> None:
    number = read_warning_id("44040041600000_20210830130023_1")
    assert number is not None
    assert (number.region, number.organisation, number.unit, number.extension) == ("440400", "416", "000", "00")
    assert number.issued_at == from_iso("2021-08-30T13:00:23+08:00")
    assert number.sequence == 1
    assert str(number) == "44040041600000_20210830130023_1"
    assert len(str(number)) == 31


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("99040041600000_20210830130023_1", "are no region of GB/T 2260"),
        ("44040041600000_20211330130023_1", "is no time YYYYMMDDhhmmss"),
        ("44040041600000_20210230130023_1", "is no time YYYYMMDDhhmmss"),
        ("44040041600000_20210830130023", "has 29 characters; a warning number has 31"),
        ("44040041600000_20210830130023_12", "has 32 characters"),
        ("44040041600000_20210830130023_x", "ending in the time, a low line and one digit"),
    ],
)
def test_what_looks_like_a_warning_number_and_is_none_says_why(identifier: str, reason: str) -> None:
    with pytest.raises(NoWarningId, match=reason):
        read_warning_id(identifier)
    text = cap(identifier=identifier)
    assert data(text)["warning_id"] is None
    assert reason in remarks(text)[0]


def test_an_identifier_of_another_kind_is_no_warning_number() -> None:
    assert read_warning_id("2.49.0.1.124.6bddbc91.2012") is None
    assert data(cap(identifier="A-1"))["warning_id"] is None


def test_the_three_marks_are_read_apart() -> None:
    said = data(cap(info=_with(("warning colour", "Orange"), ("event grade", "Ⅱ"), ("response level", "III"))))
    assert (said["colour"], said["grade"], said["level"]) == ("orange", "II", "III")


@pytest.mark.parametrize(("name", "value", "mark", "read"), [
    ("warning_color", "red", "colour", "red"),
    ("预警颜色", "黄色", "colour", "yellow"),
    ("预警级别", "Ⅱ级/橙色", "colour", "orange"),
    ("awareness_level", "2; yellow; Moderate", "colour", "yellow"),
    ("事件级别", "特别重大", "grade", "I"),
    ("事件级别", "重大突发事件", "grade", "II"),
    ("事件等级", "Ⅳ级（一般）", "grade", "IV"),
    ("响应级别", "二级响应", "level", "II"),
    ("Response Level", "level iv", "level", "IV"),
])  # fmt: skip
def test_usual_names_and_ways_of_writing_are_understood(name: str, value: str, mark: str, read: str) -> None:
    said = data(cap(identifier="A-1", info=_with((name, value))))
    assert {what: said[what] for what in ("colour", "grade", "level") if said[what]} == {mark: read}


def test_no_mark_follows_from_another_nor_from_the_severity() -> None:
    said = data(cap(identifier="A-1", info=_with(("warning colour", "red"))))
    assert (said["severity"], said["grade"], said["level"]) == ("Severe", None, None)
    assert data(cap(identifier="A-1"))["colour"] is None


def test_a_numbered_warning_tells_its_colour_in_the_headline() -> None:
    assert data(cap())["colour"] == "orange"
    assert data(cap(info=_with(("warning colour", "red"), headline="暴雨橙色预警")))["colour"] == "red"


def test_marks_that_cannot_be_read_or_contradict_are_remarked() -> None:
    assert remarks(cap(info=_with(("warning colour", "violet")))) == [
        "the parameter warning colour says 'violet', which is no colour"
    ]
    assert remarks(cap(info=_with(("warning colour", "red"), ("colour", "blue")))) == [
        "the alert gives two colours, red and blue; the first counts"
    ]
