"""What is refused is said in both languages, on a page without a word of the command line."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from deptbus import cli
from deptbus.desk import answering, orders
from deptbus.desk.acting import dated
from deptbus.desk.answering import Over
from deptbus.desk.board import Board, OpenTask
from deptbus.desk.incidents import Filter
from deptbus.desk.present import present
from deptbus.desk.refused import Missing, Refusal, Refused
from deptbus.desk.writing import parse_deadline, parse_length, parse_level, parse_time
from deptbus.settings import Settings
from tests.command.projecting import INSTANCE, REGION, board_of, command_pack, record_of
from tests.workflow.world import HOUR, START, World, sample, schemas

OTHER = "small/330100/1"


def _world(**changes: Any) -> World:
    world = World(command_pack(**changes))
    for region in (REGION, "330100"):
        world.publish(
            "health.CasesConfirmed", sample("health.CasesConfirmed", region=region, count=10), at=START, region=region
        )
    return world


WORLD = _world()
BOARD = board_of(WORLD, START)
TASKS = {task.step: task for task in BOARD.open_tasks(instance=INSTANCE)}
VERIFY, SUPPLY = TASKS["verify"], TASKS["supply"]
SEVERAL = replace(
    SUPPLY, asked=replace(SUPPLY.asked, completed_by=("health.ResourceCommitted", "health.CasesConfirmed"))
)
COMMITTED: Mapping[str, Any] = schemas().newest("health.ResourceCommitted").schema
FILLED = {field["name"]: "<text>" for field in COMMITTED["fields"]}


def _changed(name: str, **fields: Any) -> Board:
    return replace(BOARD, instances={**BOARD.instances, name: {**BOARD.instances[name], **fields}})


def _over() -> OpenTask:
    world = _world()
    request = next(data for data in world.of_type("workflow.TaskRequested") if data["instance"] == INSTANCE)
    world.answer(request, "completed", at=START + HOUR, actor="Li Wei")
    over = Over(request["task"], record_of(world, START + HOUR))
    return answering.find(board_of(world, START + HOUR), request["task"], None, lambda prefix: over)


def _extend(task: OpenTask, **given: int | None) -> orders.Order:
    return orders.extend(BOARD, task, "why", **{"acknowledge_by": None, "complete_by": None} | given)


REFUSALS: Mapping[str, Callable[[], object]] = {
    "no department": lambda: answering.check_department("nobody", {"health", "police"}),
    "over": _over,
    "no ending": lambda: answering.ending(SUPPLY, "police.BanIssued"),
    "no event at all": lambda: answering.ending(VERIFY, "police.BanIssued"),
    "several endings": lambda: answering.ending(SEVERAL, None),
    "data in vain": lambda: answering.refuse_data(VERIFY),
    "unknown field": lambda: answering.with_event(SUPPLY, "t", {"extra": 1}, COMMITTED, None),
    "missing field": lambda: answering.with_event(SUPPLY, "t", {}, COMMITTED, None),
    "open field": lambda: answering.with_event(SUPPLY, "t", FILLED, COMMITTED, None),
    "no instance": lambda: BOARD.instance("small/1/1"),
    "short": lambda: BOARD.task("ab"),
    "no task": lambda: BOARD.task("zzzz"),
    "of another": lambda: BOARD.task(VERIFY.task, "police"),
    "no level": lambda: parse_level("V"),
    "no time": lambda: parse_time("soon", "--at"),
    "no length": lambda: parse_length("soon", "--within"),
    "no deadline": lambda: parse_deadline("soon", START, "--complete-by"),
    "no extension": lambda: parse_deadline("2020-01-01T00:00:00Z", START),
    "no kind": lambda: Filter(kind="x"),
    "actual life": lambda: dated(Settings(namespace=""), BOARD, "2020-01-01T00:00:00Z"),
    "open already": lambda: orders.open_new(BOARD, {}, "small", REGION, None, "why"),
    "not in force": lambda: orders.open_new(BOARD, {}, "large", REGION, None, "why"),
    "the same department": lambda: orders.reassign(BOARD, VERIFY, VERIFY.department, "why"),
    "no responsibility": lambda: orders.reassign(BOARD, VERIFY, "transport", "why"),
    "no new time": lambda: _extend(VERIFY),
    "acknowledged": lambda: _extend(replace(VERIFY, acknowledged_at=START), acknowledge_by=START + 9 * HOUR),
    "after the end": lambda: _extend(VERIFY, acknowledge_by=VERIFY.complete_by + HOUR),
    "into itself": lambda: orders.merge(BOARD, [INSTANCE], INSTANCE, "why"),
    "lead is led": lambda: orders.merge(_changed(INSTANCE, lead="a/b/1"), [OTHER], INSTANCE, "why"),
    "led already": lambda: orders.merge(_changed(OTHER, lead=INSTANCE), [OTHER], INSTANCE, "why"),
    "led by another": lambda: orders.merge(_changed(OTHER, lead="a/b/1"), [OTHER], INSTANCE, "why"),
    "leads others": lambda: orders.merge(_changed(OTHER, parts=["a/b/1"]), [OTHER], INSTANCE, "why"),
    "merging": lambda: orders.merge(_changed(OTHER, merging="a/b/1"), [OTHER], INSTANCE, "why"),
    "on its own": lambda: orders.split(BOARD, INSTANCE, "why"),
    "leads": lambda: orders.split(_changed(INSTANCE, parts=[OTHER]), INSTANCE, "why"),
    "closed": lambda: orders.close(_changed(INSTANCE, status="closed", closed_at=START), INSTANCE, "why"),
    "no orders": lambda: orders.close(board_of(_world(directives=None), START), INSTANCE, "why"),
}

MISSING = {"no department", "no instance", "no task"}


def _both(zh: str, en: str) -> None:
    assert re.search(r"[一-鿿]", zh)
    assert zh.endswith("。")
    assert not re.search(r"[一-鿿]", en)
    for sentence in (zh, en):
        assert "--" not in sentence
        assert "deptbus" not in sentence


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_said_in_both_languages(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        REFUSALS[name]()
    assert isinstance(refused.value, Missing if name in MISSING else Refused)
    assert str(refused.value) == refused.value.said.en
    _both(*refused.value.said)


def test_several_tasks_are_named_in_both_languages() -> None:
    tasks = [{**BOARD.instances[INSTANCE]["tasks"][0], "id": f"abcd-{number}"} for number in range(7)]
    with pytest.raises(Refused) as refused:
        _changed(INSTANCE, tasks=tasks).task("abcd")
    assert "等，另有 2 项。请多给几位。" in refused.value.said.zh
    assert "and 2 more. Give more letters." in refused.value.said.en
    _both(*refused.value.said)


def test_a_doubtful_clock_is_told_in_both_languages() -> None:
    for found in (
        present(START, START + HOUR),
        present(START, START - HOUR, START - HOUR),
        present(START, START - HOUR),
    ):
        assert found.note is not None
        _both(*found.note)


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "error: The kind is one of incident, case, all, not x. See --kind.\n"),
        ("zh", "error: 类别应为 incident、case、all 之一，不是“x”。参见 --kind。\n"),
    ],
)
def test_the_command_line_speaks_the_readers_language_and_names_what_helps(
    lang: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["deptbus", "incidents", "list", "--kind", "x"])
    monkeypatch.setenv("BUS_LANG", lang)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capfd.readouterr().err) == (2, sentence)
