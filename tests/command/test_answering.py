"""What is checked of an answer before it is published, whoever gives it and wherever."""

import pytest

from deptbus.clock import iso
from deptbus.desk import answering
from deptbus.desk.answering import Over
from deptbus.desk.board import Board, OpenTask
from deptbus.errors import ActRefused, NotFound
from tests.command.projecting import REGION, board_of, command_pack, record_of
from tests.workflow.world import HOUR, START, World, sample, schemas

CASES = "health.CasesConfirmed"


def _world() -> World:
    world = World(command_pack())
    world.publish(CASES, sample(CASES, region=REGION, count=10), at=START, region=REGION)
    return world


def _task(board: Board, step: str) -> OpenTask:
    return next(task for task in board.open_tasks() if task.step == step)


def _never(prefix: str) -> None:
    return None


def test_a_task_is_found_by_its_first_letters() -> None:
    board = board_of(_world(), START)
    verify = _task(board, "verify")
    assert answering.find(board, verify.task[:10], "health", _never) == verify
    assert answering.find(board, verify.task, None, _never) == verify
    with pytest.raises(ActRefused, match="is asked of health, not of police"):
        answering.find(board, verify.task, "police", _never)
    with pytest.raises(NotFound):
        answering.find(board, "ffffffff", "health", _never)


def test_of_a_task_that_is_over_it_is_said_how_it_ended() -> None:
    world = _world()
    (request,) = [data for data in world.of_type("workflow.TaskRequested") if data["step"] == "verify"]
    world.answer(request, "completed", at=START + HOUR, actor="Li Wei")
    over = Over(request["task"], record_of(world, START + HOUR))
    with pytest.raises(ActRefused, match=r"is over: completed at 2020-01-20 01:00 by Li Wei\."):
        answering.find(board_of(world, START + HOUR), request["task"], "health", lambda prefix: over)


def test_only_the_departments_own_events_end_a_task() -> None:
    board = board_of(_world(), START)
    verify, supply = _task(board, "verify"), _task(board, "supply")
    assert answering.ending(verify, None) is None
    assert answering.ending(supply, None) == "health.ResourceCommitted"
    assert answering.ending(supply, "health.ResourceDeclined") == "health.ResourceDeclined"
    with pytest.raises(ActRefused, match=r"it ends with health\.ResourceCommitted or health\.ResourceDeclined"):
        answering.ending(supply, "police.BanIssued")
    with pytest.raises(ActRefused, match="it ends with a plain answer"):
        answering.ending(verify, CASES)
    with pytest.raises(ActRefused, match="asks for no event"):
        answering.refuse_data(verify)


def test_an_answer_says_which_deadlines_it_misses() -> None:
    verify = _task(board_of(_world(), START), "verify")
    seen = answering.plain(verify, "acknowledged", None)
    assert (seen.type, seen.says, seen.subject) == ("health.TaskAnswered", "acknowledged", verify.task)
    assert seen.late(verify.acknowledge_by) == []
    (late,) = seen.late(verify.complete_by + HOUR)
    assert (late.what, late.due) == ("acknowledged", verify.acknowledge_by)
    done = answering.plain(verify, "completed", "by hand")
    assert [one.what for one in done.late(verify.complete_by + 1)] == ["acknowledged", "completed"]
    assert done.late(verify.complete_by + 1)[1].by_ms == 1


def test_data_that_lack_something_are_refused_and_the_subject_follows_from_the_task() -> None:
    supply = _task(board_of(_world(), START), "supply")
    kind = "health.ResourceCommitted"
    schema = schemas().newest(kind).schema
    data = sample(kind, resource="N95", quantity=20, deliver_by=iso(START))
    answer = answering.with_event(supply, kind, data, schema, None)
    assert (answer.says, answer.completes, answer.subject) == (kind, True, REGION)
    assert answering.with_event(supply, kind, data, schema, "S-1").subject == "S-1"
    declined = answering.with_event(
        supply, "health.ResourceDeclined", sample("health.ResourceDeclined"),
        schemas().newest("health.ResourceDeclined").schema, None,
    )  # fmt: skip
    assert not declined.completes
    with pytest.raises(ActRefused, match=r"The field shortage of health\.ResourceCommitted is missing"):
        answering.with_event(supply, kind, {"resource": "N95"}, schema, None)
