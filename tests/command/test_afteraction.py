"""The after-action record agrees with the state that the engine keeps, and can be drawn up for a time in the past."""

from typing import Any

import orjson
import pytest

from tests.command.projecting import INSTANCE, REGION, board_of, command_pack, record_of
from tests.workflow.world import HOUR, START, World, sample

CASES = "health.CasesConfirmed"
DIRECTIVE = "command.DirectiveIssued"


def _opened(count: int = 10) -> World:
    world = World(command_pack())
    world.publish(CASES, sample(CASES, region=REGION, count=count), at=START, region=REGION)
    return world


def _request(world: World, step: str) -> dict[str, Any]:
    return [data for data in world.of_type("workflow.TaskRequested") if data["step"] == step][-1]


def _order(world: World, act: str, at: int, **particulars: Any) -> None:
    data = sample(DIRECTIVE, act=act, workflow="small", key=REGION, reason=f"because of {act}", **particulars)
    world.publish(DIRECTIVE, data, at=at, region=REGION, instance=INSTANCE, actor="Chen")


def test_tasks_as_the_engine_has_them() -> None:
    world = _opened()
    world.tick(START + 2 * HOUR)
    world.answer(_request(world, "verify"), "acknowledged", at=START + 3 * HOUR, actor="Li")
    world.answer(_request(world, "verify"), "completed", at=START + 5 * HOUR, actor="Wang")
    record = record_of(world, START + 5 * HOUR)
    snapshot = board_of(world, 0).instances[INSTANCE]
    verify = next(task for task in record.tasks if task.step == "verify")
    assert (verify.acknowledged_by, verify.acknowledged_late) == ("Li", True)
    assert (verify.outcome, verify.ended_by, verify.completed_late) == ("completed", "Wang", True)
    assert [step.missed for step in verify.escalations] == ["acknowledge_by"]
    assert verify.escalations[0].to == "command"
    assert [answer["disposition"] for answer in verify.answers] == ["acknowledged", "completed"]
    assert sum(task.acknowledged_late for task in record.tasks) == snapshot["counts"]["acknowledged_late"]
    assert sum(task.completed_late for task in record.tasks) == snapshot["counts"]["completed_late"]
    assert sum(len(task.escalations) for task in record.tasks) == snapshot["counts"]["escalations"]
    open_tasks = board_of(world, START + 5 * HOUR).open_tasks()
    assert [task.task for task in record.open_tasks] == [task.task for task in open_tasks]
    for drawn, kept in zip(record.open_tasks, open_tasks, strict=True):
        for name in ("state", "due", "attempt", "department", "acknowledged_at", "basis", "cause", "context"):
            assert getattr(drawn, name) == getattr(kept, name), name


def test_an_escalation_withdrawn_is_marked() -> None:
    world = _opened()
    world.tick(START + 2 * HOUR)
    world.answer(_request(world, "verify"), "acknowledged", at=START + HOUR)
    record = record_of(world, START + 2 * HOUR)
    verify = next(task for task in record.tasks if task.step == "verify")
    assert verify.escalations[0].withdrawn_at == START + HOUR
    assert not verify.acknowledged_late


def test_orders_with_officer_reason_and_basis() -> None:
    world = _opened()
    task = _request(world, "verify")["task"]
    _order(world, "level", START + 1, level="II")
    _order(world, "reassign", START + 2, task=task, to_department="police")
    _order(world, "extend", START + 3, task=task, acknowledge_by=START + 9 * HOUR, complete_by=START + 10 * HOUR)
    world.answer(_request(world, "verify"), "acknowledged", at=START + 8 * HOUR, actor="Zhao")
    _order(world, "close", START + 9 * HOUR)
    record = record_of(world, START + 9 * HOUR)
    raised, ordered = record.levels
    assert (raised["from_level"], raised["to_level"], raised["basis"]) == (None, "III", "law 5")
    assert (ordered["to_level"], ordered["actor"], ordered["reason"]) == ("II", "Chen", "because of level")
    assert record.level == "II"
    verify = next(found for found in record.tasks if found.task == task)
    (moved,) = verify.reassigned
    assert (moved["from_department"], moved["to_department"], moved["actor"]) == ("health", "police", "Chen")
    (later,) = verify.extended
    assert (later["acknowledge_by"], later["complete_by"]) == (START + 9 * HOUR, START + 10 * HOUR)
    assert (verify.department, verify.attempt, verify.acknowledged_late) == ("police", 2, False)
    assert {found.outcome for found in record.tasks} == {"cancelled"}
    assert (record.closed_at, record.closed_because) == (START + 9 * HOUR, "because of close")
    assert record.open_tasks == []


def test_the_record_for_programs() -> None:
    world = _opened()
    record = record_of(world, START + 2 * HOUR)
    told = orjson.loads(orjson.dumps(record.to_json()))
    assert told["titles"] == {"zh": "测试", "en": "Test"}
    assert (told["workflow"], told["key"], told["region"], told["version"]) == ("small", REGION, REGION, 1)
    assert told["level"] == told["highest_level"] == "III"
    assert told["facts"] == {"cases": 10, "quiet": False}
    assert told["pack"] == command_pack().hash
    assert [line["kind"] for line in told["timeline"]] == world.kinds()
    first = told["timeline"][0]
    assert first["at"] == "2020-01-19T16:00:00.000Z"
    assert first["record"].startswith("workflow.timeline[0]@")
    assert {"rule", "basis", "cause", "actor", "detail", "event"} <= set(first)
    verify = next(task for task in told["tasks"] if task["step"] == "verify")
    assert verify["acknowledge_by"] == "2020-01-19T17:00:00.000Z"
    assert verify["overdue"] is True


def test_resources_asked_for_and_committed() -> None:
    world = _opened()
    (line,) = record_of(world, START).resources()
    assert (line["resource"], line["requested"], line["committed"], line["open"]) == ("N95", 20, 0, 20)
    assert (line["deployed"], line["released"], line["sources"]["open"]) == (None, None, "tasks")
    task = _request(world, "supply")
    committed = sample("health.ResourceCommitted", region=REGION, quantity=20)
    world.publish("health.ResourceCommitted", committed, at=START, cause=task["task"], instance=INSTANCE, actor="Li")
    assert record_of(world, START).resources()[0]["committed"] == 20


def test_as_of_a_time_in_the_past() -> None:
    world = _opened()
    task = _request(world, "verify")
    world.answer(task, "acknowledged", at=START + HOUR // 2)
    world.answer(task, "completed", at=START + HOUR)
    _order(world, "close", START + 2 * HOUR)
    then = record_of(world, START + HOUR // 2)
    verify = next(found for found in then.tasks if found.step == "verify")
    assert (verify.state, verify.outcome, then.closed_at) == ("acknowledged", None, None)
    assert len(then.open_tasks) == 2


@pytest.mark.parametrize("kept", [0, 1])
def test_requests_whose_retention_is_over_leave_the_record_whole(kept: int) -> None:
    world = _opened()
    world.answer(_request(world, "verify"), "acknowledged", at=START + 1, actor="Li")
    world.outputs = [
        output
        for output in world.outputs
        if output.topic != "workflow.tasks" or (kept and output.data["step"] == "verify")
    ]
    record = record_of(world, START)
    verify = next(task for task in record.tasks if task.step == "verify")
    assert (verify.title_en, verify.department, verify.acknowledge_by) == ("Test", "health", START + HOUR)
    assert verify.role == ("health_authority" if kept else None)


def test_what_came_when_none_was_open_stands_beside_the_record() -> None:
    world = _opened()
    _order(world, "close", START + HOUR)
    gathering = sample("urban.GatheringDetected", region=REGION, gathering="G-1")
    world.publish("urban.GatheringDetected", gathering, at=START + HOUR // 2, region=REGION, id="too-late")
    record = record_of(world, START + HOUR)
    assert [(line["kind"], line["cause"]) for line in record.unplaced] == [("late", "too-late")]
    assert record.timeline[-1]["kind"] == "closed"
