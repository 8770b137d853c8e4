"""The flood: who is asked where as the river rises and falls, the discharge that waits, the city that leads."""

from typing import Any

import pytest

from tests.services.play import DAY, Played, play_scenario
from tests.workflow.world import HOUR, START, pack_of, sample, workflow
from tests.workflow.worlds import Worlds

PACK = pack_of(workflow("flood"))
MINUTE = HOUR // 60
HERE, NEXT, CITY = "440307", "440310", "440300"


@pytest.fixture
def world() -> Worlds:
    found = Worlds(PACK)
    warn(found, START)
    return found


def tell(world: Worlds, event_type: str, at: int, region: str = HERE, **fields: Any) -> None:
    """Something that happens by itself."""
    world.publish(event_type, sample(event_type) | {"region": region} | fields, at=at, region=region)


def of_type(world: Worlds, event_type: str) -> list[dict[str, Any]]:
    """The data of what was put out of one type, one partition after the other."""
    return [data for one in world.worlds for data in one.of_type(event_type)]


def warn(world: Worlds, at: int, region: str = HERE, colour: str = "blue") -> None:
    tell(world, "water.FloodWarned", at, region, river="龙岗河", regions=region, colour=colour)


def stage(world: Worlds, at: int, stage_cm: int, regions: str = HERE, region: str = HERE) -> None:
    tell(
        world, "water.RiverStageUpdated", at, region, river="龙岗河", stage_cm=stage_cm, warning_cm=4150,
        guarantee_cm=4300, regions=regions,
    )  # fmt: skip


def alert(world: Worlds, at: int, **fields: Any) -> None:
    known = {"message_type": "Alert", "event": "暴雨", "colour": "orange", "region": CITY} | fields
    data = sample("warning.AlertReceived", **known)
    world.publish("warning.AlertReceived", data, at=at, region=data["region"])


def requests(world: Worlds, step: str, key: str = HERE) -> list[dict[str, Any]]:
    return [
        task
        for task in of_type(world, "workflow.TaskRequested")
        if task["step"] == step and task["instance"].startswith(f"flood/{key}/")
    ]


def asked(world: Worlds, step: str, key: str = HERE) -> list[str]:
    """Where a step was asked for, first attempts only."""
    return [task["region"] for task in requests(world, step, key) if task["attempt"] == 1]


def state(world: Worlds, key: str = HERE) -> dict[str, Any]:
    return [data for data in of_type(world, "workflow.InstanceChanged") if data["key"] == key][-1]


def done(world: Worlds, step: str, event_type: str, at: int, key: str = HERE, **fields: Any) -> None:
    """The latest task of a step is completed by an event."""
    task = requests(world, step, key)[-1]
    data = sample(event_type)
    known = {"region": task["region"], "incident": key, "workflow": "flood"} | fields
    data |= {name: value for name, value in known.items() if name in data}
    world.publish(
        event_type, data, at=at, region=task["region"], subject=task["subject"] or task["region"],
        cause=task["task"], instance=task["instance"],
    )  # fmt: skip


def test_a_warning_has_the_dikes_patrolled_and_the_people_told(world: Worlds) -> None:
    asked_of = {task["step"]: task["department"] for task in of_type(world, "workflow.TaskRequested")}
    assert asked_of == {
        "report_to_city": "emergency",
        "confirm_level": "government",
        "publish_bulletin": "districts",
        "forecast_rain": "weather",
        "patrol_dikes": "water",
        "inform_residents": "urban",
    }
    assert state(world)["level"] == "IV"
    assert state(world)["command_unit"] == "龙岗区防汛抗旱指挥部"


@pytest.mark.parametrize(
    ("stage_cm", "rank", "level"), [(4150, 1, "IV"), (4224, 1, "IV"), (4225, 2, "III"), (4300, 3, "II")]
)
def test_the_level_follows_the_stage(world: Worlds, stage_cm: int, rank: int, level: str) -> None:
    stage(world, START + HOUR, stage_cm)
    assert (state(world)["facts"]["stage_rank"], state(world)["level"]) == (rank, level)


def test_when_the_river_is_near_what_the_dikes_hold_people_leave(world: Worlds) -> None:
    stage(world, START + HOUR, 4160)
    assert asked(world, "evacuate") == []
    stage(world, START + 2 * HOUR, 4290)
    for step in ("evacuate", "open_shelter", "divert_traffic", "secure_plants"):
        assert asked(world, step) == [HERE]


def test_the_area_moves_with_the_river(world: Worlds) -> None:
    stage(world, START + HOUR, 4290)
    stage(world, START + HOUR + MINUTE, 4310, regions=f"{HERE} {NEXT}")
    assert asked(world, "evacuate") == [HERE, NEXT]
    stage(world, START + HOUR + 2 * MINUTE, 4310, regions=NEXT)
    cancelled = {task["step"] for task in of_type(world, "workflow.TaskCancelled")}
    assert cancelled >= {"evacuate", "open_shelter", "divert_traffic", "patrol_dikes"}
    assert {task["region"] for task in state(world)["tasks"] if task["step"] == "evacuate"} == {NEXT}


def test_dikes_are_patrolled_every_six_hours_wherever_the_river_is_high(world: Worlds) -> None:
    for hour in (6, 12):
        for task in [task for task in state(world)["tasks"] if task["step"] == "patrol_dikes"]:
            done(world, "patrol_dikes", "water.DikesPatrolled", START + (hour - 5) * HOUR, region=task["region"])
        stage(world, START + (hour - 2) * HOUR, 4160, regions=HERE if hour == 6 else "")
        world.tick(START + hour * HOUR)
    assert [(task["requested_at"] - START) // HOUR for task in requests(world, "patrol_dikes")] == [0, 6]


def test_a_danger_that_is_found_is_removed(world: Worlds) -> None:
    done(world, "patrol_dikes", "water.DikesPatrolled", START + HOUR, dangers=2)
    assert requests(world, "reinforce_dike")[0]["context"] == {"dangers": "2"}


def test_a_discharge_waits_for_the_government_above(world: Worlds) -> None:
    tell(world, "water.DischargeProposed", START + HOUR, reservoir="清林径水库", flow_m3_s=60)
    assert requests(world, "discharge") == []
    assert requests(world, "discharge_approval")[0]["unit"] == "设区的市级人民政府"
    done(world, "discharge_approval", "government.DischargeApproved", START + 2 * HOUR, reservoir="清林径水库")
    assert requests(world, "discharge")[0]["subject"] == "清林径水库"


def test_a_discharge_that_is_refused_is_not_asked_for(world: Worlds) -> None:
    tell(world, "water.DischargeProposed", START + HOUR, reservoir="清林径水库")
    done(world, "discharge_approval", "government.DischargeRejected", START + 2 * HOUR, reservoir="清林径水库")
    assert requests(world, "discharge") == []


def test_an_alert_of_another_system_opens_an_incident_of_its_region() -> None:
    world = Worlds(PACK)
    alert(world, START, event="大风")
    alert(world, START, message_type="Cancel")
    alert(world, START, region=None)
    assert of_type(world, "workflow.InstanceOpened") == []
    alert(world, START)
    assert (state(world, CITY)["level"], state(world, CITY)["facts"]["colour"]) == ("II", "orange")
    assert requests(world, "patrol_dikes", CITY) == []
    assert requests(world, "report_to_province", CITY)[0]["department"] == "emergency"


def test_an_alert_without_a_colour_leaves_the_colour(world: Worlds) -> None:
    alert(world, START + HOUR, region=HERE, colour=None, event="Flood")
    assert state(world)["facts"]["colour"] == "blue"


def test_twice_below_the_warning_stage_gives_the_all_clear_and_a_rise_takes_it_back(world: Worlds) -> None:
    for hour, cm in enumerate((4100, 4160, 4100), start=1):
        stage(world, START + hour * HOUR, cm)
    assert requests(world, "give_all_clear") == []
    stage(world, START + 5 * HOUR, 4090)
    assert len(requests(world, "give_all_clear")) == 1
    stage(world, START + 6 * HOUR, 4160)
    assert not [task for task in state(world)["tasks"] if task["step"] == "give_all_clear"]


def order(world: Worlds, at: int, act: str, key: str, into: str | None = None) -> None:
    data = sample("command.DirectiveIssued", act=act, workflow="flood", key=key, into=into, reason="one command")
    world.publish("command.DirectiveIssued", data, at=at, region=key)


@pytest.fixture
def led(world: Worlds) -> Worlds:
    """Two districts' incidents, led by their city's."""
    warn(world, START + MINUTE, NEXT)
    alert(world, START + HOUR, colour="yellow")
    for key in (HERE, NEXT):
        order(world, START + 2 * HOUR, "merge", key, f"flood/{CITY}/1")
    return world


def test_the_city_leads_what_is_merged_under_it(led: Worlds) -> None:
    assert sorted(state(led, CITY)["parts"]) == [f"flood/{HERE}/1", f"flood/{NEXT}/1"]
    for key in (HERE, NEXT):
        assert state(led, key)["lead"] == f"flood/{CITY}/1"
        assert (state(led, key)["level"], state(led, key)["command_unit"]) == ("III", "深圳市防汛抗旱指挥部")
        assert [task["level"] for task in requests(led, "confirm_level", key)] == ["IV"]  # the raise is the city's
    assert [task["department"] for task in requests(led, "coordinate", CITY)] == ["command"]


def test_split_again_each_goes_on_alone_and_the_city_s_incident_ends(led: Worlds) -> None:
    done(led, "coordinate", "command.PlanSet", START + 3 * HOUR, CITY)
    order(led, START + 10 * HOUR, "split", NEXT)
    assert requests(led, "give_all_clear", CITY) == []
    order(led, START + 12 * HOUR, "split", HERE)
    assert len(requests(led, "give_all_clear", CITY)) == 1
    assert state(led)["lead"] is None
    assert state(led)["status"] == "open"


@pytest.fixture(scope="module", params=[None, 2, 3])
def played(request: pytest.FixtureRequest) -> Played:
    return play_scenario("flood-longgang", request.param)


def test_the_scenario_ends_with_every_incident_closed(played: Played) -> None:
    ended = {name: (i["status"], i["lead"], i["parts"]) for name, i in sorted(played.instances.items())}
    assert ended == {
        f"flood/{CITY}/1": ("closed", None, []),
        f"flood/{HERE}/1": ("closed", None, []),
        f"flood/{NEXT}/1": ("closed", None, []),
    }
    assert min(i["closed_at"] - i["opened_at"] for i in played.instances.values()) > 30 * DAY
    kinds = played.kinds()
    assert kinds["merged"] == kinds["split"] == 4  # in the part and in the lead
    assert kinds["order_void"] == 0


def test_every_department_takes_part(played: Played) -> None:
    departments = {name for instance in played.instances.values() for name in instance["tally"]}
    assert departments == {
        "command", "districts", "ecology", "emergency", "enterprises", "fire", "government", "health", "hospitals",
        "police", "transport", "urban", "water", "weather",
    }  # fmt: skip
