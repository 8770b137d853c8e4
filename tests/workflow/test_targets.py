"""A step that is asked region by region, and an area that moves."""

from typing import Any

from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import HOUR, START, World, encoded, sample

NANSHAN, FUTIAN, LUOHU = "440305", "440304", "440303"
FORECAST = rule("forecast", "districts.BulletinPublished", key='"440300"', set={"area": "event.bulletin"})
TITLE = {"zh": "街道办", "en": "Street office"}


def evacuation(**changes: Any) -> World:
    """Evacuates the regions of the latest forecast; ``changes`` are of the step, or of the definition."""
    moving = {
        "for_regions": "facts.area",
        "retargeted_by": ["rule:forecast"],
        "context": {"area": "facts.area"},
        "completed_by": ["districts.SiteReady"],
    }
    of_step = {name: changes.pop(name) for name in list(changes) if name in {*moving, "on", "gate", "cancelled_by"}}
    definition = {
        "facts": {"cases": {"type": "int", "initial": 0}, "area": {"type": "string", "initial": ""}},
        "rules": [CASES, FORECAST],
        "steps": [step("evacuate", *of_step.pop("on", ["opened"]), role="district", **{**moving, **of_step})],
        "responsibilities": [
            line("district", "districts"),
            line("district", "urban", region=NANSHAN, unit=TITLE),
            line("command_post", "command"),
            line("command_post", "police", region=NANSHAN),
            line("upper_government", "government"),
        ],
    }
    return World(small(**definition | changes))


def forecast(world: World, area: str, at: int, **about: Any) -> list[Any]:
    """Another forecast of the area."""
    data = sample("districts.BulletinPublished", bulletin=area)
    return world.publish("districts.BulletinPublished", data, at=at, region="440300", **about)


def begin(world: World, area: str = f"{NANSHAN} {FUTIAN}") -> World:
    """A forecast waits, then the instance opens."""
    forecast(world, area, START)
    world.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region="440300", count=1), at=START, region="440300"
    )
    return world


def instance(world: World) -> dict[str, Any]:
    found = world.partition.states["small/440300"].open
    assert found is not None
    return found


def asked(world: World) -> dict[str, str]:
    """Region and task of what is open."""
    return {task["region"]: task["id"] for task in instance(world)["tasks"]}


def on_forecast(**changes: Any) -> World:
    """Asked by the first forecast, moved by the next ones."""
    world = evacuation(on=["rule:forecast"], **changes)
    return begin(world)


def test_one_task_for_each_region_answered_by_who_is_responsible_there() -> None:
    world = on_forecast()
    requested = world.of_type("workflow.TaskRequested")
    assert [(task["region"], task["department"], task["unit"]) for task in requested] == [
        (NANSHAN, "urban", "街道办"),
        (FUTIAN, "districts", "测试"),
    ]
    assert len({task["task"] for task in requested}) == 2
    assert instance(world)["targets"] == {"evacuate": [NANSHAN, FUTIAN]}
    assert instance(world)["asked"] == {"evacuate": 2}


def test_a_region_that_left_is_cancelled_one_that_is_new_is_asked_and_one_that_stays_is_told() -> None:
    world = on_forecast()
    before = instance(world)["tasks"]
    outputs = forecast(world, f"{FUTIAN} {LUOHU}", START + HOUR)
    (cancelled,) = world.of_type("workflow.TaskCancelled", outputs)
    assert cancelled["task"] == before[0]["id"]
    assert "rule:forecast" in cancelled["reason"]
    (requested,) = world.of_type("workflow.TaskRequested", outputs)
    assert (requested["region"], requested["acknowledge_by"]) == (LUOHU, START + 2 * HOUR)
    (told,) = world.of_type("workflow.TaskRetargeted", outputs)
    assert (told["task"], told["region"], told["reason"]) == (before[1]["id"], FUTIAN, "rule:forecast")
    assert told["context"] == {"area": f"{FUTIAN} {LUOHU}"}
    stays = instance(world)["tasks"][0]
    assert stays == before[1] | {"context": told["context"]}, "its deadlines stay"
    assert instance(world)["targets"] == {"evacuate": [FUTIAN, LUOHU]}
    assert world.kinds(outputs).count("retargeted") == 1


def test_whoever_hears_nothing_new_is_not_told() -> None:
    world = on_forecast()
    outputs = forecast(world, f"{NANSHAN} {FUTIAN}", START + HOUR)
    assert world.kinds(outputs) == ["joined"]


def test_what_was_done_in_a_region_is_not_asked_again_but_a_region_that_comes_back_is() -> None:
    world = on_forecast()
    data = sample("districts.SiteReady", region=NANSHAN)
    world.publish("districts.SiteReady", data, at=START + 1, cause=asked(world)[NANSHAN], instance="small/440300/1")
    assert forecast(world, f"{NANSHAN} {FUTIAN} {LUOHU}", START + 2)
    assert set(asked(world)) == {FUTIAN, LUOHU}
    forecast(world, FUTIAN, START + 3)
    forecast(world, f"{FUTIAN} {NANSHAN}", START + 4)
    assert set(asked(world)) == {FUTIAN, NANSHAN}


def test_nothing_is_moved_where_nothing_was_asked() -> None:
    world = evacuation(on=["timer:never"], timers=[{"timer": "never", "after": "9d", "basis": "law"}])
    begin(world)
    assert instance(world)["tasks"] == []
    forecast(world, LUOHU, START + 1)
    assert instance(world)["tasks"] == []
    assert instance(world)["targets"] == {}


def test_a_step_that_was_called_off_is_asked_anew_in_every_region() -> None:
    called_off = rule("called_off", "districts.SitesReleased", key='"440300"')
    world = on_forecast(cancelled_by=["rule:called_off"], rules=[CASES, FORECAST, called_off])
    world.publish("districts.SitesReleased", sample("districts.SitesReleased"), at=START + 1, region="440300")
    assert (asked(world), instance(world)["targets"]) == ({}, {})
    forecast(world, NANSHAN, START + 2)
    assert set(asked(world)) == {NANSHAN}


def test_without_regions_only_the_context_moves() -> None:
    world = on_forecast(for_regions=None)
    (task,) = instance(world)["tasks"]
    assert task["region"] == "440300"
    outputs = forecast(world, LUOHU, START + 1)
    (told,) = world.of_type("workflow.TaskRetargeted", outputs)
    assert (told["task"], told["context"]) == (task["id"], {"area": LUOHU})
    assert world.of_type("workflow.TaskRequested", outputs) == []


def test_one_approval_counts_for_all_regions_and_for_those_that_come_later() -> None:
    gate = {
        "role": "upper_government", "titles": TITLE, "basis": "law 4", "acknowledge_by": "1h", "complete_by": "2h",
        "approved_by": "government.BanApproved", "rejected_by": "government.BanRejected",
    }  # fmt: skip
    world = on_forecast(gate=gate)
    (approval,) = world.of_type("workflow.TaskRequested")
    assert (approval["step"], approval["region"]) == ("evacuate_approval", "440300")
    forecast(world, f"{NANSHAN} {LUOHU}", START + 1)
    about = {"cause": approval["task"], "instance": approval["instance"]}
    world.publish("government.BanApproved", sample("government.BanApproved"), at=START + 2, **about)
    assert set(asked(world)) == {NANSHAN, LUOHU}, "the area at the time of the approval"
    outputs = forecast(world, f"{NANSHAN} {FUTIAN}", START + 3)
    assert [task["region"] for task in world.of_type("workflow.TaskRequested", outputs)] == [FUTIAN]


def test_an_event_without_a_cause_ends_the_task_of_its_region() -> None:
    world = on_forecast()
    street = f"{FUTIAN}001"
    for region in (street, LUOHU, street):
        data = sample("districts.SiteReady", region=region)
        world.publish("districts.SiteReady", data, at=START + 1, region=region, instance="small/440300/1")
    assert set(asked(world)) == {NANSHAN}, "only that of Futian is done, and the second report ends nothing else"
    assert instance(world)["done"] == {"evacuate": 1}


def test_an_event_of_the_whole_city_ends_none_of_several_tasks() -> None:
    world = on_forecast()
    data = sample("districts.SiteReady", region="440300")
    world.publish("districts.SiteReady", data, at=START + 1, region="440300", instance="small/440300/1")
    assert set(asked(world)) == {NANSHAN, FUTIAN}


def test_tasks_of_one_subject_move_alone() -> None:
    by_subject = FORECAST | {"subject": "event.title"}
    world = evacuation(on=["rule:forecast"], rules=[CASES, by_subject], for_regions="event.bulletin")
    for name, area, at in (("river", NANSHAN, 1), ("lake", f"{NANSHAN} {FUTIAN}", 2), ("river", LUOHU, 3)):
        data = sample("districts.BulletinPublished", bulletin=area, title=name)
        if at == 1:
            world.publish(
                "health.CasesConfirmed",
                sample("health.CasesConfirmed", region="440300", count=1),
                at=START,
                region="440300",
            )
        world.publish("districts.BulletinPublished", data, at=START + at, region="440300")
    open_tasks = {(task["subject"], task["region"]) for task in instance(world)["tasks"]}
    assert open_tasks == {("lake", NANSHAN), ("lake", FUTIAN), ("river", LUOHU)}
    assert instance(world)["targets"] == {"evacuate river": [LUOHU], "evacuate lake": [NANSHAN, FUTIAN]}


def test_a_missed_deadline_is_told_to_the_role_in_the_tasks_region() -> None:
    world = on_forecast()
    world.tick(START + HOUR)
    told = {data["task"]: data["to_department"] for data in world.of_type("workflow.TaskEscalated")}
    assert told == {asked(world)[NANSHAN]: "police", asked(world)[FUTIAN]: "command"}


def test_the_commander_of_an_instance_is_that_of_its_own_region() -> None:
    world = on_forecast(command="command_post")
    world.tick(START + HOUR)
    assert {data["to_department"] for data in world.of_type("workflow.TaskEscalated")} == {"command"}


def test_what_is_no_region_code_is_recorded_and_the_rest_is_asked() -> None:
    world = begin(evacuation(on=["rule:forecast"]), f"south {NANSHAN} {NANSHAN} ../..")
    assert set(asked(world)) == {NANSHAN}
    assert "regions_failed" in world.kinds()


def test_no_more_regions_are_asked_than_a_state_can_hold() -> None:
    world = begin(evacuation(on=["rule:forecast"]), " ".join(str(440_000 + number) for number in range(1_400)))
    assert len(instance(world)["tasks"]) == 500
    assert "regions_failed" in world.kinds()


def test_an_area_that_cannot_be_computed_leaves_all_as_it_was() -> None:
    world = on_forecast(for_regions='facts.area.substring(0, 6) != "" ? facts.area : ""')
    assert set(asked(world)) == {NANSHAN, FUTIAN}
    outputs = forecast(world, "", START + 1)
    assert "regions_failed" in world.kinds(outputs)
    assert set(asked(world)) == {NANSHAN, FUTIAN}


# Of assignments, the latest by event time


def test_an_older_forecast_that_arrives_later_does_not_move_the_area_back() -> None:
    world = on_forecast()
    forecast(world, LUOHU, START + 3 * HOUR, id="newer")
    outputs = forecast(world, NANSHAN, START + 2 * HOUR, id="older")
    assert instance(world)["facts"]["area"] == LUOHU
    assert set(asked(world)) == {LUOHU}
    assert world.kinds(outputs) == ["joined", "fact_overtaken"]
    assert instance(world)["latest"]["area"] == {"at": START + 3 * HOUR, "id": "newer"}


def test_of_forecasts_of_one_time_the_higher_id_counts_in_whatever_order_they_come() -> None:
    for order in ((("a", NANSHAN), ("b", LUOHU)), (("b", LUOHU), ("a", NANSHAN))):
        world = on_forecast()
        for name, area in order:
            forecast(world, area, START + HOUR, id=name)
        assert instance(world)["facts"]["area"] == LUOHU


def test_what_reads_the_fact_that_it_sets_counts_whenever_it_comes() -> None:
    world = on_forecast()
    for at in (3, 1, 2):
        data = sample("health.CasesConfirmed", region="440300", count=10)
        world.publish("health.CasesConfirmed", data, at=START + at * HOUR, region="440300")
    assert instance(world)["facts"]["cases"] == 31
    assert instance(world)["latest"]["cases"]["at"] == START + 3 * HOUR


def test_what_waited_counts_by_its_own_time() -> None:
    world = evacuation(on=["rule:forecast"])
    forecast(world, LUOHU, START + 2, id="a")
    forecast(world, NANSHAN, START + 1, id="b")
    world.publish(
        "health.CasesConfirmed",
        sample("health.CasesConfirmed", region="440300", count=1),
        at=START + HOUR,
        region="440300",
    )
    assert instance(world)["facts"]["area"] == LUOHU
    assert instance(world)["tasks"][0]["requested_at"] == START + HOUR, "deadlines run from when it could join"


def test_a_timer_is_overtaken_by_what_happened_after_it_was_due() -> None:
    ending = {"timer": "ending", "after": "2h", "set": {"area": '""'}, "basis": "law"}
    opening = CASES | {"restart": ["ending"]}
    world = begin(evacuation(timers=[ending], rules=[opening, FORECAST]))
    forecast(world, LUOHU, START + 3 * HOUR)
    outputs = world.tick(START + 4 * HOUR)
    assert "fact_overtaken" in world.kinds(outputs)
    assert instance(world)["facts"]["area"] == LUOHU


def test_a_moved_area_folds_to_the_same_bytes() -> None:
    world = on_forecast()
    for number, area in enumerate((LUOHU, f"{NANSHAN} {FUTIAN}", "")):
        forecast(world, area, START + number * HOUR)
        world.tick(START + number * HOUR + HOUR // 2)
    partition = world.new_partition()
    again = partition.apply([world.read(entry) for entry in world.journal])
    snapshots = {key: value for key, value in encoded(again).items() if not key.startswith("@")}
    assert snapshots == {key: value for key, value in world.snapshots().items() if not key.startswith("@")}
    told = [(output.id, output.data) for output in again if output.topic != "workflow.instances"]
    assert told == [(output.id, output.data) for output in world.outputs if output.topic != "workflow.instances"]
