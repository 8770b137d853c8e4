"""How far a department has come with a task: it says more and more, and is bound by what it commits to."""

from typing import Any

import pytest

from tests.workflow.definitions import small
from tests.workflow.world import HOUR, START, World, sample


def asked(**changes: Any) -> tuple[World, dict[str, Any]]:
    """A task has been asked of health."""
    world = World(small(**changes))
    data = sample("health.CasesConfirmed", region="440100", count=1)
    world.publish("health.CasesConfirmed", data, at=START, region="440100")
    (task,) = world.of_type("workflow.TaskRequested")
    return world, task


def state(world: World) -> str:
    found = world.partition.states["small/440100"].open
    assert found is not None
    (task,) = found["tasks"]
    assert found["tally"] == {"health": {task["state"]: 1}}
    return str(task["state"])


def test_each_answer_brings_a_task_further() -> None:
    world, task = asked()
    for number, disposition in enumerate(("acknowledged", "accepted", "committed", "progressed")):
        assert world.kinds(world.answer(task, disposition, at=START + number)) == [disposition]
        assert state(world) == disposition


@pytest.mark.parametrize("before", ["acknowledged", "accepted"])
def test_an_answer_that_was_overtaken_is_recorded_and_takes_nothing_back(before: str) -> None:
    world, task = asked()
    world.answer(task, "committed", at=START + 2)
    assert world.kinds(world.answer(task, before, at=START + 1)) == [before]
    assert state(world) == "committed"


def test_a_commitment_acknowledges_the_task_and_may_be_late() -> None:
    world, task = asked()
    assert world.kinds(world.answer(task, "committed", at=START + 2 * HOUR)) == ["committed_late"]
    assert world.of_type("workflow.TaskEscalated", world.tick(START + 3 * HOUR)) == []


def test_a_commitment_that_is_broken_says_so() -> None:
    world, task = asked()
    world.answer(task, "committed", at=START + 1)
    outputs = world.answer(task, "declined", at=START + 2)
    (declined,) = world.of_type("workflow.TimelineRecorded", outputs)
    assert declined["detail"] == {"over": "true", "after": "committed"}


def test_a_task_that_is_asked_again_begins_anew() -> None:
    retrying = {"at": "complete_by", "to": "command_post", "retry": True}
    world, task = asked(escalate=[{"at": "acknowledge_by", "to": "command_post"}, retrying])
    world.answer(task, "committed", at=START + 1)
    world.tick(START + 4 * HOUR)
    assert state(world) == "requested"
    world.answer(task, "acknowledged", at=START + 5 * HOUR)
    assert state(world) == "acknowledged"
