"""The chemical leak: who is asked where, as the plume moves; reports upward; the end. And the scenario as a whole."""

from typing import Any

import pytest

from tests.services.play import DAY, Played, play_scenario
from tests.workflow.world import HOUR, START, World, pack_of, sample, workflow

PACK = pack_of(workflow("leak"))
KEY = "L-1"
INSTANCE = f"leak/{KEY}/1"
MINUTE = HOUR // 60
HERE, NEXT, BEYOND = "440307", "440310", "441303"


@pytest.fixture
def world() -> World:
    found = World(PACK)
    leak = sample("enterprises.LeakReported", incident=KEY, region=HERE, substance="液氯")
    found.publish("enterprises.LeakReported", leak, at=START, region=HERE)
    return found


def tell(world: World, event_type: str, at: int, region: str = HERE, **fields: Any) -> None:
    """Something that happens by itself."""
    data = sample(event_type, **fields)
    world.publish(event_type, data | {"incident": KEY, "region": region}, at=at, region=region)


def plume(world: World, at: int, regions: str, radius_m: int = 500, people: int = 100) -> None:
    tell(world, "ecology.PlumeUpdated", at, regions=regions, radius_m=radius_m, people=people, colour="orange")


def casualties(world: World, at: int, **fields: int) -> None:
    tell(world, "emergency.CasualtiesUpdated", at, workflow="leak", **fields)


def requests(world: World, step: str) -> list[dict[str, Any]]:
    return [task for task in world.of_type("workflow.TaskRequested") if task["step"] == step]


def asked(world: World, step: str) -> list[str]:
    """Where a step was asked for, first attempts only."""
    return [task["region"] for task in requests(world, step) if task["attempt"] == 1]


def state(world: World) -> dict[str, Any]:
    return [data for data in world.of_type("workflow.InstanceChanged") if data["instance"] == INSTANCE][-1]


def done(world: World, step: str, event_type: str, at: int, region: str | None = None, **fields: Any) -> None:
    """The latest task of a step, in a region if given, is completed by an event."""
    task = next(task for task in reversed(requests(world, step)) if region in (None, task["region"]))
    known = {"incident": KEY, "region": task["region"]}
    data = sample(event_type)
    data |= {name: value for name, value in (known | fields).items() if name in data}
    world.publish(
        event_type, data, at=at, region=task["region"], subject=task["subject"] or task["region"],
        cause=task["task"], instance=task["instance"],
    )  # fmt: skip


def test_a_leak_asks_everybody_at_once(world: World) -> None:
    asked_of = {task["step"]: (task["department"], task["region"]) for task in world.of_type("workflow.TaskRequested")}
    assert asked_of == {
        "stop_production": ("enterprises", HERE),
        "report_to_county": ("enterprises", HERE),
        "contain": ("fire", HERE),
        "cordon": ("police", HERE),
        "evacuate": ("police", HERE),
        "inform_residents": ("urban", HERE),
        "report_wind": ("weather", HERE),
        "monitor": ("ecology", HERE),
        "protect_intakes": ("water", HERE),
        "confirm_level": ("government", HERE),
        "publish_bulletin": ("districts", HERE),
    }
    (contain,) = requests(world, "contain")
    assert (contain["acknowledge_by"], contain["complete_by"]) == (START + 5 * MINUTE, START + 30 * MINUTE)
    (report,) = requests(world, "report_to_county")
    assert report["complete_by"] == START + HOUR
    assert state(world)["command_unit"] == "区危险化学品事故应急指挥部"


def test_the_moving_plume_asks_new_districts_and_lets_the_others_go(world: World) -> None:
    done(world, "cordon", "police.CordonSet", START + 6 * MINUTE)
    plume(world, START + 10 * MINUTE, f"{HERE} {NEXT}", radius_m=900)
    assert asked(world, "cordon") == [HERE, NEXT]
    told = {(task["step"], task["region"]) for task in world.of_type("workflow.TaskRetargeted")}
    assert told == {("evacuate", HERE)}  # that alone was open, and its radius changed
    plume(world, START + 12 * MINUTE, BEYOND, radius_m=900)
    assert asked(world, "evacuate") == [HERE, NEXT, BEYOND]
    left = {(task["step"], task["instance"]) for task in world.of_type("workflow.TaskCancelled")}
    assert left == {("cordon", INSTANCE), ("evacuate", INSTANCE), ("inform_residents", INSTANCE)}
    still = [(task["step"], task["region"]) for task in state(world)["tasks"] if task["region"] != HERE]
    assert still == [(step, BEYOND) for step in ("cordon", "evacuate", "inform_residents")]


def test_an_older_plume_that_comes_late_moves_nothing_back(world: World) -> None:
    plume(world, START + 20 * MINUTE, NEXT)
    plume(world, START + 10 * MINUTE, HERE)
    assert state(world)["facts"]["area"] == NEXT


def test_zones_follow_the_area_and_traffic_and_shelters_the_zones(world: World) -> None:
    plume(world, START + 10 * MINUTE, HERE)
    assert requests(world, "set_zone")[0]["context"] == {"regions": HERE, "radius_m": "500"}
    done(world, "set_zone", "emergency.ZoneSet", START + 20 * MINUTE, regions=HERE)
    assert asked(world, "divert_traffic") == asked(world, "open_shelter") == [HERE]
    done(world, "open_shelter", "districts.ShelterOpened", START + 30 * MINUTE)
    plume(world, START + HOUR, f"{HERE} {NEXT}")
    done(world, "set_zone", "emergency.ZoneSet", START + HOUR + MINUTE, regions=f"{HERE} {NEXT}")
    assert asked(world, "open_shelter") == [HERE, NEXT]
    assert asked(world, "divert_traffic") == [HERE, NEXT]


def test_beyond_a_kilometre_the_government_above_is_asked_once(world: World) -> None:
    plume(world, START + 10 * MINUTE, HERE, radius_m=1000)
    assert requests(world, "evacuate_far_approval") == []
    plume(world, START + 20 * MINUTE, f"{HERE} {NEXT}", radius_m=1001)
    plume(world, START + 25 * MINUTE, f"{HERE} {NEXT}", radius_m=1400)
    (approval,) = requests(world, "evacuate_far_approval")
    assert (approval["department"], approval["unit"]) == ("government", "设区的市级人民政府")
    assert requests(world, "evacuate_far") == []
    done(world, "evacuate_far_approval", "government.EvacuationApproved", START + 30 * MINUTE)
    assert asked(world, "evacuate_far") == [HERE, NEXT]
    assert requests(world, "evacuate_far")[0]["context"]["radius_m"] == "1400"


def test_where_the_evacuation_is_refused_people_are_told_to_stay_inside(world: World) -> None:
    done(world, "inform_residents", "urban.PublicityCarriedOut", START + MINUTE)
    plume(world, START + 20 * MINUTE, HERE, radius_m=1500)
    done(world, "evacuate_far_approval", "government.EvacuationRejected", START + 30 * MINUTE)
    assert requests(world, "evacuate_far") == []
    assert asked(world, "inform_residents") == [HERE, HERE]


def report_up(world: World, at: int) -> None:
    done(world, "report_to_county", "enterprises.AccidentReported", at)
    done(world, "report_to_city", "emergency.IncidentReported", at + MINUTE, grade="IV")


def test_an_ordinary_leak_is_reported_to_the_city_and_no_further(world: World) -> None:
    report_up(world, START + HOUR)
    (city,) = requests(world, "report_to_city")
    assert (city["unit"], city["complete_by"]) == ("县级应急管理部门", START + 3 * HOUR)
    assert requests(world, "report_to_province") == []


def test_a_graver_one_is_reported_on_when_it_turns_out_to_be(world: World) -> None:
    report_up(world, START + HOUR)
    casualties(world, START + 2 * HOUR, dead=3, injured=9)
    (province,) = requests(world, "report_to_province")
    assert (province["unit"], province["complete_by"]) == ("设区的市级应急管理部门", START + 4 * HOUR)
    assert province["context"]["grade"] == "III"
    casualties(world, START + 3 * HOUR, dead=10, injured=20)
    assert requests(world, "report_to_nation") == []  # the province has not been told yet
    done(world, "report_to_province", "emergency.IncidentReported", START + 3 * HOUR, grade="III")
    assert requests(world, "report_to_nation")[0]["unit"] == "省级应急管理部门"


@pytest.mark.parametrize(
    ("dead", "severe", "grade", "level"),
    [(0, 0, "IV", "IV"), (3, 0, "III", "III"), (0, 10, "III", "III"), (10, 0, "II", "II"), (0, 50, "II", "II"),
     (30, 0, "I", "I"), (0, 100, "I", "I")],
)  # fmt: skip
def test_the_grade_follows_the_casualties_and_the_level_the_grade(
    world: World, dead: int, severe: int, grade: str, level: str
) -> None:
    casualties(world, START + HOUR, dead=dead, severe=severe, injured=severe)
    assert (state(world)["facts"]["grade"], state(world)["level"]) == (grade, level)


def test_many_people_in_danger_raise_the_level_and_not_the_grade(world: World) -> None:
    plume(world, START + HOUR, HERE, people=12_000)
    assert (state(world)["level"], state(world)["facts"]["grade"]) == ("II", "")
    assert state(world)["facts"]["colour"] == "orange"


def test_at_a_higher_level_others_take_over_and_shenzhen_commands(world: World) -> None:
    casualties(world, START + HOUR // 12, dead=3)
    assert state(world)["command_unit"] == "深圳市危险化学品事故应急指挥部"
    units = {task["step"]: task["unit"] for task in state(world)["tasks"]}
    assert (units["contain"], units["cordon"], units["monitor"]) == (
        "消防救援支队", "设区的市级公安机关", "设区的市级生态环境部门",
    )  # fmt: skip
    assert units["protect_intakes"] == "水务部门"  # not a step that is taken over


def test_the_injured_are_prepared_for_with_the_newest_figure(world: World) -> None:
    casualties(world, START + 10 * MINUTE, injured=9)
    casualties(world, START + 12 * MINUTE, injured=30, missing=2)
    assert len(requests(world, "prepare_beds")) == 1
    assert [task["context"]["beds"] for task in world.of_type("workflow.TaskRetargeted")] == ["30"]
    assert [task["department"] for task in requests(world, "set_decontamination")] == ["health"]
    assert requests(world, "rescue")[0]["context"] == {"people": "2"}
    assert asked(world, "report_capacity") == [HERE]


def test_while_the_crews_are_in_danger_their_clock_stands(world: World) -> None:
    done(world, "contain", "fire.LeakContained", START + 10 * MINUTE)
    tell(world, "fire.WorkSuspended", START + HOUR)
    tell(world, "fire.WorkResumed", START + 3 * HOUR)
    (task,) = [task for task in state(world)["tasks"] if task["step"] == "control_source"]
    assert task["complete_by"] == START + 10 * MINUTE + 6 * HOUR + 2 * HOUR


def test_a_resource_is_asked_of_the_region_that_the_request_names(world: World) -> None:
    request = {"request": "RQ-1", "of_region": "441300", "resource": "防护服", "quantity": 40, "workflow": "leak"}
    tell(world, "emergency.ResourceRequested", START + HOUR, **request)
    (commit,) = requests(world, "commit_resource")
    assert (commit["region"], commit["unit"], commit["subject"]) == ("441300", "惠州市应急管理局", "RQ-1")
    for disposition in ("acknowledged", "accepted"):
        world.answer(commit, disposition, at=START + HOUR + 1)
    assert [task["state"] for task in state(world)["tasks"] if task["step"] == "commit_resource"] == ["accepted"]
    facts = state(world)["facts"]
    assert [facts[name] for name in ("requested", "committed", "deployed", "short")] == [40, 0, 0, 40]
    done(world, "commit_resource", "emergency.ResourceCommitted", START + HOUR + 2, request="RQ-1", quantity=30)
    facts = state(world)["facts"]
    assert [facts[name] for name in ("requested", "committed", "deployed", "short")] == [40, 30, 0, 10]
    done(world, "deploy_resource", "emergency.ResourceDeployed", START + 2 * HOUR, request="RQ-1", quantity=30)
    assert state(world)["facts"]["deployed"] == 30


def test_what_the_neighbour_cannot_send_the_province_is_asked_for(world: World) -> None:
    request = {"request": "RQ-1", "of_region": "441300", "resource": "防护服", "quantity": 40, "workflow": "leak"}
    tell(world, "emergency.ResourceRequested", START + HOUR, **request)
    done(world, "commit_resource", "emergency.ResourceDeclined", START + HOUR + 1, request="RQ-1")
    (above,) = requests(world, "commit_from_above")
    assert (above["unit"], above["subject"], above["region"]) == ("省级应急管理部门", "RQ-1", HERE)


def test_figures_of_another_emergency_of_the_region_are_none_of_the_leak_s(world: World) -> None:
    tell(world, "emergency.CasualtiesUpdated", START + HOUR, workflow="flood", dead=30)
    assert state(world)["facts"]["dead"] == 0


def reading(world: World, at: int, *, normal: bool) -> None:
    tell(world, "ecology.ReadingTaken", at, normal=normal)


def test_two_normal_readings_in_a_row_and_a_source_under_control_give_the_all_clear(world: World) -> None:
    done(world, "contain", "fire.LeakContained", START + 10 * MINUTE)
    done(world, "control_source", "fire.SourceControlled", START + HOUR)
    for hour, normal in enumerate((True, False, True), start=2):
        reading(world, START + hour * HOUR, normal=normal)
        assert requests(world, "give_all_clear") == []
    reading(world, START + 5 * HOUR, normal=True)
    assert [task["department"] for task in requests(world, "give_all_clear")] == ["command"]
    reading(world, START + 5 * HOUR + 1, normal=False)  # it flares up again
    assert not [task for task in state(world)["tasks"] if task["step"] == "give_all_clear"]


def test_everything_is_undone_and_thirty_days_later_the_incident_closes(world: World) -> None:
    done(world, "cordon", "police.CordonSet", START + MINUTE)
    done(world, "contain", "fire.LeakContained", START + 10 * MINUTE)
    done(world, "control_source", "fire.SourceControlled", START + HOUR)
    done(world, "confirm_level", "government.LevelActivated", START + HOUR, level="IV", alert_identifier="a")
    for hour in (2, 4):
        reading(world, START + hour * HOUR, normal=True)
    done(world, "give_all_clear", "command.AllClearGiven", START + 5 * HOUR)
    assert asked(world, "lift_cordon") == [HERE]
    done(world, "lift_cordon", "police.CordonLifted", START + 6 * HOUR)
    done(world, "cancel_alert", "government.AlertCancelled", START + 6 * HOUR)
    world.tick(START + 30 * DAY - 1)
    assert requests(world, "report_supplement") == []
    world.tick(START + 30 * DAY)
    assert requests(world, "report_supplement")[0]["complete_by"] == START + 31 * DAY
    while others := [task["step"] for task in state(world)["tasks"] if task["step"] != "report_supplement"]:
        done(world, others[0], min(PACK.steps[others[0]].completed_by), START + 30 * DAY + 1)
    done(world, "report_supplement", "emergency.SupplementReported", START + 30 * DAY + HOUR, dead=1)
    assert state(world)["status"] == "open"
    done(world, "file_report", "command.AfterActionFiled", START + 31 * DAY)
    assert (state(world)["status"], state(world)["facts"]["dead"]) == ("closed", 1)


@pytest.fixture(scope="module", params=[None, 2, 3])
def played(request: pytest.FixtureRequest) -> Played:
    return play_scenario("leak-shenzhen", request.param)


def test_the_scenario_ends_with_the_incident_closed(played: Played) -> None:
    (instance,) = played.instances.values()
    assert (instance["status"], instance["level"], instance["highest_level"]) == ("closed", "II", "III")
    assert instance["closed_at"] - instance["opened_at"] > 30 * DAY
    assert instance["facts"]["dead"] == 4
    assert instance["facts"]["requested"] == instance["facts"]["deployed"] == 106
    assert instance["command_unit"] == "广东省危险化学品事故应急指挥部"


def test_every_department_takes_part(played: Played) -> None:
    (instance,) = played.instances.values()
    assert set(instance["tally"]) == {
        "command", "districts", "ecology", "emergency", "enterprises", "fire", "government", "health", "hospitals",
        "police", "transport", "urban", "water", "weather",
    }  # fmt: skip


def test_the_cloud_crosses_the_city_s_border_and_a_false_alarm_is_called_off(played: Played) -> None:
    where = {task["region"] for task in played.requests if task["step"] == "cordon"}
    assert where == {HERE, NEXT, BEYOND, "441302"}
    reasons = {task["reason"] for task in played.of("workflow.TaskCancelled")}
    assert "no longer in 441302: rule:plume_updated" in reasons
    kinds = played.kinds()
    assert kinds["clock_stopped"] == kinds["clock_started"] >= 1
    assert kinds["command_taken"] == 3
    assert kinds["retargeted"] >= 1
    assert kinds["reassigned"] >= 1


def test_the_same_seed_ends_the_same_way() -> None:
    assert play_scenario("leak-shenzhen").instances == play_scenario("leak-shenzhen").instances
