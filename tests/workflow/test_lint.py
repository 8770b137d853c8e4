"""What is in vain is found, and what only looks like it is left alone."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.schemas.store import load_schemas
from deptbus.workflow.expressions import Environment, EvaluationError
from deptbus.workflow.fields import symbols_of
from deptbus.workflow.lint import Finding, lint
from deptbus.workflow.lint.values import ANY, BOTH, Range, assume, values
from deptbus.workflow.load import lint_workflow, workflow_names
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.test_activation import catalogue
from tests.workflow.world import ROOT

BASE: dict[str, Any] = {
    "facts": {"cases": {"type": "int", "initial": 0}},
    "responsibilities": [
        line("health_authority", "health"),
        line("command_post", "command"),
        line("upper_government", "government"),
    ],
}
FLAG = {"cases": {"type": "int", "initial": 0}, "done": {"type": "bool", "initial": False}}
SHORT = rule("short", "hospitals.ResourceShort")
TIMER = {"timer": "quiet", "after": "1h", "basis": "law 6"}
ROWS = {"of": "facts.cases", "rows": [{"at_least": 1, "gives": "IV"}, {"at_least": 9, "gives": "III"}], "basis": "l"}
FEW = {"set": {"cases": "min(event.count, 5)"}}


def found(**changes: Any) -> list[Finding]:
    pack = small(**(BASE | changes))
    return lint(pack, symbols_of(pack.definition, load_schemas(ROOT)))


def codes(**changes: Any) -> list[str]:
    return [finding.code for finding in found(**changes) if not finding.remark]


def guarded(when: str, **more: Any) -> dict[str, Any]:
    return {"steps": [step("verify", when=when)], **more}


def with_flag(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"facts": FLAG, "rules": [CASES, *rules], "closes": "facts.done", **more}


def timed(*, rules: Any = None, **more: Any) -> dict[str, Any]:
    """A timer that starts with each report of cases, at which the only step is asked."""
    cases = CASES | {"restart": ["quiet"], "window": "9d"}
    steps = [step("verify", "rule:cases", cancelled_by=["timer:quiet"], **more)]
    return {"rules": [cases, *(rules or ())], "steps": steps, "timers": [TIMER | {"after": "10h"}]}


LEVEL_II = [*BASE["responsibilities"], line("health_authority", "health", level="III")]
RELIABLE = [line("health_authority", "health"), line("health_authority", "police", region="44"),
            *BASE["responsibilities"][1:]]  # fmt: skip
COMPLETING = [step("verify", completed_by=["health.FigureVerified"])]

CASES_OF: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # code, what is in vain, what is nearly that and is not
    ("never-holds", guarded("asked.verify < 0"), guarded("asked.verify < 1")),
    ("never-holds", guarded("level_rank > 4"), guarded("level_rank > 3")),
    ("never-holds", guarded("level_rank > 0", directives=None), guarded("level_rank > 0")),
    ("never-holds", guarded("facts.cases > 5 && facts.cases < 3"), guarded("facts.cases > 3 && facts.cases < 5")),
    ("never-holds", guarded('level == "V"'), guarded('level == "IV"')),
    ("never-holds", guarded("1 > 2"), guarded("facts.cases > 2")),
    ("never-holds", {"rules": [CASES | {"when": "event.count > 3 && event.count < 2"}]},
     {"rules": [CASES | {"when": "event.count > 1 && event.count < 3"}]}),
    ("never-holds", {"rules": [CASES, rule("o", "data.ObjectionRaised", set={"cases": "1"}, when='event.kind == "x"')]},
     {"rules": [CASES, rule("o", "data.ObjectionRaised", set={"cases": "1"}, when='event.kind == "missing_code"')]}),
    ("always-holds", guarded("true"), guarded("facts.cases > 0")),
    ("always-holds", guarded("facts.cases == facts.cases"), guarded("facts.cases == asked.verify")),
    ("always-holds", guarded("level_rank > 2 || level_rank <= 2"), guarded("level_rank > 2 || level_rank < 2")),
    ("always-holds", guarded("region == '44' || true"), guarded("region == '44' || level_rank > 2")),
    ("always-holds", {"steps": [step("verify", every="9h", repeat_while="open_tasks >= 0")]},
     {"steps": [step("verify", every="9h", repeat_while="open_tasks > 0")]}),
    ("part-decided", guarded("facts.cases > 3 && level_rank <= 4"), guarded("facts.cases > 3 && level_rank <= 3")),
    ("part-decided", {"closes": "facts.cases > 9 || open_tasks < 0"}, {"closes": "facts.cases > 9 || open_tasks < 1"}),
    ("trigger-never", {"steps": [step("verify", "opened", "level")], "directives": None, "level": ROWS,
                       "rules": [CASES | {"set": {"cases": "0"}}], "closes": "open_tasks == 0"},
     {"steps": [step("verify", "opened", "level")], "directives": None, "level": ROWS}),
    ("trigger-never", {"steps": [step("verify", cancelled_by=["completed:more"]), step("more", when="1 > 2")]},
     {"steps": [step("verify", cancelled_by=["completed:more"]), step("more", when="facts.cases > 2")]}),
    ("never-asked", {"steps": [step("verify", when="1 > 2"), step("more", "completed:verify")]},
     {"steps": [step("verify", when="open_tasks > 2"), step("more", "completed:verify")]}),
    ("never-asked", {"rules": [CASES, SHORT | {"when": "event.quantity > 1 && event.quantity < 0"}],
                     "steps": [step("verify"), step("more", "rule:short")]},
     {"rules": [CASES, SHORT | {"when": "event.quantity > 1 && event.quantity < 9"}],
      "steps": [step("verify"), step("more", "rule:short")]}),
    ("never-closes", with_flag(), with_flag(SHORT | {"set": {"done": "true"}})),
    ("never-closes", with_flag(SHORT | {"set": {"done": "facts.done && event.quantity > 0"}}),
     with_flag(SHORT | {"set": {"done": "facts.done || event.quantity > 0"}})),
    ("closes-at-once", {"closes": "open_tasks >= 0"}, {"closes": "open_tasks > 0"}),
    ("level-never", {"level": ROWS, "directives": None, "rules": [CASES | FEW], "closes": "facts.cases == 5"},
     {"level": ROWS, "directives": None}),
    ("line-never", {"responsibilities": LEVEL_II, "level": ROWS, "directives": None, "rules": [CASES | FEW],
                    "closes": "facts.cases == 5"},
     {"responsibilities": LEVEL_II, "level": ROWS, "directives": None}),
    ("fact-never-set", {"facts": FLAG, "closes": "facts.done || facts.cases > 9"},
     with_flag(SHORT | {"set": {"done": "true"}}, closes="facts.done || facts.cases > 9")),
    ("fact-unused", {"facts": FLAG}, with_flag(SHORT | {"set": {"done": "true"}})),
    ("timer-never-starts", with_flag(timers=[TIMER | {"set": {"done": "true"}}]),
     with_flag(SHORT | {"restart": ["quiet"]}, timers=[TIMER | {"set": {"done": "true"}}])),
    ("timer-idle", {"rules": [CASES | {"restart": ["quiet"]}], "timers": [TIMER]},
     {"rules": [CASES | {"restart": ["quiet"]}], "timers": [TIMER], "steps": [step("verify", "timer:quiet")]}),
    ("rule-idle", {"rules": [CASES, SHORT]}, {"rules": [CASES, SHORT], "steps": [step("verify", "rule:short")]}),
    ("rule-idle", {"rules": [CASES, SHORT]},
     {"rules": [CASES, SHORT], "steps": [step("verify", stops=[
         {"from": "hospitals.ResourceShort", "until": "health.ResourceCommitted", "basis": "l"}])]}),
    ("stop-unheard",
     {"rules": [CASES, SHORT], "steps": [step("verify", stops=[
         {"from": "hospitals.ResourceShort", "until": "health.ResourceCommitted", "basis": "l"}])]},
     {"rules": [CASES, SHORT, rule("there", "health.ResourceCommitted")], "steps": [step("verify", stops=[
         {"from": "hospitals.ResourceShort", "until": "health.ResourceCommitted", "basis": "l"}])]}),
    ("role-unasked", {"responsibilities": [*BASE["responsibilities"], line("police", "police")]},
     {"responsibilities": [*BASE["responsibilities"], line("police", "police")], "command": "police"}),
    ("not-their-event", {"responsibilities": RELIABLE, "steps": COMPLETING,
                         "rules": [CASES, rule("v", "health.FigureVerified", set={"cases": "0"})]},
     {"responsibilities": RELIABLE, "steps": COMPLETING}),
    ("no-time", {"steps": [step("verify", acknowledge_by="0m")]}, {"steps": [step("verify", acknowledge_by="1m")]}),
    ("asked-before-due", {"steps": [step("verify", every="3h")]}, {"steps": [step("verify", every="4h")]}),
    ("asked-before-due", {"steps": [step("verify", every="1h", complete_by="1wd")]},
     {"steps": [step("verify", every="1wd", complete_by="30h")]}),
    ("window-short", {"rules": [CASES | {"window": "3h"}], "steps": [step("verify", "rule:cases")]},
     {"rules": [CASES | {"window": "4h"}], "steps": [step("verify", "rule:cases")]}),
    ("cancelled-before-due", timed(complete_by="11h"), timed(complete_by="10h")),
    ("cancelled-before-due", timed(complete_by="11h"),
     timed(complete_by="11h", rules=[SHORT]) | {"steps": [
         step("verify", "rule:cases", "rule:short", complete_by="11h", cancelled_by=["timer:quiet"])]}),
    ("rung-after-cancel", timed(escalate=[
        {"at": "acknowledge_by", "to": "command_post"}, {"at": "complete_by", "after": "11h", "to": "command_post"}]),
     timed(escalate=[
         {"at": "acknowledge_by", "to": "command_post"}, {"at": "complete_by", "after": "9h", "to": "command_post"}])),
    ("declined-after", {"escalate": [
        *small().definition.model_dump()["escalate"], {"at": "declined", "after": "1h", "to": "command_post"}]},
     {"escalate": [*small().definition.model_dump()["escalate"], {"at": "declined", "to": "command_post"}]}),
]  # fmt: skip


def test_the_example_that_all_others_change_is_sound() -> None:
    assert found() == []


@pytest.mark.parametrize(("code", "bad", "fine"), CASES_OF, ids=[f"{n}-{one[0]}" for n, one in enumerate(CASES_OF)])
def test_what_is_in_vain_is_found_and_its_like_is_not(code: str, bad: dict[str, Any], fine: dict[str, Any]) -> None:
    assert code in codes(**bad)
    assert code not in codes(**fine)


def test_a_fact_that_is_only_shown_is_a_remark() -> None:
    (remark,) = found(**with_flag(SHORT | {"set": {"done": "true"}}, closes="facts.cases > 9"))
    assert (remark.code, remark.remark) == ("fact-only-shown", True)
    counts = {"done": {"type": "int", "initial": 0}} | BASE["facts"]
    (remark,) = found(facts=counts, rules=[CASES, SHORT | {"set": {"done": "facts.done + 1"}}])
    assert "the fact done" in remark.message.en


def test_a_rule_that_no_event_finds_is_a_remark() -> None:
    unkeyed = rule("moved", "emergency.ResourceCommitted", set={"done": "true"}, key=None)
    (remark,) = found(**with_flag(unkeyed, closes="facts.done || facts.cases > 9"))
    assert (remark.code, remark.remark) == ("rule-unheard", True)
    answered = rule("verified", "health.FigureVerified", set={"done": "true"}, key=None)
    asked = [step("verify", completed_by=["health.FigureVerified"])]
    assert found(**with_flag(answered, closes="facts.done || facts.cases > 9", steps=asked)) == []


def test_what_never_closes_says_what_is_missing() -> None:
    (finding,) = [
        one for one in found(**with_flag(closes="facts.cases > 0 && facts.done")) if one.code == "never-closes"
    ]
    assert finding.message.en == "no instance closes by itself: facts.done never holds"
    assert finding.message.zh == "实例永远不会自行办结：facts.done 永远不成立"


@pytest.mark.parametrize("name", workflow_names(ROOT))
def test_nothing_is_in_vain_in_the_workflows_of_the_project(name: str) -> None:
    assert [(place, one.code) for place, one in lint_workflow(ROOT, name, catalogue()) if not one.remark] == []


ENVIRONMENT = Environment({"i": "int", "j": "int", "b": "bool", "s": "string"})
NUMBERS = st.sampled_from(["i", "j", "0", "1", "2", "i + 1", "max(i, j)", "i - j", "-i", "2 * j", "i * j", "min(i, 2)"])
LEAVES = st.one_of(
    st.sampled_from(["b", "true", "false", 's == "x"', 's != "x"', 's + "y" == "xy"']),
    st.tuples(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS).map(" ".join),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} ? {parts[1]} : {parts[2]})"),
    ),
    max_leaves=6,
)
BOUNDS = st.tuples(st.integers(-2, 3), st.integers(0, 3)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=400)
@given(CONDITIONS, BOUNDS, BOUNDS, st.data())
def test_what_is_said_to_be_impossible_never_happens(
    source: str, i: tuple[int, int], j: tuple[int, int], data: st.DataObject
) -> None:
    expression = ENVIRONMENT.compile(source, "bool")
    known = {"i": Range(*i), "j": Range(*j), "b": BOTH, "s": frozenset({"x", "z"})}
    drawn = {
        "i": data.draw(st.integers(*i)),
        "j": data.draw(st.integers(*j)),
        "b": data.draw(st.booleans()),
        "s": data.draw(st.sampled_from(["x", "z"])),
    }
    try:
        value = expression.evaluate(drawn)
    except EvaluationError:
        return
    found_values = values(expression.tree, known)
    assert isinstance(found_values, frozenset)
    assert value in found_values
    narrowed = assume(expression.tree, value, known)
    assert narrowed is not None
    for name, one in drawn.items():
        bound = narrowed.get(name, ANY)
        assert bound.low <= one <= bound.high if isinstance(bound, Range) else bound == ANY or one in bound
