"""Entries that nobody expects are recorded and change nothing; what a pack lacks is recorded and the rest goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deptbus.clock import LATEST_MS, iso
from deptbus.workflow import due as module
from deptbus.workflow.aliases import FORWARDS_MAX
from deptbus.workflow.correlate import tick
from deptbus.workflow.notes import malformed
from deptbus.workflow.tasks import FEW
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.test_advance import DAY, activation, cases, directive, instance
from tests.workflow.world import HOUR, ROOT, START, World, sample


def recorded(world: World, kind: str) -> list[dict[str, Any]]:
    """The timeline's records of a kind."""
    return [data for data in world.of_type("workflow.TimelineRecorded") if data["kind"] == kind]


def entry_of(world: World) -> dict[str, Any]:
    """The entry of an event that opens an instance of Guangzhou."""
    data = sample("health.CasesConfirmed", region="440100", count=1)
    (entry,) = world.entries("health.CasesConfirmed", data, at=START, region="440100", id="odd")
    return entry


def named(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry with a text in its event that is longer than any."""
    return {**entry, "event": {**entry["event"], name: "x" * 1_001}}


TEXTS_OF_EVENTS = [
    field["name"]
    for field in json.loads((ROOT / "schemas/common/SourceEvent.avsc").read_text())["fields"]
    if "string" in field["type"]
]
MALFORMED: list[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = [
    ("it lacks its event", lambda entry: {**entry, "event": None}),
    ("it lacks the value", lambda entry: {**entry, "body": None}),
    ("its key is longer", lambda entry: {**entry, "key": "x" * 1_001}),
    ("the id of its event is longer", lambda entry: named(entry, "id")),
    ("the legalbasis of its event is longer", lambda entry: named(entry, "legalbasis")),
    ("it names no key", lambda entry: {**entry, "kind": "migration", "key": ""}),
    ("it names no pack", lambda entry: {**entry, "kind": "migration", "pack": None}),
    ("it names no pack", lambda entry: {**entry, "kind": "retirement", "pack": None}),
    ("it holds no pack", lambda entry: {**entry, "kind": "activation", "event": None, "body": b"not a pack"}),
    ("it holds no pack", lambda entry: {**entry, "kind": "activation", "event": None, "body": None}),
]


@pytest.mark.parametrize(("reason", "spoil"), MALFORMED)
@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
def test_an_entry_that_says_nothing_is_recorded_and_its_neighbours_apply(
    reason: str, spoil: Callable[[dict[str, Any]], dict[str, Any]], stepped: bool
) -> None:
    world = World(small(), stepped=stepped)
    world.append(spoil(entry_of(world)))
    cases(world, 1, START)
    world.tick(START + HOUR, 0)
    (malformed,) = recorded(world, "malformed")
    assert malformed["detail"]["reason"].startswith(reason)
    assert instance(world)["facts"]["cases"] == 1


@pytest.mark.parametrize("name", TEXTS_OF_EVENTS)
def test_every_text_of_an_event_is_looked_at(name: str) -> None:
    assert str(malformed(named(entry_of(World(small())), name))).startswith(f"the {name} of its event is longer")


@pytest.mark.parametrize("at", [-(2**63), -1, 2**63 - 1])
def test_a_time_that_no_calendar_has_counts_as_the_nearest_that_there_is(at: int) -> None:
    world = World(small(steps=[step("verify", acknowledge_by="1wd", complete_by="2wd")]))
    world.append({**entry_of(world), "at": at})
    assert instance(world)["clock"] in (0, LATEST_MS)
    assert world.kinds().count("deadline_failed") == 2


def test_times_are_written_to_the_millisecond() -> None:
    assert [iso(at) for at in (0, START + 1, LATEST_MS)] == [
        "1970-01-01T00:00:00.000Z", "2020-01-19T16:00:00.001Z", "9999-12-30T23:59:59.999Z",
    ]  # fmt: skip


def test_a_step_that_nobody_answers_for_is_not_asked_and_the_others_are() -> None:
    world = World(small(steps=[step("unheard", role="nobody"), step("verify")]))
    cases(world, 1, START)
    assert [data["step"] for data in world.of_type("workflow.TaskRequested")] == ["verify"]
    assert "nobody is responsible as nobody" in recorded(world, "not_asked")[0]["detail"]["reason"]


def test_a_rung_that_nobody_answers_for_is_recorded_and_the_ladder_climbed_on() -> None:
    ladder = [{"at": "acknowledge_by", "to": "nobody"}, {"at": "complete_by", "to": "command_post"}]
    world = World(small(escalate=ladder))
    cases(world, 1, START)
    outputs = world.tick(START + DAY)
    assert recorded(world, "nobody_responsible")[0]["detail"]["missed"] == "acknowledge_by"
    assert [data["missed"] for data in world.of_type("workflow.TaskEscalated", outputs)] == ["complete_by"]
    assert world.partition.next_due is None


def test_a_deadline_in_a_year_that_the_calendar_lacks_is_recorded_and_the_rest_of_the_event_counts() -> None:
    world = World(small(steps=[step("verify", acknowledge_by="1wd", complete_by="2wd")]))
    cases(world, 3, START + 700 * DAY)
    assert world.of_type("workflow.TaskRequested") == []
    assert "2021" in recorded(world, "deadline_failed")[0]["detail"]["reason"]
    assert instance(world)["facts"]["cases"] == 3


def test_a_rung_in_a_year_that_the_calendar_lacks_is_climbed_at_the_deadline_itself() -> None:
    ladder = [{"at": "acknowledge_by", "to": "command_post"}, {"at": "complete_by", "after": "1wd", "to": "police"}]
    world = World(small(escalate=ladder, steps=[step("verify", complete_by="400d")]))
    cases(world, 1, START)
    outputs = world.tick(START + 400 * DAY)
    assert [data["missed"] for data in world.of_type("workflow.TaskEscalated", outputs)] == [
        "acknowledge_by",
        "complete_by",
    ]


def test_a_level_that_cannot_be_worked_out_is_recorded_and_the_rest_counts() -> None:
    level = {"of": "10 / (facts.cases - 1)", "rows": [{"at_least": 1, "gives": "IV"}], "basis": "law 6"}
    world = World(small(level=level))
    cases(world, 1, START)
    assert instance(world)["level"] is None
    cases(world, 1, START)
    assert instance(world)["level"] == "IV"
    assert len(recorded(world, "level_failed")) == 1


def test_a_timer_that_the_pack_does_not_have_is_not_started() -> None:
    world = World(small(rules=[CASES | {"restart": ["gone"]}]))
    cases(world, 1, START)
    assert instance(world)["timers"] == []


def test_two_keys_that_are_names_of_each_other_send_no_entry_round_for_ever() -> None:
    world = World(small())
    alias = {**tick(START), "kind": "alias", "workflow": "small"}
    world.append({**alias, "key": "a", "target": "b"}, {**alias, "key": "b", "target": "a"})
    waiting = [{**entry_of(world), "key": "a"}]
    rounds = 0
    while waiting and rounds < 100:
        outputs = world.append(waiting.pop())
        waiting = [data["entry"] for data in world.of_type("workflow.EntryAppended", outputs)]
        rounds += 1
    assert rounds == FORWARDS_MAX + 1
    assert recorded(world, "alias_void")[0]["detail"]["target"] in ("a", "b")
    assert sorted(str(world.partition.states[f"small/{key}"].alias_of) for key in "ab") == ["None", "a"]


def test_a_key_becomes_no_name_of_another_while_its_instance_is_open() -> None:
    world = World(small())
    cases(world, 1, START)
    world.append({**tick(START), "kind": "alias", "workflow": "small", "key": "440100", "target": "b"})
    assert recorded(world, "alias_void")[0]["detail"]["reason"] == "an instance is open here"
    assert world.partition.states["small/440100"].alias_of is None


def test_what_an_older_version_let_wait_is_recorded_where_the_newer_has_no_rule_for_it() -> None:
    old = small(rules=[CASES, rule("objection", "data.ObjectionRaised")])
    new = small(version=2)
    world = World(old)
    world.publish("data.ObjectionRaised", sample("data.ObjectionRaised", region="440100"), at=START, region="440100")
    world.append(activation(new))
    world.correlator = type(world.correlator)([new])
    cases(world, 1, START + 1)
    assert "version 2" in recorded(world, "unmatched")[0]["detail"]["reason"]


def test_two_rules_that_one_event_waits_by_are_two_records() -> None:
    world = World(small(rules=[CASES, rule("one", "data.ObjectionRaised"), rule("two", "data.ObjectionRaised")]))
    data = sample("data.ObjectionRaised", region="440100")
    outputs = world.publish("data.ObjectionRaised", data, at=START, region="440100")
    assert len({output.id for output in outputs if output.type == "workflow.TimelineRecorded"}) == 2


def test_an_event_whose_id_begins_like_that_of_another_acts_on_tasks_as_well() -> None:
    world = World(
        small(
            rules=[CASES, rule("confirmed", "cdc.CaseConfirmed")],
            steps=[step("verify", role="cdc", completed_by=["cdc.CaseConfirmed"])],
            responsibilities=[
                line("cdc", "cdc"),
                line("command_post", "command"),
                line("upper_government", "government"),
            ],
        )
    )
    cases(world, 1, START, id="7 cases")
    world.publish("cdc.CaseConfirmed", sample("cdc.CaseConfirmed", region="440100"), at=START, region="440100", id="7")
    assert instance(world)["done"] == {"verify": 1}


@pytest.mark.parametrize(("acknowledge_by", "complete_by"), [(None, 2**62), (START + 2 * DAY, START + DAY), (None, -5)])
def test_deadlines_that_are_none_or_the_wrong_way_round_are_void(acknowledge_by: Any, complete_by: int) -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = instance(world)["tasks"]
    about = {"task": task["id"], "acknowledge_by": acknowledge_by, "complete_by": complete_by}
    outputs = directive(world, START + 1, act="extend", **about)
    assert world.kinds(outputs) == ["order_void"]
    assert instance(world)["tasks"] == [task]


def test_an_order_to_open_is_recorded_whether_it_opens_or_not() -> None:
    world = World(small())
    order = sample("command.DirectiveIssued", act="open", workflow="small", key="440100", reason="at once")
    first = world.publish("command.DirectiveIssued", order, at=START, region="440100")
    second = world.publish("command.DirectiveIssued", order, at=START + 1, region="440100")
    assert "ordered" in world.kinds(first)
    assert world.kinds(second) == ["order_void"]


def test_where_a_rule_makes_no_region_the_instance_has_that_of_its_event() -> None:
    world = World(small(rules=[CASES | {"region": "event.city.substring(0, 6)"}]))
    cases(world, 1, START)
    assert instance(world)["region"] == "440100"


def test_the_region_of_the_opening_event_is_known_to_the_rule_that_opens() -> None:
    world = World(small(rules=[CASES | {"region": "province(region)"}]))
    cases(world, 1, START)
    assert instance(world)["region"] == "440000"


def test_what_one_tick_leaves_over_the_next_one_lets_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRED_MAX", 3)
    world = World(small(steps=[step("report", every="1h", repeat_while="true", only_one=False, complete_by="90d",
                                    acknowledge_by="90d")]))  # fmt: skip
    cases(world, 1, START)
    asked = [len(world.of_type("workflow.TaskRequested", world.tick(START + 5 * HOUR + late))) for late in (0, 1, 2)]
    assert asked == [3, 2, 0]


def test_the_clock_of_a_key_does_not_go_back_when_its_instance_closes() -> None:
    world = World(small(rules=[CASES, rule("objection", "data.ObjectionRaised")]))
    data = sample("data.ObjectionRaised", region="440100")
    world.publish("data.ObjectionRaised", data, at=START + 3 * HOUR, region="440100")
    cases(world, 1_000, START)
    assert world.partition.states["small/440100"].clock == START + 3 * HOUR


def test_what_open_tasks_say_fits_into_a_record_however_much_events_say() -> None:
    names = ("city", "province", "source_reference", "date")
    asking = step("verify", "rule:objection", context={name: f"event.{name}" for name in names})
    world = World(small(rules=[CASES, rule("objection", "data.ObjectionRaised", subject="event.objection")],
                        steps=[asking]))  # fmt: skip
    cases(world, 1, START)
    about = {"region": "440100"} | dict.fromkeys(names, "国" * 2_000)
    for number in range(FEW + 20):
        data = sample("data.ObjectionRaised", objection=str(number), **about)
        world.publish("data.ObjectionRaised", data, at=START + number, region="440100")
    assert len(instance(world)["tasks"]) == FEW
    assert len(recorded(world, "not_asked")) == 20
