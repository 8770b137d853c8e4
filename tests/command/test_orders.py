"""Orders that the board shows to be void are refused before they are published, with what to do instead."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from deptbus.desk import orders
from deptbus.desk.board import Board
from deptbus.errors import ActRefused, NotFound
from tests.command.projecting import board_of, command_pack
from tests.workflow.world import HOUR, START, World, codec, sample

CASES = "health.CasesConfirmed"
REGIONS = ("440100", "440200", "440300", "440400")
A, B, C, D = (f"small/{region}/1" for region in REGIONS)


def _board(**changed: dict[str, Any]) -> Board:
    """Four open incidents; by their last region's digits, what is otherwise with them."""
    world = World(command_pack())
    for region in REGIONS:
        world.publish(CASES, sample(CASES, region=region, count=10), at=START, region=region)
    board = board_of(world, START)
    instances = {name: {**data, **changed.get(f"of_{data['region'][3]}", {})} for name, data in board.instances.items()}
    return replace(board, instances=instances)


def _merged(found: Iterable[orders.Order]) -> list[tuple[str, str]]:
    return [(order.name, order.data["into"]) for order in found]


def test_several_are_merged_by_an_order_each() -> None:
    found = orders.merge(_board(), [B, "small/440300", B], A, "one cluster")
    assert _merged(found) == [(B, A), (C, A)]
    assert {order.act for order in found} == {"merge"}
    assert found[0].region == "440200"
    for order in found:
        codec().encode("command.DirectiveIssued", order.data)


@pytest.mark.parametrize(
    ("changed", "parts", "into", "sentence"),
    [
        ({}, [A], A, "cannot be merged into itself"),
        ({"of_1": {"lead": D}}, [B], A, f"{A} is itself led by {D}: merge into that one, or split it off first."),
        ({"of_2": {"merging": D}}, [B], A, f"{B} is about to come under {D}, which has not answered yet"),
        ({"of_1": {"merging": D}}, [B], A, f"{A} is about to come under {D}, which has not answered yet"),
        ({"of_2": {"lead": A}}, [B], A, f"{B} is led by {A} already."),
        ({"of_2": {"lead": D}}, [B], A, f"{B} is led by {D}: split it off first."),
        ({"of_2": {"parts": [C, D]}}, [B], A, f"leads others itself ({C}, {D}): split these off first"),
        ({"of_2": {"status": "closed", "closed_at": START}}, [B], A, f"{B} is closed since 2020-01-20 00:00"),
        ({"of_1": {"status": "closed", "closed_at": START}}, [B], A, f"{A} is closed since"),
    ],
)
def test_merges_that_would_be_void(changed: dict[str, Any], parts: list[str], into: str, sentence: str) -> None:
    with pytest.raises(ActRefused) as refused:
        orders.merge(_board(**changed), parts, into, "why")
    assert sentence in str(refused.value)


def test_one_that_is_not_there_and_a_workflow_without_orders() -> None:
    with pytest.raises(NotFound, match="There is no instance small/1/1"):
        orders.merge(_board(), ["small/1/1"], A, "why")
    world = World(command_pack(directives=None))
    world.publish(CASES, sample(CASES, region="440100", count=10), at=START, region="440100")
    with pytest.raises(ActRefused, match="The workflow small takes no orders"):
        orders.to_level(board_of(world, START), A, "I", "why")


def test_only_a_part_is_split_off() -> None:
    board = _board(of_2={"lead": A}, of_1={"parts": [B]})
    assert orders.split(board, B, "why").data["act"] == "split"
    with pytest.raises(ActRefused, match=f"{C} is commanded on its own: there is nothing to split it from.$"):
        orders.split(board, C, "why")
    with pytest.raises(ActRefused, match=f"It leads {B}: name one of these"):
        orders.split(board, A, "why")


def test_who_can_be_given_a_task() -> None:
    board = _board()
    verify = next(task for task in board.open_tasks(instance=A) if task.step == "verify")
    assert orders.reassign(board, verify, "police", "why").data["to_department"] == "police"
    with pytest.raises(ActRefused, match="is health's already"):
        orders.reassign(board, verify, "health", "why")
    with pytest.raises(ActRefused, match="transport has no responsibility in small; these have: command"):
        orders.reassign(board, verify, "transport", "why")


def test_time_that_means_nothing_is_not_given() -> None:
    board = _board()
    verify = next(task for task in board.open_tasks(instance=A) if task.step == "verify")
    assert orders.extend(board, verify, "why", acknowledge_by=None, complete_by=START + 5 * HOUR).name == A
    with pytest.raises(ActRefused, match="Give the new time"):
        orders.extend(board, verify, "why", acknowledge_by=None, complete_by=None)
    with pytest.raises(ActRefused, match="give its completion more time too"):
        orders.extend(board, verify, "why", acknowledge_by=START + 5 * HOUR, complete_by=None)
    seen = replace(verify, acknowledged_at=START)
    with pytest.raises(ActRefused, match="is acknowledged already: only its completion"):
        orders.extend(board, seen, "why", acknowledge_by=START + 2 * HOUR, complete_by=None)


def test_a_lead_that_says_merged_does_not_settle_its_part() -> None:
    (order,) = orders.merge(_board(), [B], A, "why")
    assert not order.settled_by({"instance": A, "kind": "merged"})
    assert order.settled_by({"instance": B, "kind": "merged"})
    assert order.settled_by({"instance": B, "kind": "order_void"})
    opening = orders.open_new(_board(), {"small": command_pack().definition}, "small", "330100", None, "why")
    assert opening.settled_by({"instance": "small/330100/7", "kind": "opened"})
    assert not opening.settled_by({"instance": "small/330100/7", "kind": "level"})
