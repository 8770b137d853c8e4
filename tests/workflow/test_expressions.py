"""Expressions: checked when compiled, with the position of what is wrong; evaluated with plain values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.workflow.expressions import Environment, EvaluationError, ExpressionError

ENVIRONMENT = Environment(
    {
        "event.count": "int",
        "event.region": "string",
        "event.note": "dyn",
        "event.tags": "dyn",
        "event.rate": "double",
        "facts.cases": "int",
        "facts.quiet": "bool",
        "region": "string",
    }
)
regions = st.from_regex(r"[1-9][0-9](0[1-9]|[1-9][0-9])(0[1-9]|[1-9][0-9])", fullmatch=True)


def value(source: str, result: Any = "any", **values: Any) -> Any:
    given_values = {name.replace("__", "."): one for name, one in values.items()}
    return ENVIRONMENT.compile(source, result).evaluate(given_values)


def test_guards_see_events_and_facts() -> None:
    guard = ENVIRONMENT.compile("event.count + facts.cases >= 10 && !facts.quiet", "bool")
    assert guard.names == {"event.count", "facts.cases", "facts.quiet"}
    assert guard.evaluate({"event.count": 4, "facts.cases": 6, "facts.quiet": False, "other": object()}) is True


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('"event.count" == "x"', set()),
        ("r'event.count \\d' == event.region", {"event.region"}),
        ("event . count > 1 // facts.cases", {"event.count"}),
        ('event.tags.exists(t, t == region && t != "facts.cases")', {"event.tags", "region"}),
        ("event.note.text == region", {"event.note", "region"}),
        ("max(min(event.count, 3), facts.cases) > 1", {"event.count", "facts.cases"}),
        ("true", set()),
    ],
)
def test_names_are_what_the_expression_reads(source: str, names: set[str]) -> None:
    assert ENVIRONMENT.compile(source, "any").names == names


@pytest.mark.parametrize(
    ("source", "result", "message"),
    [
        ("event.cuont > 1", "bool", r"undeclared reference to 'event\.cuont' \(column 6\)"),
        ("event.count +", "int", r"Syntax error.*\(column 14\)"),
        ('event.count == "x"', "bool", r"no matching overload.*\(column 13\)"),
        ("facts.cases", "bool", r"gives int, but bool is needed"),
        ("event.count > 1", "string", r"gives bool, but string is needed"),
        ("city(event.count)", "string", r"no matching overload for 'city'.*\(column 5\)"),
        ('"a"\n + event.gone', "string", r"'event\.gone' \(its line 2, column 9\)"),
        ("", "bool", r"does not compile"),
    ],
)
def test_what_is_wrong_is_said_with_its_position(source: str, result: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as error:
        ENVIRONMENT.compile(source, result)
    assert error.value.source == source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("event.cuont > 1", r"; did you mean event\.count\?$"),
        ("event.count > 1 and facts.cases > 1", r"\); write && for and$"),
        ("event.count > 1 or facts.cases > 1", r"\); write \|\| for or$"),
        ("not (event.count > 1)", r"\); write ! for not$"),
        ("event.count = 1", r"\); write == to compare$"),
        ('event.count > 1 "and"', r"\)$"),
        ("event.count > 7.5", r"\); write decimals with a point, such as 7\.0, or double\(x\) for a whole number$"),
        ("max(event.count, 7.5) > 7.5", r"\); they take whole numbers: int\(x\) makes one of a decimal$"),
        ('event.count + "x"', r"\); string\(n\) makes text of a number, int\(s\) a number of text$"),
        ("nothing_like_it", r"\)$"),
    ],
)
def test_what_was_probably_meant_is_said(source: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        ENVIRONMENT.compile(source, "any")


@pytest.mark.parametrize(
    ("source", "values", "message"),
    [
        ("event.count / 0 > 1", {"event.count": 1}, "divide by zero"),
        ("event.count + 9223372036854775807 > 1", {"event.count": 1}, "integer overflow"),
        ("event.count > 1", {}, "needs event.count"),
        ("event.count > 1", {"event.count": "2"}, "Unexpected value type"),
        ("event.note.text", {"event.note": None}, "has no value"),
        ("event.note", {"event.note": None}, "must give a bool, but gave None"),
        ("event.note", {"event.note": "yes"}, "must give a bool, but gave 'yes'"),
    ],
)
def test_what_has_no_value_raises(source: str, values: dict[str, Any], message: str) -> None:
    guard = ENVIRONMENT.compile(source, "bool")
    with pytest.raises(EvaluationError, match=message):
        guard.evaluate(values)


def test_an_error_is_no_string() -> None:
    with pytest.raises(EvaluationError, match="No matching overloads"):
        value('event.note + "x"', "string", event__note=None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('city("440305")', "440300"),
        ('province("440305")', "440000"),
        ('covers("440000", "440305")', True),
        ('covers("440300", "440305")', True),
        ('covers("440305", "440300")', False),
        ('covers("440400", "440305")', False),
        ('covers("000000", "440305")', True),
        ('covers("440305001", "440305")', False),
        ('covers("440305", "440305001")', True),
        ("max(3, 7) - min(3, 7)", 4),
        ("max(max(1, 2), [3, 4][0])", 3),
        ('city(city("44" + "0305")) + "max(1, 2)"', "440300max(1, 2)"),
        ('"contains".contains("city(")', False),
        ('"北京".size() + 1', 3),
    ],
)
def test_functions_of_rules(source: str, expected: Any) -> None:
    assert value(source) == expected


@given(regions, regions)
def test_a_region_covers_what_shares_its_digits(one: str, other: str) -> None:
    assert value("covers(city(region), event.region)", region=one, event__region=other) is (one[:4] == other[:4])
    assert value("covers(province(region), event.region)", region=one, event__region=other) is (one[:2] == other[:2])
    assert value("covers(region, region)", region=one) is True


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_larger_and_smaller(one: int, other: int) -> None:
    values = {"event__count": one, "facts__cases": other}
    assert value("max(event.count, facts.cases)", "int", **values) == max(one, other)
    assert value("min(event.count, facts.cases)", "int", **values) == min(one, other)


@given(st.text(max_size=40))
def test_whatever_is_written_compiles_or_is_an_expression_error(source: str) -> None:
    try:
        compiled = ENVIRONMENT.compile(source, "any")
    except ExpressionError:
        return
    assert compiled.names <= ENVIRONMENT.variables.keys()


@given(st.text(alphabet="abce().,\"' +<max0city1&|!?:[]", max_size=30))
def test_what_nearly_is_an_expression_too(source: str) -> None:
    try:
        compiled = ENVIRONMENT.compile(source, "any")
        compiled.evaluate({})
    except (ExpressionError, EvaluationError):
        pass


def test_memory_does_not_grow_with_evaluations() -> None:
    """The binding's own Python functions keep the arguments of every call; ours must not."""
    compiled = ENVIRONMENT.compile("city(region)", "string")
    page = 4096

    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * page

    for _ in range(20_000):
        compiled.evaluate({"region": "440305"})
    before = resident()
    for _ in range(100_000):
        compiled.evaluate({"region": "440305"})
    assert resident() - before < 4_000_000
