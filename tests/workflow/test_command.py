"""Who commands an instance, and what passes to a higher authority when the level rises."""

from typing import Any

from tests.workflow.definitions import line, small, step
from tests.workflow.world import HOUR, START, World, encoded, sample

CITY = {"zh": "市指挥部", "en": "City command"}
PROVINCE = {"zh": "省指挥部", "en": "Province command"}
LINES = [
    line("health_authority", "health"),
    line("command_post", "command"),
    line("command_post", "command", region="44", level="III", unit=CITY),
    line("command_post", "government", region="44", level="II", unit=PROVINCE),
    line("upper_government", "government"),
    line("police", "police"),
]
LEVELS = {
    "of": "facts.cases",
    "rows": [{"at_least": 1, "gives": "IV"}, {"at_least": 10, "gives": "III"}, {"at_least": 50, "gives": "II"}],
    "basis": "law 5",
}


def commanded(**changes: Any) -> World:
    """A workflow that the command post commands, with a task of its own that is taken over."""
    steps = [step("convene", role="command_post", takeover=True), step("verify")]
    return World(
        small(**{"command": "command_post", "level": LEVELS, "steps": steps, "responsibilities": LINES} | changes)
    )


def cases(world: World, count: int, at: int) -> list[Any]:
    data = sample("health.CasesConfirmed", region="440100", count=count)
    return world.publish("health.CasesConfirmed", data, at=at, region="440100")


def order(world: World, at: int, **data: Any) -> list[Any]:
    data = sample("command.DirectiveIssued", workflow="small", key="440100", reason="ordered", **data)
    return world.publish("command.DirectiveIssued", data, at=at, actor="commander")


def instance(world: World) -> dict[str, Any]:
    found = world.partition.states["small/440100"].open
    assert found is not None
    return found


def task_of(world: World, name: str) -> dict[str, Any]:
    (found,) = [task for task in instance(world)["tasks"] if task["step"] == name]
    return dict(found)


def test_who_commands_is_said_at_the_opening() -> None:
    world = commanded()
    outputs = cases(world, 1, START)
    (taken,) = world.of_type("workflow.CommandTaken", outputs)
    assert (taken["from_department"], taken["to_department"], taken["to_unit"]) == (None, "command", "测试")
    assert (taken["level"], taken["reason"], taken["basis"]) == (None, "opened", "law 3")
    assert (instance(world)["command_department"], instance(world)["command_unit"]) == ("command", "测试")
    assert world.kinds(outputs)[:2] == ["opened", "command_taken"]


def test_command_passes_to_who_commands_at_the_new_level() -> None:
    world = commanded()
    cases(world, 1, START)
    outputs = cases(world, 60, START + HOUR)
    (taken,) = world.of_type("workflow.CommandTaken", outputs)
    assert (taken["from_department"], taken["from_unit"]) == ("command", "测试")
    assert (taken["to_department"], taken["to_unit"], taken["level"]) == ("government", "省指挥部", "II")
    (level,) = [output.id for output in outputs if output.type == "workflow.LevelRaised"]
    (cause,) = [output.causationid for output in outputs if output.type == "workflow.CommandTaken"]
    assert cause == level
    assert instance(world)["command_unit"] == "省指挥部"


def test_nobody_takes_command_where_it_stays_with_the_same_unit() -> None:
    world = commanded()
    cases(world, 1, START)
    assert world.of_type("workflow.CommandTaken", order(world, START + 1, act="level", level="I")) == []


def test_a_workflow_without_command_is_commanded_by_nobody() -> None:
    world = commanded(command=None)
    cases(world, 60, START)
    assert world.of_type("workflow.CommandTaken") == []
    assert instance(world)["command_department"] is None


def test_open_tasks_are_taken_over_at_the_new_level_and_no_others() -> None:
    world = commanded()
    cases(world, 1, START)
    before = task_of(world, "convene")
    world.answer(world.of_type("workflow.TaskRequested")[0], "acknowledged", at=START + 1)
    outputs = cases(world, 60, START + HOUR)
    (taken,) = world.of_type("workflow.TaskReassigned", outputs)
    assert (taken["from_department"], taken["to_department"]) == ("command", "government")
    assert (taken["reason"], taken["level"]) == ("taken over at level II", "II")
    after = task_of(world, "convene")
    assert (after["id"], after["unit"], after["state"]) == (before["id"], "省指挥部", "requested")
    assert after["complete_by"] == before["complete_by"], "there is no more time to complete it"
    assert after["acknowledge_by"] == START + 2 * HOUR, "but a new one to acknowledge it"
    assert task_of(world, "verify")["department"] == "health"


def test_another_unit_of_the_same_department_takes_over_too() -> None:
    world = commanded()
    cases(world, 1, START)
    cases(world, 10, START + 1)
    assert (task_of(world, "convene")["department"], task_of(world, "convene")["unit"]) == ("command", "市指挥部")


def test_what_a_commander_gave_away_stays_there_while_the_role_answers_alike() -> None:
    world = commanded()
    cases(world, 1, START)
    order(world, START + 1, act="reassign", task=task_of(world, "convene")["id"], to_department="police")
    order(world, START + 2, act="level", level="I")
    assert task_of(world, "convene")["department"] == "police"
    order(world, START + 3, act="level", level="II")
    assert task_of(world, "convene")["department"] == "government"


def test_without_takeover_a_task_stays_with_whom_it_was_asked_of() -> None:
    world = commanded(steps=[step("convene", role="command_post")])
    cases(world, 1, START)
    assert world.of_type("workflow.TaskReassigned", cases(world, 60, START + 1)) == []


def test_the_answer_of_whom_it_was_taken_from_counts_no_more() -> None:
    world = commanded()
    cases(world, 1, START)
    (task, _) = world.of_type("workflow.TaskRequested")
    cases(world, 60, START + 1)
    assert "not_responsible" in world.kinds(world.answer(task, "completed", at=START + 2))


def test_an_approval_that_is_waited_for_is_taken_over() -> None:
    gate = {
        "role": "command_post", "titles": CITY, "basis": "law 4", "acknowledge_by": "1h", "complete_by": "2h",
        "approved_by": "government.BanApproved", "rejected_by": "government.BanRejected",
    }  # fmt: skip
    world = commanded(steps=[step("verify", gate=gate, takeover=True)])
    cases(world, 1, START)
    cases(world, 60, START + 1)
    assert task_of(world, "verify_approval")["department"] == "government"


def test_a_command_that_passed_on_folds_to_the_same_bytes() -> None:
    world = commanded()
    for number, count in enumerate((1, 10, 60)):
        cases(world, count, START + number * HOUR)
        world.tick(START + number * HOUR + HOUR // 2)
    again = world.new_partition().apply([world.read(entry) for entry in world.journal])
    mine = {key: value for key, value in encoded(again).items() if key[0] != "@"}
    assert mine == {key: value for key, value in world.snapshots().items() if key[0] != "@"}
