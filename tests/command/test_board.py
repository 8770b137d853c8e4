"""The board: open tasks in the order of what is due, found by a few letters, and the list of incidents."""

import pytest

from deptbus.desk.board import short_ids
from deptbus.desk.incidents import Filter, incidents
from deptbus.errors import ActRefused, NotFound
from tests.command.projecting import INSTANCE, REGION, board_of, command_pack
from tests.workflow.world import HOUR, START, World, sample

CASES = "health.CasesConfirmed"


def _request(world: World, step: str) -> dict[str, object]:
    return next(data for data in world.of_type("workflow.TaskRequested") if data["step"] == step)


@pytest.fixture
def world() -> World:
    """An incident with a case, at level III, and a gathering."""
    made = World(command_pack())
    made.publish(CASES, sample(CASES, region=REGION, count=10), at=START, region=REGION)
    gathering = sample("urban.GatheringDetected", region=REGION, gathering="G-1")
    made.publish("urban.GatheringDetected", gathering, at=START + HOUR, region=REGION)
    return made


def test_what_is_due_first_comes_first(world: World) -> None:
    tasks = board_of(world, START).open_tasks()
    assert {task.step for task in tasks[:2]} == {"supply", "verify"}
    assert tasks[2].step == "ban_approval"
    assert [task.due for task in tasks] == [START + HOUR, START + HOUR, START + 2 * HOUR]
    supply = next(task for task in tasks if task.step == "supply")
    world.answer(_request(world, "supply"), "acknowledged", at=START + HOUR)
    assert board_of(world, START).open_tasks("health")[-1].task == supply.task
    assert board_of(world, START).open_tasks("health")[-1].due == START + 4 * HOUR


def test_a_task_is_late_when_what_is_due_next_has_passed(world: World) -> None:
    board = board_of(world, START + HOUR + 1)
    assert {task.step for task in board.open_tasks() if task.is_late(board.now_ms)} == {"supply", "verify"}
    world.answer(_request(world, "verify"), "acknowledged", at=START + HOUR)
    board = board_of(world, START + HOUR + 1)
    assert [task.step for task in board.open_tasks() if task.is_late(board.now_ms)] == ["supply"]


def test_a_gate_has_its_own_title_and_endings(world: World) -> None:
    (gate,) = board_of(world, START).open_tasks("government")
    assert gate.asked.titles.en == "Approve"
    assert gate.subject == "G-1"
    assert gate.completions == ("government.BanApproved",)
    assert gate.endings == ("government.BanApproved", "government.BanRejected")


def test_events_of_others_are_no_ending_of_ones_own(world: World) -> None:
    (verify,) = [task for task in board_of(world, START).open_tasks() if task.step == "verify"]
    assert verify.endings == ()


def test_a_task_is_found_by_its_first_letters(world: World) -> None:
    board = board_of(world, START)
    task = board.open_tasks("government")[0]
    assert board.task(task.task[:8].upper(), "government") == task
    assert board.task(task.request, None) == task
    with pytest.raises(ActRefused, match=r"is asked of government, not of health\.$"):
        board.task(task.task[:8], "health")
    with pytest.raises(NotFound, match="No open task begins with zzzz"):
        board.task("zzzz", "health")
    with pytest.raises(ActRefused, match="at least 4 letters"):
        board.task(task.task[:3], "health")


def test_an_ambiguous_beginning_is_refused(world: World) -> None:
    snapshot = dict(board_of(world, START).instances[INSTANCE])
    twin = {**snapshot["tasks"][0], "id": snapshot["tasks"][0]["id"][:-1] + "x", "request": "other"}
    world.outputs[-1] = world.outputs[-1]._replace(
        type="workflow.InstanceChanged", data={**snapshot, "tasks": [*snapshot["tasks"], twin]}
    )
    board = board_of(world, START)
    with pytest.raises(ActRefused, match="2 open tasks begin with"):
        board.task(twin["id"][:-1])
    assert board.task(twin["id"]).task == twin["id"]


def test_short_ids_tell_all_apart() -> None:
    assert short_ids(["abcdefgh-1", "abcdefgh-2", "abcdxxxx-1"]) == {
        "abcdefgh-1": "abcdefgh-1",
        "abcdefgh-2": "abcdefgh-2",
        "abcdxxxx-1": "abcdxxxx",
    }


def test_instances_are_named_with_or_without_their_number(world: World) -> None:
    board = board_of(world, START)
    assert board.instance(INSTANCE)["instance"] == INSTANCE
    assert board.instance(f"small/{REGION}")["instance"] == INSTANCE
    with pytest.raises(NotFound, match="There is no instance small/999999"):
        board.instance("small/999999")


def test_the_list_of_incidents_is_filtered(world: World) -> None:
    world.publish(CASES, sample(CASES, region="330100", count=1), at=START, region="330100")
    board = board_of(world, START + 5 * HOUR)

    def named(**wanted: object) -> list[str]:
        return [one.instance for one in incidents(board, Filter(**wanted))]  # type: ignore[arg-type]  # of the fields' own types

    assert named() == [INSTANCE, "small/330100/1"]
    assert named(region="440000") == [INSTANCE]
    assert named(region="33") == ["small/330100/1"]
    assert named(level="III") == [INSTANCE]
    assert named(department="government") == [INSTANCE]
    assert named(is_open=False) == named(workflow="other") == named(kind="case") == []
    assert named(late=True, department="health") == [INSTANCE, "small/330100/1"]
    first = incidents(board, Filter())[0]
    assert (first.level, first.open_tasks, first.late_tasks) == ("III", 3, 3)
    assert first.late_departments == {"government": 1, "health": 2}
    assert first.to_json()["opened_at"] == "2020-01-19T16:00:00.000Z"
