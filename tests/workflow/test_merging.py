"""Instances under one command, each in a journal partition of its own: merged, told, split, closed; refused."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.workflow.correlate import tick
from deptbus.workflow.fold import OUTPUT_TOPICS
from deptbus.workflow.output import Output
from deptbus.workflow.state import Instance
from tests.workflow.definitions import line, rule, small, step
from tests.workflow.world import HOUR, START, Unaltered, encoded, sample
from tests.workflow.worlds import Worlds

P, L, M = "small/440305", "small/440300", "flood/440300"
NANSHAN = {"zh": "区指挥部", "en": "District command"}
CITY = {"zh": "市指挥部", "en": "City command"}
LEVEL = {
    "of": "facts.cases",
    "rows": [{"at_least": 10, "gives": "III"}, {"at_least": 50, "gives": "II"}],
    "basis": "law 5",
}
DEFINITION: dict[str, Any] = {
    "command": "command_post",
    "level": LEVEL,
    "steps": [
        step("verify"),
        step("report_to_lead", "merged", when='lead != ""'),
        step("report_alone", "split", when='lead == ""'),
        step("take_in", "merged", when="parts > 0"),
    ],
    "responsibilities": [
        line("health_authority", "health"),
        line("command_post", "command", unit=CITY),
        line("command_post", "districts", region="440305", unit=NANSHAN),
        line("upper_government", "government"),
    ],
}
PACKS = (
    small(**DEFINITION),
    small(**DEFINITION | {"workflow": "flood", "rules": [rule("cases", "cdc.CaseConfirmed", opens=True)]}),
)


def worlds(*, stepped: bool = False) -> Worlds:
    """An incident in Nanshan and one in the whole city, open, in two partitions."""
    found = Worlds(*PACKS, stepped=stepped)
    assert found.at(P) is not found.at(L)
    if not stepped:
        cases(found, P, 1, START)
        cases(found, L, 1, START)
    return found


def cases(there: Worlds, name: str, count: int, at: int, **about: Any) -> list[Output]:
    region = name.partition("/")[2]
    data = sample("health.CasesConfirmed", region=region, count=count)
    return there.publish("health.CasesConfirmed", data, at=at, region=region, **about)


def order(there: Worlds, name: str, act: str, at: int, *, arrive: bool = True, **data: Any) -> list[Output]:
    workflow, _, key = name.partition("/")
    data = sample("command.DirectiveIssued", act=act, workflow=workflow, key=key, reason="one front", **data)
    about = {"at": at, "id": f"{act} {name} {at}", "actor": "Li"}
    return there.publish("command.DirectiveIssued", data, arrive=arrive, **about)


def merged() -> Worlds:
    """The incident in Nanshan under the city's command."""
    there = worlds()
    order(there, P, "merge", START + 1, into=f"{L}/1")
    return there


def part(there: Worlds, name: str = P) -> Instance:
    found = there.open(name)
    assert found is not None
    return found


def lead(there: Worlds) -> Instance:
    return part(there, L)


def data(outputs: list[Output], event_type: str) -> list[dict[str, Any]]:
    return [output.data for output in outputs if output.type == event_type]


# Merging


def test_a_part_comes_under_the_command_of_its_lead() -> None:
    there = worlds()
    outputs = order(there, P, "merge", START + 1, into=f"{L}/1")
    assert (part(there)["lead"], part(there)["lead_region"], part(there)["merging"]) == (f"{L}/1", "440300", None)
    assert lead(there)["parts"] == [f"{P}/1"]
    assert data(outputs, "workflow.InstanceMerged") == [
        {"instance": f"{P}/1", "workflow": "small", "region": "440305", "lead": f"{L}/1", "reason": "one front"}
    ]
    (taken,) = data(outputs, "workflow.CommandTaken")
    assert (taken["instance"], taken["from_department"], taken["to_department"]) == (f"{P}/1", "districts", "command")
    assert taken["reason"] == f"merged under {L}/1"
    assert there.kinds(outputs, f"{P}/1") == ["ordered", "merged", "command_taken", "task_requested"]
    assert there.kinds(outputs, f"{L}/1") == ["merged", "task_requested"]


def test_all_that_follows_from_a_merge_names_the_order_as_its_cause_and_its_basis() -> None:
    there = worlds()
    outputs = order(there, P, "merge", START + 1, into=f"{L}/1")
    causes = {output.causationid for output in outputs if output.type == "workflow.InstanceMerged"}
    assert causes == {f"merge {P} {START + 1}"}
    told = [line for line in data(outputs, "workflow.TimelineRecorded") if line["kind"] == "merged"]
    assert {(line["cause"], line["basis"], line["actor"]) for line in told} == {(*causes, "a law", "Li")}


def test_both_sides_may_wait_for_the_merge() -> None:
    there = merged()
    assert [task["step"] for task in part(there)["tasks"]] == ["verify", "report_to_lead"]
    assert [task["step"] for task in lead(there)["tasks"]] == ["verify", "take_in"]


def test_nothing_of_a_parts_chain_changes() -> None:
    there = worlds()
    before = part(there)
    order(there, P, "merge", START + 1, into=f"{L}/1")
    after = part(there)
    assert after["tasks"][:1] == before["tasks"]
    same = ("instance", "cause", "opened_at", "region", "facts", "asked")
    assert {key: after[key] for key in same[:-1]} == {key: before[key] for key in same[:-1]}


def test_a_part_takes_a_higher_level_of_its_lead_and_keeps_a_higher_one_of_its_own() -> None:
    there = worlds()
    cases(there, L, 60, START)
    order(there, P, "merge", START + 1, into=f"{L}/1")
    assert part(there)["level"] == "II"
    there = worlds()
    cases(there, P, 60, START)
    cases(there, L, 10, START)
    order(there, P, "merge", START + 1, into=f"{L}/1")
    assert (part(there)["level"], lead(there)["level"]) == ("II", "III")


def test_a_level_raised_in_the_lead_is_raised_in_its_parts_and_one_lowered_is_not_lowered() -> None:
    there = merged()
    outputs = cases(there, L, 60, START + HOUR)
    assert part(there)["level"] == "II"
    (told,) = [raised for raised in data(outputs, "workflow.LevelRaised") if raised["instance"] == f"{P}/1"]
    assert f"{L}/1" in told["reason"]
    order(there, L, "level", START + 2 * HOUR, level="IV")
    assert (part(there)["level"], lead(there)["level"]) == ("II", "IV")


def test_who_commands_the_lead_is_told_what_is_missed_in_a_part() -> None:
    there = merged()
    outputs = there.tick(START + HOUR)
    told = {data["instance"]: data["to_department"] for data in data(outputs, "workflow.TaskEscalated")}
    assert told == {f"{P}/1": "command", f"{L}/1": "command"}
    there = worlds()
    told = {found["instance"]: found["to_department"] for found in data(there.tick(START + HOUR), TASK_ESCALATED)}
    assert told[f"{P}/1"] == "districts"


TASK_ESCALATED = "workflow.TaskEscalated"


def test_incidents_of_different_workflows_come_under_one_command() -> None:
    there = worlds()
    about = {"at": START, "region": "440300"}
    there.publish("cdc.CaseConfirmed", sample("cdc.CaseConfirmed", region="440300"), **about)
    order(there, P, "merge", START + 1, into=f"{M}/1")
    assert part(there)["lead"] == f"{M}/1"
    assert part(there, M)["parts"] == [f"{P}/1"]


# Apart again


def test_a_part_that_is_split_off_is_commanded_on_its_own_again() -> None:
    there = merged()
    outputs = order(there, P, "split", START + 2)
    assert (part(there)["lead"], part(there)["lead_region"]) == (None, None)
    assert lead(there)["parts"] == []
    assert part(there)["command_department"] == "districts"
    assert data(outputs, "workflow.InstanceSplit")[0]["lead"] == f"{L}/1"
    assert there.kinds(outputs, f"{L}/1") == ["split", "task_requested"]
    assert [task["step"] for task in part(there)["tasks"]] == ["verify", "report_to_lead", "report_alone"]
    order(there, P, "merge", START + 3, into=f"{L}/1")
    assert lead(there)["parts"] == [f"{P}/1"]


def test_a_part_that_closes_is_let_go() -> None:
    there = merged()
    outputs = order(there, P, "close", START + 2)
    assert lead(there)["parts"] == []
    assert there.kinds(outputs, f"{L}/1") == ["split"]
    assert data(outputs, "workflow.InstanceChanged")[0]["lead"] == f"{L}/1", "who led it at its end stays known"


def test_when_the_lead_closes_its_parts_go_on_alone() -> None:
    there = merged()
    outputs = order(there, L, "close", START + 2)
    assert part(there)["lead"] is None
    assert part(there)["command_department"] == "districts"
    assert data(outputs, "workflow.InstanceSplit")[0]["reason"] == f"{L}/1 is closed: one front"
    assert there.open(P) is not None


# Refused


@pytest.mark.parametrize(
    ("into", "why"),
    [
        (f"{L}/2", "is not open"),
        (f"{L}/99999999999999999999", "is not open"),
        ("small/110000/1", "is not open"),
        ("nothing/440300/1", "is not open"),
        (f"{P}/1", "names no other instance"),
        (L, "names no other instance"),
        ("", "names no other instance"),
        ("x" * 2_000, "names no other instance"),
        ("small//1", "names no other instance"),
    ],
)  # fmt: skip
def test_what_cannot_lead_is_refused_and_recorded(into: str, why: str) -> None:
    there = worlds()
    outputs = order(there, P, "merge", START + 1, into=into)
    (void,) = [line for line in data(outputs, "workflow.TimelineRecorded") if line["kind"] == "order_void"]
    assert why in void["detail"]["reason"]
    assert (void["instance"], void["cause"]) == (f"{P}/1", f"merge {P} {START + 1}")
    assert (part(there)["lead"], part(there)["merging"]) == (None, None)


def test_a_closed_incident_leads_nobody() -> None:
    there = worlds()
    order(there, L, "close", START)
    order(there, P, "merge", START + 1, into=f"{L}/1")
    assert (part(there)["lead"], part(there)["merging"]) == (None, None)


def test_there_are_no_chains_of_command() -> None:
    there = merged()
    about = {"at": START, "region": "440300"}
    there.publish("cdc.CaseConfirmed", sample("cdc.CaseConfirmed", region="440300"), **about)
    led = order(there, M, "merge", START + 2, into=f"{P}/1")
    assert there.kinds(led, f"{M}/1") == ["ordered", "order_void"]
    leads = order(there, L, "merge", START + 3, into=f"{M}/1")
    assert there.kinds(leads, f"{L}/1") == ["order_void"]
    again = order(there, P, "merge", START + 4, into=f"{M}/1")
    assert there.kinds(again, f"{P}/1") == ["order_void"]
    assert part(there)["lead"] == f"{L}/1"


def test_two_that_ask_each_other_refuse_each_other() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    order(there, L, "merge", START + 1, arrive=False, into=f"{P}/1")
    there.arrive()
    for found in (part(there), lead(there)):
        assert (found["lead"], found["merging"], found["parts"]) == (None, None, [])


def test_who_waits_for_an_answer_asks_nobody_else() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    outputs = order(there, P, "merge", START + 2, arrive=False, into="small/440000/1")
    assert there.kinds(outputs, f"{P}/1") == ["order_void"]
    assert there.kinds(order(there, P, "split", START + 3), f"{P}/1")[0] == "order_void"
    assert part(there)["lead"] == f"{L}/1"


# Twice, late and crossing


def test_what_is_told_twice_changes_nothing() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    while there.on_the_way:
        number, entry = there.on_the_way.popleft()
        there.append(there.worlds[number], entry, entry)
    assert lead(there)["parts"] == [f"{P}/1"]
    assert part(there)["lead"] == f"{L}/1"
    assert [task["step"] for task in part(there)["tasks"]] == ["verify", "report_to_lead"]
    assert [task["step"] for task in lead(there)["tasks"]] == ["verify", "take_in"]


def test_a_part_that_closes_while_it_waits_is_not_led() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    order(there, P, "close", START + 2)
    assert lead(there)["parts"] == []
    assert there.open(P) is None


def test_a_lead_that_closes_before_it_is_asked_refuses() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    order(there, L, "close", START + 2)
    assert (part(there)["lead"], part(there)["merging"]) == (None, None)


def test_an_old_ask_that_comes_again_is_undone() -> None:
    there = merged()
    order(there, P, "split", START + 2)
    ask = next(entry for _, entry in there.at(L).journal if entry["reason"] == "ask")
    there.append(there.at(L), ask)
    assert lead(there)["parts"] == [f"{P}/1"]
    there.arrive()
    assert lead(there)["parts"] == []
    assert part(there)["lead"] is None


def test_a_level_that_crosses_a_split_is_not_taken() -> None:
    there = merged()
    order(there, P, "split", START + 2, arrive=False)
    cases(there, L, 60, START + 2)
    assert part(there)["level"] is None
    assert "unmatched" in there.at(P).kinds()


def test_what_was_told_to_an_earlier_instance_of_a_key_does_not_concern_the_next() -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    order(there, P, "close", START + 2, arrive=False)
    cases(there, P, 1, START + HOUR, arrive=False)
    there.arrive()
    assert part(there)["instance"] == f"{P}/2"
    assert part(there)["lead"] is None
    assert lead(there)["parts"] == []


@pytest.mark.parametrize("change", [
    {"target": None}, {"reason": None}, {"reason": "sing"}, {"event": None}, {"level": "IX"}, {"note": None},
    {"target": "x"}, {"kind": "lead", "reason": "ask"}, {"kind": "lead", "reason": "accept"}, {"key": ""},
])  # fmt: skip
def test_whatever_is_told_nothing_is_rejected(change: dict[str, Any]) -> None:
    there = worlds()
    order(there, P, "merge", START + 1, arrive=False, into=f"{L}/1")
    _, ask = there.on_the_way.popleft()
    there.append(there.at(L), ask | change)
    there.arrive()
    assert lead(there)["lead"] is None


# In exercise time


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["merge", "merge", "merge", "split", "close", "cases", "level"]),
        st.sampled_from(["440305", "440300", "440000"]),
        st.sampled_from(["440305", "440300", "440000"]),
        st.integers(0, 59),
    ),
    max_size=4,
)


def stepped_outcome(
    steps: list[list[tuple[str, str, str, int]]], hurry: list[bool]
) -> tuple[list[tuple[str, str, dict[str, Any]]], Worlds]:
    """Give orders step by step; ``hurry``: whether what is told in a step arrives before its tick elsewhere."""
    there = worlds(stepped=True)
    haste = itertools.cycle(hurry)
    for name in (P, L, "small/440000"):
        cases(there, name, 1, START)
    for number, orders in enumerate([[], *steps, [], [], []]):
        for count, (act, key, other, minute) in enumerate(orders):
            name, at = f"small/{key}", START + number * HOUR + minute * 60_000
            if act == "cases":
                cases(there, name, 20, at, id=f"cases {number} {count}", arrive=False)
            else:
                order(there, name, act, at, arrive=False, into=f"small/{other}/1", level="III")
        for world in there.worlds if next(haste) else reversed(there.worlds):
            there.append(world, tick(START + (number + 1) * HOUR, number))
            if next(haste):
                there.arrive()
        there.arrive()
    told = [output for world in there.worlds for output in world.outputs if output.topic in OUTPUT_TOPICS]
    return sorted((output.topic, output.id, output.data) for output in told), there


def test_in_exercise_time_what_is_told_is_applied_in_the_next_step_however_fast_it_arrives() -> None:
    steps = [[("merge", "440305", "440300", 1), ("cases", "440300", "", 2)], [("cases", "440300", "", 1)] * 2]
    outcomes = []
    for hurry in (True, False):
        outcome, there = stepped_outcome(steps, [hurry])
        assert part(there)["lead"] == f"{L}/1"
        assert part(there)["level"] == lead(there)["level"] == "II"
        outcomes.append(outcome)
    assert outcomes[0] == outcomes[1]


@settings(max_examples=40)
@given(steps=st.lists(ORDERS, max_size=5), hurry=st.lists(st.booleans(), min_size=1, max_size=9))
def test_an_exercise_always_ends_the_same(steps: list[list[tuple[str, str, str, int]]], hurry: list[bool]) -> None:
    outcome, there = stepped_outcome(steps, hurry)
    assert outcome == stepped_outcome(steps, [False])[0]
    same_when_folded(there)


# Folded


def same_when_folded(there: Worlds) -> None:
    """Every partition's journal comes to the same bytes and the same outputs."""
    for world in there.worlds:
        again = world.new_partition(kind=Unaltered).apply([world.read(entry) for entry in world.journal])
        for key, value in world.snapshots().items():
            assert key[0] == "@" or encoded(again)[key] == value
        told = [(output.id, output.data) for output in again if output.topic != "workflow.instances"]
        assert told == [(output.id, output.data) for output in world.outputs if output.topic != "workflow.instances"]


KEYS = (P, L, "small/440000", M)
acts = st.lists(
    st.tuples(
        st.sampled_from(["merge", "merge", "merge", "split", "close", "cases", "level", "arrive", "twice", "tick"]),
        st.sampled_from(KEYS),
        st.sampled_from(KEYS),
        st.integers(1, 3),
    ),
    max_size=40,
)


@settings(max_examples=80)
@given(steps=acts)
def test_in_the_end_both_sides_always_agree(steps: list[tuple[str, str, str, int]]) -> None:
    there, now = worlds(), START
    for act, name, other, size in steps:
        now += 1_000
        if act == "arrive":
            there.arrive(size)
        elif act == "twice" and there.on_the_way:
            there.on_the_way.appendleft(there.on_the_way[0])
        elif act == "tick":
            there.tick(now + size * HOUR)
        elif act == "cases":
            if name == M:
                found = sample("cdc.CaseConfirmed", region="440300")
                there.publish("cdc.CaseConfirmed", found, at=now, region="440300", arrive=False)
            else:
                cases(there, name, size * 10, now - size * 10, arrive=False)
        elif act in ("merge", "split", "close", "level"):
            order(there, name, act, now, arrive=False, into=f"{other}/{max(1, size - 1)}", level="III")
    there.arrive()
    for name in KEYS:
        instance = there.open(name)
        if instance is None:
            continue
        assert instance["merging"] is None
        assert not (instance["lead"] and instance["parts"])
        if instance["lead"]:
            leading = there.open(instance["lead"].rpartition("/")[0])
            assert leading is not None
            assert instance["instance"] in leading["parts"]
        for one in instance["parts"]:
            led = there.open(one.rpartition("/")[0])
            assert led is not None
            assert (led["instance"], led["lead"]) == (one, instance["instance"])
    same_when_folded(there)
