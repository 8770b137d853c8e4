"""What is due next: one list over all open incidents in the order of time, each with who is responsible and why."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from deptbus.desk.due import Due, Wanted, due
from tests.command.projecting import INSTANCE, REGION, board_of
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import HOUR, START, World, sample

CONFIRMED = "health.CasesConfirmed"
MINUTE = HOUR // 60


def _world() -> World:
    """Cases are verified, capacity is reported every four hours; after a quiet day sites are released."""
    pack = small(
        rules=[
            CASES | {"restart": ["quiet"]},
            rule("gathering", "urban.GatheringDetected", subject="event.gathering", park_max=5),
        ],
        timers=[{"timer": "quiet", "after": "1d", "basis": "law 6"}],
        level={"of": "facts.cases", "rows": [{"at_least": 10, "gives": "III"}], "basis": "law 5"},
        escalate=[
            {"at": "acknowledge_by", "after": "10m", "to": "command_post", "retry": True},
            {"at": "complete_by", "to": "upper_government", "reassign": True},
        ],
        steps=[
            step(
                "verify", acknowledge_by="30m",
                stops=[{"from": "hospitals.ResourceShort", "until": "health.ResourceCommitted", "basis": "law 7"}],
            ),
            step("capacity", role="hospitals", every="4h", repeat_while="true", acknowledge_by="2h"),
            step("release", "timer:quiet", titles={"zh": "返还", "en": "Release"}, cancelled_by=["level"]),
            step("note", "level", cancelled_by=["timer:quiet"], titles={"zh": "记录", "en": "Note"}),
        ],
        responsibilities=[
            line("health_authority", "health"), line("command_post", "command"), line("hospitals", "hospitals"),
            line("upper_government", "government"),
        ],
    )  # fmt: skip
    world = World(pack)
    world.publish(CONFIRMED, sample(CONFIRMED, region=REGION, count=1), at=START, region=REGION)
    return world


def _told(lines: list[Due]) -> list[tuple[str, str, int | None]]:
    return [(one.kind, one.name, None if one.at is None else (one.at - START) // MINUTE) for one in lines]


def _due(world: World, at: int = START, **wanted: Any) -> list[Due]:
    return due(board_of(world, at), Wanted(**wanted))


def test_all_that_is_due_in_the_order_of_time() -> None:
    told = _told(_due(_world()))
    assert told[:4] == [
        ("acknowledge_by", "verify", 30),
        ("escalation", "verify", 40),
        ("acknowledge_by", "capacity", 120),
        ("escalation", "capacity", 130),
    ]
    assert sorted(told[4:6]) == [("complete_by", "capacity", 240), ("complete_by", "verify", 240)]
    assert told[6:] == [("repetition", "capacity", 240), ("timer", "quiet", 1440)]


def test_each_says_who_what_and_on_what_basis() -> None:
    found = {(one.kind, one.name): one for one in _due(_world())}
    rung = found["escalation", "verify"]
    assert rung.responsible is not None
    assert rung.told is not None
    assert (rung.responsible.department, rung.told.department, rung.told.unit) == ("health", "command", "测试")
    assert (rung.missed, rung.then, rung.basis) == ("acknowledge_by", "retry", "law 3")
    timer = found["timer", "quiet"]
    assert ([one.en for one in timer.asks], [one.en for one in timer.cancels]) == (["Release"], ["Note"])
    assert (timer.basis, timer.responsible) == ("law 6", None)
    again = found["repetition", "capacity"]
    assert again.responsible is not None
    assert (again.responsible.department, again.basis) == ("hospitals", "law 1")
    assert found["complete_by", "verify"].basis == "law 1"


def test_what_was_done_is_due_no_more_and_the_ladder_goes_on() -> None:
    world = _world()
    (verify, _) = world.of_type("workflow.TaskRequested")
    world.answer(verify, "acknowledged", at=START + MINUTE)
    lines = [one for one in _due(world) if one.name == "verify"]
    assert _told(lines) == [("complete_by", "verify", 240), ("escalation", "verify", 240)]
    assert lines[1].then == "reassign"
    world.answer(verify, "completed", at=START + 2 * MINUTE)
    assert [one for one in _due(world) if one.name == "verify"] == []


def test_what_is_overdue_comes_first_and_within_keeps_it() -> None:
    lines = _due(_world(), START + 35 * MINUTE, within_ms=10 * MINUTE)
    assert _told(lines) == [("acknowledge_by", "verify", 30), ("escalation", "verify", 40)]
    assert [one.is_overdue(START + 35 * MINUTE) for one in lines] == [True, False]
    told = orjson.loads(orjson.dumps(lines[0].to_json(START + 35 * MINUTE)))
    assert (told["overdue"], told["left_ms"], told["at"]) == (True, -5 * MINUTE, "2020-01-19T16:30:00.000Z")
    assert told["responsible"] == {"department": "health", "unit": "测试"}


def test_a_clock_that_stands_is_shown_with_what_starts_it() -> None:
    world = _world()
    short = sample("hospitals.ResourceShort", region=REGION, shortage="S")
    world.publish("hospitals.ResourceShort", short, at=START + MINUTE, region=REGION, instance=INSTANCE)
    stopped = _due(world)[-1]
    assert (stopped.kind, stopped.at, stopped.since, stopped.basis) == (
        "clock_stopped", None, START + MINUTE, "law 7",
    )  # fmt: skip
    assert stopped.until == ("health.ResourceCommitted",)
    assert [one.kind for one in _due(world) if one.name == "verify"] == ["clock_stopped"]
    assert _due(world, within_ms=0, department="health") == [stopped]


def test_events_that_wait_for_an_instance_are_shown_until_their_window_is_over() -> None:
    world = _world()
    gathering = sample("urban.GatheringDetected", region="330100", gathering="G-1")
    world.publish("urban.GatheringDetected", gathering, at=START + HOUR, region="330100", subject="G-1")
    (parked,) = [one for one in _due(world) if one.kind == "parked"]
    assert (parked.instance, parked.name, parked.at) == ("small/330100", "gathering", START + 25 * HOUR)
    assert parked.what.en == "urban.GatheringDetected"
    assert [one.kind for one in _due(world, instances=(INSTANCE,)) if one.kind == "parked"] == []


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"department": "hospitals"}, {"capacity"}),
        ({"department": "command"}, {"verify", "capacity"}),
        ({"workflow": "other"}, set()),
        ({"region": "440000"}, {"verify", "capacity", "quiet"}),
        ({"region": "33"}, set()),
        ({"level": "I"}, set()),
        ({"instances": (INSTANCE,)}, {"verify", "capacity", "quiet"}),
    ],
)
def test_the_list_is_filtered(wanted: dict[str, Any], names: set[str]) -> None:
    assert {one.name for one in _due(_world(), **wanted)} == names


def test_a_closed_incident_has_nothing_due() -> None:
    world = _world()
    world.publish(CONFIRMED, sample(CONFIRMED, region=REGION, count=2000), at=START + HOUR, region=REGION)
    assert _due(world) == []


def test_whom_a_rung_tells_goes_by_the_region_of_the_lead_where_the_commander_is_meant() -> None:
    pack = small(
        command="command_post",
        responsibilities=[
            line("health_authority", "health"), line("command_post", "command"), line("upper_government", "government"),
            line("command_post", "police", region="33"),
        ],
    )  # fmt: skip
    world = World(pack)
    world.publish(CONFIRMED, sample(CONFIRMED, region=REGION, count=1), at=START, region=REGION)
    board = board_of(world, START)
    own = board.instances[INSTANCE]
    led = {**own, "lead": "small/330100/1", "lead_region": "330100"}

    def told(snapshot: dict[str, Any]) -> list[str]:
        lines = due(replace(board, instances={INSTANCE: snapshot}), Wanted())
        return [one.told.department for one in lines if one.told is not None]

    assert told(dict(own)) == ["command"]
    assert told(led) == ["police"]
