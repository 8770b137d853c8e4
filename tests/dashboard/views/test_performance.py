"""How departments did against their deadlines, from records of incidents."""

from typing import Any

from services.dashboard.views.performance import Duty, duties, summed
from tests.command.projecting import INSTANCE, REGION, command_pack, record_of
from tests.workflow.world import HOUR, START, World, sample

CASES = "health.CasesConfirmed"
DIRECTIVE = "command.DirectiveIssued"


def opened() -> World:
    world = World(command_pack())
    world.publish(CASES, sample(CASES, region=REGION, count=10), at=START, region=REGION)
    return world


def request(world: World, step: str) -> dict[str, Any]:
    return [data for data in world.of_type("workflow.TaskRequested") if data["step"] == step][-1]


def test_late_answers_and_what_was_never_done() -> None:
    world = opened()
    world.tick(START + 2 * HOUR)
    world.answer(request(world, "verify"), "acknowledged", at=START + 3 * HOUR)
    world.answer(request(world, "verify"), "completed", at=START + 5 * HOUR)
    world.tick(START + 30 * HOUR)
    record = record_of(world, START + 30 * HOUR)
    (health,) = [one for one in summed(duties(record)) if one["department"] == "health"]
    assert (health["asked"], health["completed"], health["completed_late"]) == (2, 1, 1)
    assert (health["acknowledged_late"], health["missed"]) == (1, 1)
    assert (health["median_acknowledge_ms"], health["median_complete_ms"]) == (3 * HOUR, 5 * HOUR)


def test_a_task_in_time_and_one_that_is_refused() -> None:
    world = opened()
    world.answer(request(world, "verify"), "completed", at=START + HOUR)
    world.answer(request(world, "supply"), "declined", at=START + HOUR)
    (health,) = summed(duties(record_of(world, START + HOUR)))
    assert (health["asked"], health["completed"], health["declined"]) == (2, 1, 1)
    assert (health["acknowledged_late"], health["completed_late"], health["missed"]) == (0, 0, 0)


def test_a_task_that_was_given_to_another_counts_for_both() -> None:
    world = opened()
    verify = request(world, "verify")
    world.answer(verify, "acknowledged", at=START + HOUR // 2)
    data = sample(
        DIRECTIVE, act="reassign", workflow="small", key=REGION, reason="why", task=verify["task"],
        to_department="police",
    )  # fmt: skip
    world.publish(DIRECTIVE, data, at=START + HOUR, region=REGION, instance=INSTANCE, actor="Chen")
    world.answer(verify | {"department": "police"}, "completed", at=START + 2 * HOUR)
    found = {one["department"]: one for one in summed(duties(record_of(world, START + 2 * HOUR)))}
    assert (found["health"]["asked"], found["health"]["completed"]) == (2, 0)
    assert found["health"]["median_acknowledge_ms"] == HOUR // 2
    assert (found["police"]["asked"], found["police"]["completed"]) == (1, 1)
    assert found["police"]["median_complete_ms"] == HOUR  # from when it was given to it


def test_figures_add_up_over_incidents_and_medians_are_of_all() -> None:
    found = summed(
        [
            Duty("water", 0, acknowledged_at=1_000, completed_at=5_000),
            Duty("water", 0, acknowledged_at=3_000, acknowledged_late=True, completed_at=9_000, completed_late=True),
            Duty("water", 0, missed=True),
            Duty("fire", 10, declined=True),
        ]
    )
    assert found == [
        {
            "department": "fire", "asked": 1, "acknowledged_late": 0, "completed": 0, "completed_late": 0,
            "declined": 1, "missed": 0, "median_acknowledge_ms": None, "median_complete_ms": None,
        },
        {
            "department": "water", "asked": 3, "acknowledged_late": 1, "completed": 2, "completed_late": 1,
            "declined": 0, "missed": 1, "median_acknowledge_ms": 2_000, "median_complete_ms": 7_000,
        },
    ]  # fmt: skip
    assert summed([]) == []
