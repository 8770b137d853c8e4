"""The warning workflow: one instance a chain of messages, in whatever order these arrive."""

from itertools import permutations
from typing import Any

import pytest

from deptbus.workflow.output import Output
from tests.workflow.world import HOUR, START, World, pack_of, sample, workflow

PACK = pack_of(workflow("warning"))
SHENZHEN, ZHUHAI, FOSHAN = "440300", "440400", "440600"


def alert(name: str, kind: str, sent: int, *references: str, regions: str = "", **fields: Any) -> dict[str, Any]:
    """A message; its first reference is the one that counts."""
    return sample(
        "warning.AlertReceived", identifier=name, sender="s", sent_at=START + sent * HOUR, message_type=kind,
        status="Actual", references=[{"sender": "s", "identifier": one, "sent": "t"} for one in references],
        reference=references[0] if references else "", regions=regions, region=regions[:6] or None,
        headline=f"headline of {name}", **fields,
    )  # fmt: skip


ISSUED = alert("A", "Alert", 0, regions=SHENZHEN, colour="yellow")
FIRST = alert("U1", "Update", 1, "A", regions=f"{SHENZHEN} {ZHUHAI}", colour="orange")
SECOND = alert("U2", "Update", 2, "U1", regions=f"{ZHUHAI} {FOSHAN}", colour="red")
CANCEL = alert("C", "Cancel", 3, "U2")


def play(*messages: dict[str, Any]) -> World:
    """Let messages arrive, a minute apart; what goes to another key comes back through the journal."""
    world = World(PACK)
    for minute, data in enumerate(messages):
        at = START + 10 * HOUR + minute * 60_000
        outputs = world.publish(
            "warning.AlertReceived", data, at=at, id=f"event-{data['identifier']}", region=data["region"],
            subject=data["identifier"],
        )  # fmt: skip
        _return(world, outputs)
    return world


def _return(world: World, outputs: list[Output]) -> None:
    for output in outputs:
        if output.elsewhere and output.type == "workflow.EntryAppended":
            _return(world, world.append(output.data["entry"]))


def state(world: World) -> dict[str, Any]:
    """The one instance there is."""
    newest = {data["instance"]: data for data in world.of_type("workflow.InstanceChanged")}
    assert list(newest) == ["warning/A/1"]
    return newest["warning/A/1"]


def asked(world: World, step: str) -> set[str]:
    return {task["region"] for task in state(world)["tasks"] if task["step"] == step}


def test_an_alert_is_passed_on_in_every_region_that_it_concerns() -> None:
    world = play(ISSUED)
    assert asked(world, "pass_on") == {SHENZHEN}
    assert asked(world, "prepare") == {SHENZHEN}
    (task,) = [task for task in world.of_type("workflow.TaskRequested") if task["step"] == "pass_on"]
    assert task["department"] == "districts"
    assert task["context"] == {"headline": "headline of A", "colour": "yellow", "severity": ""}


@pytest.mark.parametrize("order", list(permutations([ISSUED, FIRST, SECOND])))
def test_updates_move_the_area_in_any_order_of_arrival(order: tuple[dict[str, Any], ...]) -> None:
    world = play(*order)
    facts = state(world)["facts"]
    assert (facts["area"], facts["colour"], facts["headline"], facts["updates"]) == (
        f"{ZHUHAI} {FOSHAN}", "red", "headline of U2", 2,
    )  # fmt: skip
    assert asked(world, "pass_on") == asked(world, "prepare") == {ZHUHAI, FOSHAN}


@pytest.mark.parametrize("order", list(permutations([ISSUED, FIRST, SECOND, CANCEL])))
def test_a_cancel_closes_the_chain_in_any_order_of_arrival(order: tuple[dict[str, Any], ...]) -> None:
    world = play(*order)
    assert state(world)["status"] == "closed"
    assert state(world)["tasks"] == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_is_the_same_when_each_message_names_the_first_one(order: tuple[int, ...]) -> None:
    update = alert("U2", "Update", 2, "A", "U1", regions=FOSHAN)
    messages = (ISSUED, FIRST, update)
    assert asked(play(*(messages[n] for n in order)), "pass_on") == {FOSHAN}
    cancel = alert("C", "Cancel", 3, "A", "U1", "U2")
    messages = (ISSUED, FIRST, cancel)
    assert state(play(*(messages[n] for n in order)))["status"] == "closed"


def test_a_cancel_that_is_older_than_the_newest_update_ends_nothing() -> None:
    assert state(play(ISSUED, FIRST, alert("C", "Cancel", 0, "A")))["status"] == "open"


def test_a_message_that_is_not_meant_opens_nothing() -> None:
    world = World(PACK)
    for status in ("Test", "Draft", "System"):
        world.publish("warning.AlertReceived", ISSUED | {"status": status}, at=START, region=SHENZHEN)
    assert world.of_type("workflow.InstanceOpened") == []


def test_an_alert_without_a_region_is_placed_by_the_warning_centre() -> None:
    world = play(alert("A", "Alert", 0))
    (task,) = state(world)["tasks"]
    assert (task["step"], task["department"]) == ("place_alert", "warning")


def test_after_three_days_of_silence_and_with_nothing_left_to_do_it_ends() -> None:
    world = play(ISSUED)
    for task in world.of_type("workflow.TaskRequested"):
        world.answer(task, "completed", at=START + 11 * HOUR)
    assert state(world)["status"] == "open"
    world.tick(START + (10 + 72) * HOUR)
    assert state(world)["status"] == "closed"
