"""The JSON that an officer fills in to complete a task, and what commanders may write."""

from typing import Any

import pytest

from deptbus.desk.board import Board, OpenTask
from deptbus.desk.orders import directive
from deptbus.desk.template import check_filled, skeleton
from deptbus.desk.writing import parse_deadline, parse_length, parse_level
from deptbus.errors import ActRefused
from deptbus.schemas.store import load_schemas
from tests.command.projecting import INSTANCE, REGION, board_of, command_pack
from tests.workflow.world import HOUR, ROOT, START, World, codec, pack_of, sample, workflow

STORE = load_schemas(ROOT)


def _schema(event_type: str) -> dict[str, Any]:
    return STORE.newest(event_type).schema


def _board() -> Board:
    world = World(command_pack())
    world.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region=REGION, count=10), at=START, region=REGION
    )
    gathering = sample("urban.GatheringDetected", region=REGION, gathering="G-1")
    world.publish("urban.GatheringDetected", gathering, at=START, region=REGION)
    approval = next(data for data in world.of_type("workflow.TaskRequested") if data["step"] == "ban_approval")
    approved = sample("government.BanApproved", region=REGION)
    world.publish("government.BanApproved", approved, at=START, cause=approval["task"], instance=INSTANCE)
    return board_of(world, START)


def _task(board: Board, step: str) -> OpenTask:
    return next(task for task in board.open_tasks() if task.step == step)


def test_region_subject_and_context_are_filled_in() -> None:
    board = _board()
    ban, supply = _task(board, "ban"), _task(board, "supply")
    definition = board.definition(board.instances[INSTANCE])
    given = skeleton(_schema("police.BanIssued"), ban, definition)
    assert given["gathering"] == "G-1"
    assert given["region"] == REGION
    assert given["ban"].startswith("<text: ")
    assert given["issued_at"].startswith("<time such as ")
    committed = skeleton(_schema("health.ResourceCommitted"), supply, definition)
    assert (committed["resource"], committed["quantity"]) == ("N95", 20)
    assert committed["shortage"].startswith("<text: ")  # this task is about the incident as a whole


def test_what_stands_in_angle_brackets_is_refused() -> None:
    board = _board()
    schema = _schema("police.BanIssued")
    given = skeleton(schema, _task(board, "ban"), board.definition(board.instances[INSTANCE]))
    with pytest.raises(ActRefused, match=r"The field ban of police\.BanIssued is still to be filled in"):
        check_filled(given, schema)
    filled = given | {"ban": "JZ-1", "issued_at": "2020-01-20T08:00:00+08:00"}
    check_filled(filled, schema)
    with pytest.raises(ActRefused, match="has no field extra"):
        check_filled(filled | {"extra": 1}, schema)
    with pytest.raises(ActRefused, match=r"The field ban of police\.BanIssued is missing"):
        check_filled({name: value for name, value in filled.items() if name != "ban"}, schema)


def test_lists_records_and_choices_are_shown() -> None:
    board = _board()
    schema = _schema("hospitals.CapacityUpdated")
    given = skeleton(schema, _task(board, "verify"), None)
    assert given["facility_status"].startswith("<Normal or Compromised or ")
    (beds,) = given["beds"]
    assert beds["baseline"].startswith("<whole number: ")
    with pytest.raises(ActRefused, match=r"beds\[0\]\.baseline"):
        check_filled(given | {"facility_status": "Normal", "ems_status": "Normal", "reported_at": START} | {
            "beds": [{"kind": "Burn", "baseline": beds["baseline"], "available": 1}]
        }, schema)  # fmt: skip


def test_every_event_that_the_epidemic_asks_for_has_a_skeleton() -> None:
    definition = pack_of(workflow("epidemic")).definition
    task = _task(_board(), "verify")
    for asked in definition.steps:
        for event_type in (*asked.completed_by, *asked.declined_by):
            given = skeleton(_schema(event_type), task, definition)
            assert given["region"] == REGION, event_type


def test_levels_as_people_write_them() -> None:
    assert [parse_level(text) for text in ("I", "Ⅱ", "3", "四级", "iv")] == ["I", "II", "III", "IV", "IV"]
    with pytest.raises(ActRefused, match="V is no response level"):
        parse_level("V")


def test_deadlines_as_people_write_them() -> None:
    assert parse_deadline("+4h", START, "--complete-by") == START + 4 * HOUR
    assert parse_deadline("2020-01-20T01:00:00+08:00", START, "--complete-by") == START + HOUR
    with pytest.raises(ActRefused, match="is no extension"):
        parse_deadline("2020-01-19T00:00:00+08:00", START, "--complete-by")
    with pytest.raises(ActRefused, match=r"write a time such as"):
        parse_deadline("tomorrow", START, "--complete-by")


def test_lengths_of_time_as_people_write_them() -> None:
    assert [parse_length(text, "--within") for text in ("30m", "4h", "2d")] == [HOUR // 2, 4 * HOUR, 48 * HOUR]
    for text in ("4", "0h", "2wd", "-1h"):
        with pytest.raises(ActRefused, match="write a length of time such as 30m"):
            parse_length(text, "--within")


def test_a_directive_fits_its_schema() -> None:
    data = directive("extend", "small", REGION, "why", task="x", complete_by=START)
    codec().encode("command.DirectiveIssued", data)
