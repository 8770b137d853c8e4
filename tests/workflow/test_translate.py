"""Expressions as Python functions: whatever is written and whatever the values, the library says the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.workflow.expressions import Environment, EvaluationError, Expression
from deptbus.workflow.pack import Pack
from deptbus.workflow.values import InstanceValues
from tests.workflow.world import pack_of, workflow

TYPES = {
    "event.i": "int", "event.s": "string", "event.x": "dyn", "facts.d": "double", "facts.b": "bool", "facts.i": "int",
    "facts.s": "string", "asked.step": "int", "done.step": "int", "open.step": "int", "at": "int", "region": "string",
    "level": "string", "level_rank": "int", "subject": "string", "open_tasks": "int", "lead": "string", "parts": "int",
}  # fmt: skip
ENVIRONMENT = Environment(TYPES)
INTS = st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**63 - 1, -(2**63)]))
TEXTS = st.one_of(
    st.text(max_size=6), st.sampled_from(["", " a b ", "440305", "440300", "a,b", "-12", "007", "İ", "a\x1f", "a\0b"])
)
DOUBLES = st.floats(width=64)
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "int": INTS, "string": TEXTS, "bool": st.booleans(), "double": DOUBLES, "bytes": st.binary(max_size=3),
    "dyn": st.one_of(st.none(), INTS, TEXTS, st.booleans(), DOUBLES, st.lists(TEXTS, max_size=2)),
}  # fmt: skip
ODD = st.one_of(*OF_TYPE.values(), st.integers(2**63, 2**64))


@dataclass
class Given(InstanceValues):
    """Values as an instance has them, by their qualified names."""

    values: Mapping[str, Any]
    at: int = 0
    subject: str = ""
    event: dict[str, Any] = field(default_factory=dict)
    event_region: None = None

    def __post_init__(self) -> None:
        values = self.values
        self.at, self.subject = values.get("at", 0), values.get("subject", "")
        tasks = [{"step": "step"}] * (values.get("open.step", 0) % 4) + [{"step": "other"}]
        self.instance = {
            "level": values.get("level"), "lead": values.get("lead"), "region": values.get("region"), "tasks": tasks,
            "parts": [""] * (values.get("parts", 0) % 4),
            **{head: {} for head in ("facts", "asked", "done")},
        }  # fmt: skip
        for name, value in values.items():
            head, _, tail = name.partition(".")
            if head == "event":
                part, *rest = tail.split(".")
                where = self.event
                while rest:
                    where, part = where.setdefault(part, {}), rest.pop(0)
                where[part] = value
            elif head in ("facts", "asked", "done"):
                self.instance[head][tail] = value


def said(evaluate: Any, values: Any) -> tuple[Any, ...]:
    """What comes of an evaluation, with the type of a value; NaN is itself."""
    try:
        value = evaluate(values)
    except EvaluationError as error:
        return "no value", str(error)
    return type(value), repr(value)


def drawn(data: st.DataObject, names: Mapping[str, str]) -> Given:
    """Values of the declared types for most names; for some any, or none at all."""
    odd = data.draw(st.sampled_from([None, None, None, *names]))
    values = {
        name: data.draw(ODD if name == odd else OF_TYPE[kind])
        for name, kind in names.items()
        if name not in ("open.step", "parts", "level")
    }
    values |= {"open.step": data.draw(st.integers(0, 3)), "parts": data.draw(st.integers(0, 3))}
    values["level"] = data.draw(st.sampled_from([None, "I", "IV"]))
    if odd is not None and data.draw(st.booleans()):
        del values[odd]
    return Given(values)


def _packs() -> list[Pack]:
    return [pack_of(workflow(name)) for name in ("epidemic", "flood", "leak", "warning")]


def _expressions(pack: Pack) -> list[Expression]:
    found = [pack.closes, pack.level_of]
    for rule in pack.rules.values():
        found += [rule.when, rule.key, rule.region, rule.subject, rule.alias, *(one for _, one in rule.set)]
    for timer in pack.timers.values():
        found += [one for _, one in timer.set]
    for step in pack.steps.values():
        found += [step.when, step.repeat_while, step.for_regions, *(one for _, one in step.context)]
    return list({one.source: one for one in found if one is not None}.values())


OURS = [expression for pack in _packs() for expression in _expressions(pack)]


def test_every_expression_of_the_project_is_translated() -> None:
    assert [expression.source for expression in OURS if expression.translated is None] == []


@settings(max_examples=15)
@pytest.mark.parametrize("expression", OURS, ids=lambda expression: expression.source[:40])
@given(st.data())
def test_expressions_of_the_project(expression: Expression, data: st.DataObject) -> None:
    values = drawn(data, {name: TYPES.get(name) or _guess(name) for name in sorted(expression.names)})
    assert said(expression.evaluate, values) == said(expression.by_library, values)


def _guess(name: str) -> str:
    return "int" if name.partition(".")[0] in ("asked", "done", "open") else "dyn"


def _calls(texts: Any, ints: Any, bools: Any, doubles: Any) -> dict[str, Any]:
    """One more layer of well-typed expressions."""
    binary = lambda one, signs, other: st.tuples(one, st.sampled_from(signs), other).map(lambda t: f"({' '.join(t)})")  # noqa: E731
    lists = st.one_of(
        st.lists(texts, min_size=1, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.tuples(texts, texts).map(lambda t: f"{t[0]}.split({t[1]})"),
        st.tuples(texts, texts).map(lambda t: f"{t[0]}.split({t[1]}).filter(y, y != {t[0]})"),
        st.tuples(texts, texts).map(lambda t: f"{t[0]}.split({t[1]}).map(y, y + {t[0]})"),
    )  # fmt: skip
    either = lambda one: st.tuples(bools, one, one).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})")  # noqa: E731
    return {
        "string": st.one_of(
            texts, binary(texts, ["+"], texts), either(texts), ints.map(lambda i: f"string({i})"),
            bools.map(lambda b: f"string({b})"), doubles.map(lambda d: f"string({d})"), st.just("string(event.x)"),
            st.tuples(texts, st.sampled_from(["trim", "lowerAscii", "upperAscii"])).map(lambda t: f"{t[0]}.{t[1]}()"),
            st.tuples(texts, texts, texts).map(lambda t: f"{t[0]}.replace({t[1]}, {t[2]})"),
            st.tuples(texts, ints).map(lambda t: f"{t[0]}.substring({t[1]})"),
            st.tuples(texts, ints, ints).map(lambda t: f"{t[0]}.substring({t[1]}, {t[2]})"),
            st.tuples(lists, texts).map(lambda t: f"{t[0]}.join({t[1]})"), lists.map(lambda one: f"{one}.join()"),
            st.tuples(st.sampled_from(["city", "province"]), texts).map(lambda t: f"{t[0]}({t[1]})"),
        ),
        "int": st.one_of(
            ints, binary(ints, ["+", "-", "*", "/", "%"], ints), either(ints), ints.map(lambda i: f"(-{i})"),
            st.tuples(st.sampled_from(["max", "min"]), ints, ints).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
            st.one_of(texts, lists).map(lambda t: f"{t}.size()"), texts.map(lambda t: f"int({t})"),
            doubles.map(lambda d: f"int({d})"), ints.map(lambda i: f"(event.x + {i})"),
        ),
        "double": st.one_of(
            doubles, binary(doubles, ["+", "-", "*", "/"], doubles), ints.map(lambda i: f"double({i})")
        ),
        "bool": st.one_of(
            bools, binary(bools, ["&&", "||", "==", "!="], bools), bools.map(lambda b: f"!{b}"), either(bools),
            binary(ints, ["<", "<=", ">", ">=", "==", "!="], ints), binary(texts, ["<", ">=", "==", "!="], texts),
            binary(doubles, ["<", "<=", "==", "!="], doubles), binary(texts, ["in"], lists),
            binary(st.just("event.x"), ["==", "!="], st.one_of(texts, ints, bools, doubles, st.just("null"))),
            binary(st.just("event.x"), ["<", ">="], st.one_of(texts, ints)), st.just("event.x"),
            st.tuples(texts, st.sampled_from(["contains", "startsWith", "endsWith"]), texts).map(
                lambda t: f"{t[0]}.{t[1]}({t[2]})"
            ),
            st.tuples(lists, st.sampled_from(["exists", "all", "exists_one"]), texts).map(
                lambda t: f"{t[0]}.{t[1]}(y, y == {t[2]} || {t[2]} < y)"
            ),
            st.tuples(texts, texts).map(lambda t: f"covers({t[0]}, {t[1]})"),
        ),
    }  # fmt: skip


def _written() -> st.SearchStrategy[tuple[str, str]]:
    """A well-typed expression, and its type."""
    quoted = TEXTS.map(lambda text: '"' + "".join(f"\\U{ord(one):08x}" for one in text) + '"')
    layers: dict[str, Any] = {
        "string": st.one_of(st.sampled_from([name for name, kind in TYPES.items() if kind == "string"]), quoted),
        "int": st.one_of(
            st.sampled_from([name for name, kind in TYPES.items() if kind == "int"]), st.integers(-3, 8).map(str),
            INTS.filter(lambda i: i > -(2**63)).map(str),
        ),
        "double": st.sampled_from(["facts.d", "0.0", "1.5", "-2.0"]),
        "bool": st.sampled_from(["facts.b", "true", "false"]),
    }  # fmt: skip
    for _ in range(3):
        layers = _calls(layers["string"], layers["int"], layers["bool"], layers["double"])
    return st.one_of(*(one.map(lambda source, kind=kind: (source, kind)) for kind, one in layers.items()))


@settings(max_examples=1_500)
@given(_written(), st.data())
def test_whatever_is_written(written: tuple[str, str], data: st.DataObject) -> None:
    source, kind = written
    for result in (kind, "any"):
        expression = ENVIRONMENT.compile(source, result)  # type: ignore[arg-type]
        values = drawn(data, {name: TYPES[name] for name in sorted(expression.names)})
        assert said(expression.evaluate, values) == said(expression.by_library, values), source
