"""Colour, grade and level of a warning from what its sender adds. Three marks, never derived from one another."""

import re
from collections.abc import Iterator

from deptbus.imports.cap.finding import Findings
from deptbus.imports.cap.structure import Node

_SEPARATORS = re.compile(r"[\s_:：-]+")
_NAMES = {
    "colour": {
        "warningcolour", "warningcolor", "colour", "color", "alertcolour", "alertcolor", "awarenesslevel",
        "预警颜色", "预警信号颜色", "颜色", "预警级别", "预警等级",
    },
    "grade": {"eventgrade", "grade", "事件级别", "事件等级", "突发事件级别", "突发事件等级"},
    "level": {"responselevel", "响应级别", "响应等级", "应急响应级别", "应急响应等级"},
}  # fmt: skip
_COLOUR = re.compile(r"\b(red|orange|yellow|blue)\b|(红|橙|黄|蓝)", re.IGNORECASE)
_COLOURS = {"红": "red", "橙": "orange", "黄": "yellow", "蓝": "blue"}
_HEADLINE = re.compile(r"(红|橙|黄|蓝)色(?:预警|警报)")
_GRADES = {"特别重大": "I", "特大": "I", "重大": "II", "较大": "III", "一般": "IV"}
_NUMERALS = {
    "Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV", "一": "I", "二": "II", "三": "III", "四": "IV",
    "1": "I", "2": "II", "3": "III", "4": "IV", "I": "I", "II": "II", "III": "III", "IV": "IV",
}  # fmt: skip
_NUMERAL = re.compile(r"(?:level|grade)?(Ⅰ|Ⅱ|Ⅲ|Ⅳ|IV|III|II|I|[一二三四1-4])级?(?:响应)?", re.IGNORECASE)


def read_marks(alert: Node, numbered: bool, findings: Findings) -> dict[str, str | None]:
    """``colour``, ``grade`` and ``level``; None where the alert does not give one.

    A parameter by one of the usual names gives it; an alert with a warning number (``numbered``) also tells its colour
    in the headline, as 12379 has it (``暴雨橙色预警``).
    """
    marks: dict[str, str | None] = dict.fromkeys(_NAMES)
    for line, name, value in _parameters(alert):
        folded = _SEPARATORS.sub("", name).lower()
        mark = next((mark for mark, names in _NAMES.items() if folded in names), None)
        if mark is None or not value:
            continue
        read = _colour(value) if mark == "colour" else _numeral(value, mark)
        if read is None:
            findings.remark(line, f"the parameter {name} says {value[:40]!r}, which is no {mark}")
        elif marks[mark] is None:
            marks[mark] = read
        elif marks[mark] != read:
            findings.remark(line, f"the alert gives two {mark}s, {marks[mark]} and {read}; the first counts")
    if marks["colour"] is None and numbered:
        told = (_HEADLINE.search(info.one("headline") or "") for info in alert.all("info"))
        marks["colour"] = next((_COLOURS[found[1]] for found in told if found), None)
    return marks


def _parameters(alert: Node) -> Iterator[tuple[int, str, str]]:
    for info in alert.all("info"):
        for parameter in info.all("parameter"):
            yield parameter.line, parameter.one("valueName") or "", parameter.one("value") or ""


def _colour(value: str) -> str | None:
    found = {_COLOURS.get(chinese, english.lower()) for english, chinese in _COLOUR.findall(value)}
    return found.pop() if len(found) == 1 else None


def _numeral(value: str, mark: str) -> str | None:
    bare = _SEPARATORS.sub("", value)
    if mark == "grade":
        named = next((grade for word, grade in _GRADES.items() if word in bare), None)
        if named is not None:
            return named
    found = _NUMERAL.fullmatch(bare)
    return _NUMERALS[found[1].upper()] if found else None
