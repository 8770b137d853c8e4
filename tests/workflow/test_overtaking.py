"""Events that overtake one another on the way: what came first though it happened afterwards still counts."""

from typing import Any

from deptbus.workflow.definition import LEVELS
from deptbus.workflow.early import KEPT_MAX
from tests.workflow.definitions import CASES, rule, small, step
from tests.workflow.test_advance import DAY, cases, directive, instance
from tests.workflow.world import HOUR, START, World, sample

ABOUT = {"region": "440100"}
BAN = small(
    rules=[
        CASES,
        rule("gathering", "urban.GatheringDetected", subject="event.gathering"),
        rule("banned", "police.BanIssued", subject="event.gathering"),
        rule("over", "police.GatheringDispersed", subject="event.gathering"),
    ],
    steps=[
        step("ban", "rule:gathering", role="police", completed_by=["police.BanIssued"], cancelled_by=["rule:over"]),
        step("follow", "completed:ban", role="police"),
    ],
)
STOPPED = small(
    rules=[CASES, rule("stopped", "cdc.CaseConfirmed"), rule("started", "cdc.CaseDiscarded")],
    steps=[step("verify", stops=[{"from": "cdc.CaseConfirmed", "until": "cdc.CaseDiscarded", "basis": "law 5"}])],
)
LEVEL = small(level={"of": "facts.cases", "rows": [{"at_least": 5, "gives": "III"}], "basis": "law 6"})


def opened(pack: Any) -> World:
    """A world with an open instance."""
    world = World(pack)
    cases(world, 1, START)
    return world


def happen(world: World, event_type: str, at: int, **data: Any) -> list[Any]:
    """Something is published that happened at ``at``."""
    return world.publish(event_type, sample(event_type, **ABOUT, **data), at=at, **ABOUT)


def asked(world: World) -> list[tuple[str, str]]:
    """Step and subject of every task that was requested."""
    return [(data["step"], data["subject"]) for data in world.of_type("workflow.TaskRequested")]


def test_what_was_done_before_the_request_came_is_not_asked_for_and_what_follows_follows() -> None:
    world = opened(BAN)
    happen(world, "police.BanIssued", START + 2 * HOUR, gathering="a")
    outputs = happen(world, "urban.GatheringDetected", START + HOUR, gathering="a")
    assert "over_already" in world.kinds(outputs)
    assert asked(world) == [("follow", "a")]
    assert (instance(world)["asked"], instance(world)["done"]) == ({"ban": 1, "follow": 1}, {"ban": 1})
    (task,) = instance(world)["tasks"]
    assert task["requested_at"] == START + 2 * HOUR
    assert instance(world)["tally"] == {"police": {"completed": 1, "requested": 1}}


def test_one_completion_completes_one_task() -> None:
    world = opened(BAN)
    happen(world, "police.BanIssued", START + 3 * HOUR, gathering="a")
    happen(world, "urban.GatheringDetected", START + HOUR, gathering="a")
    happen(world, "urban.GatheringDetected", START + 2 * HOUR, gathering="a")
    assert asked(world).count(("ban", "a")) == 1


def test_what_happened_before_the_request_completes_and_cancels_nothing() -> None:
    world = opened(BAN)
    happen(world, "urban.GatheringDetected", START + 2 * HOUR, gathering="a")
    outputs = happen(world, "police.BanIssued", START + HOUR, gathering="a")
    happen(world, "police.GatheringDispersed", START + HOUR, gathering="a")
    assert [task["step"] for task in instance(world)["tasks"]] == ["ban"]
    assert "unmatched" in world.kinds(outputs)


def test_what_was_over_before_the_request_came_is_not_asked_for() -> None:
    world = opened(BAN)
    happen(world, "police.GatheringDispersed", START + 2 * HOUR, gathering="a")
    happen(world, "urban.GatheringDetected", START + HOUR, gathering="a")
    happen(world, "urban.GatheringDetected", START + 3 * HOUR, gathering="a")
    assert asked(world) == [("ban", "a")]
    assert instance(world)["tasks"][0]["requested_at"] == START + 3 * HOUR


def test_an_event_about_one_subject_ends_no_task_of_another() -> None:
    world = opened(BAN)
    happen(world, "urban.GatheringDetected", START + HOUR, gathering="b")
    happen(world, "police.BanIssued", START + 2 * HOUR, gathering="a")
    assert [task["subject"] for task in instance(world)["tasks"]] == ["b"]


def test_an_event_that_ends_no_task_and_came_by_no_rule_is_recorded() -> None:
    world = opened(small(steps=[step("ban", "level", completed_by=["health.FigureVerified"])]))
    data = sample("health.FigureVerified", region="440100", objection="a")
    outputs = world.publish("health.FigureVerified", data, at=START, instance="small/440100/1")
    assert world.kinds(outputs) == ["unmatched"]


def test_no_more_is_remembered_than_may_and_nothing_that_no_late_event_can_be_about() -> None:
    world = opened(BAN)
    for number in range(KEPT_MAX + 20):
        happen(world, "police.BanIssued", START + number, gathering=str(number))
    assert len(instance(world)["early"]) == KEPT_MAX
    happen(world, "police.BanIssued", START + 3 * DAY, gathering="a")
    assert [each["subject"] for each in instance(world)["early"]] == ["a"]


def test_a_clock_that_started_before_it_was_known_to_have_stopped_does_not_stand_for_ever() -> None:
    world = opened(STOPPED)
    happen(world, "cdc.CaseDiscarded", START + 2 * HOUR)
    outputs = happen(world, "cdc.CaseConfirmed", START + HOUR // 2)
    (extended,) = world.of_type("workflow.TaskExtended", outputs)
    assert (extended["acknowledge_by"], extended["complete_by"]) == (START + 5 * HOUR // 2, START + 11 * HOUR // 2)
    assert instance(world)["tasks"][0]["paused_at"] is None


def test_an_older_start_of_the_clock_does_not_undo_a_newer_stop() -> None:
    world = opened(STOPPED)
    happen(world, "cdc.CaseConfirmed", START + 2)
    happen(world, "cdc.CaseDiscarded", START + 1)
    assert instance(world)["tasks"][0]["paused_at"] == START + 2


def test_deadlines_stand_from_the_first_of_two_stops_whichever_comes_first() -> None:
    world = opened(STOPPED)
    happen(world, "cdc.CaseConfirmed", START + 20)
    happen(world, "cdc.CaseConfirmed", START + 10)
    outputs = happen(world, "cdc.CaseDiscarded", START + 30)
    assert world.of_type("workflow.TaskExtended", outputs)[0]["complete_by"] == START + 4 * HOUR + 20


def test_an_order_that_comes_late_does_not_take_back_by_how_much_the_clock_stood_after_it() -> None:
    world = opened(STOPPED)
    (task,) = instance(world)["tasks"]
    happen(world, "cdc.CaseConfirmed", START + 20)
    happen(world, "cdc.CaseDiscarded", START + 30)
    directive(world, START + 10, act="extend", task=task["id"], complete_by=START + DAY)
    assert instance(world)["tasks"][0]["complete_by"] == START + DAY + 10


def test_of_two_orders_about_a_task_the_later_one_stands_in_whatever_order_they_come() -> None:
    world = opened(small())
    (task,) = instance(world)["tasks"]
    directive(world, START + 20, act="extend", task=task["id"], complete_by=START + 2 * DAY)
    outputs = directive(world, START + 10, act="extend", task=task["id"], complete_by=START + DAY)
    assert world.kinds(outputs) == ["order_void"]
    assert instance(world)["tasks"][0]["complete_by"] == START + 2 * DAY


def test_of_two_orders_of_a_level_the_later_one_stands_in_whatever_order_they_come() -> None:
    world = opened(LEVEL)
    directive(world, START + 20, act="level", level=LEVELS[2])
    outputs = directive(world, START + 10, act="level", level=LEVELS[0])
    assert world.kinds(outputs) == ["order_void"]
    assert instance(world)["level"] == LEVELS[2]


def test_an_order_that_comes_late_takes_back_nothing_that_the_rule_has_raised_since() -> None:
    world = opened(LEVEL)
    cases(world, 9, START + 20)
    outputs = directive(world, START + 10, act="level", level="IV")
    assert world.kinds(outputs) == ["order_void"]
    assert instance(world)["level"] == "III"


def test_what_was_known_only_later_does_not_raise_a_level_that_was_ordered_since() -> None:
    world = opened(LEVEL)
    directive(world, START + 20, act="level", level="IV")
    outputs = cases(world, 9, START + 10)
    assert "level_overtaken" in world.kinds(outputs)
    assert (instance(world)["level"], instance(world)["highest_level"]) == ("IV", "III")


def test_a_timer_is_not_set_back_by_an_older_event() -> None:
    calm = [{"timer": "calm", "after": "3h", "basis": "law 7"}]
    world = opened(small(rules=[CASES | {"restart": ["calm"]}], timers=calm))
    cases(world, 1, START + 2 * HOUR)
    cases(world, 1, START + HOUR)
    assert [timer["due"] for timer in instance(world)["timers"]] == [START + 5 * HOUR]


def test_a_task_was_acknowledged_when_it_was_first_answered_in_whatever_order_the_answers_come() -> None:
    world = opened(small())
    (task,) = world.of_type("workflow.TaskRequested")
    world.answer(task, "progressed", at=START + 2 * HOUR)
    assert instance(world)["counts"]["acknowledged_late"] == 1
    world.answer(task, "acknowledged", at=START + HOUR // 2)
    assert instance(world)["counts"]["acknowledged_late"] == 0
    (now,) = instance(world)["tasks"]
    assert (now["state"], now["acknowledged_at"], now["late"]) == ("progressed", START + HOUR // 2, False)
