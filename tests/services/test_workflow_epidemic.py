"""The epidemic workflow, from the first report to the closed incident."""

from collections.abc import Mapping
from typing import Any

import pytest

from deptbus.clock import from_iso
from tests.services.play import DAY
from tests.workflow.world import HOUR, START, World, pack_of, workflow

REGION = "990100"
PACK = pack_of(workflow("epidemic"))


@pytest.fixture
def world() -> World:
    return World(PACK)


def confirm(world: World, count: int, at: int = START, region: str = REGION) -> None:
    data = {
        "region": region, "province": "990000", "city": "示例甲市", "count": count, "total": count,
        "date": "2020-01-20", "source_reference": "a.csv:2",
    }  # fmt: skip
    world.publish("health.CasesConfirmed", data, at=at, region=region, subject=region)


def case_reported(world: World, case: str = "c1", at: int = START) -> None:
    data = {
        "case": case, "region": REGION, "disease": "新型冠状病毒肺炎", "facility": "示例医院", "patient": None,
        "patient_id": None, "onset_date": None, "reported_at": at,
    }  # fmt: skip
    world.publish("health.CaseReported", data, at=at, region=REGION, subject=case)


def requests(world: World, step: str) -> list[dict[str, Any]]:
    return [task for task in world.of_type("workflow.TaskRequested") if task["step"] == step]


def asked(world: World, step: str) -> int:
    """How many tasks a step has asked for, what was asked again not counted."""
    return sum(task["attempt"] == 1 for task in requests(world, step))


def state(world: World, n: int = 1) -> dict[str, Any]:
    name = f"epidemic/{REGION}/{n}"
    return [data for data in world.of_type("workflow.InstanceChanged") if data["instance"] == name][-1]


def done(world: World, step: str, event_type: str, data: Mapping[str, Any], at: int) -> None:
    """The latest task of a step is completed by an event."""
    task = requests(world, step)[-1]
    world.publish(
        event_type, {"region": REGION, **data}, at=at, region=REGION, subject=task["subject"] or REGION,
        cause=task["task"], instance=task["instance"],
    )  # fmt: skip


ALERT = {"alert_sender": "s", "alert_identifier": "i", "alert_sent": "2020-01-20T00:00:00+08:00"}


def wind_down(world: World, at: int) -> None:
    done(world, "release_sites", "districts.SitesReleased", {"note": ""}, at)
    done(world, "release_resources", "health.ResourcesReleased", {"note": ""}, at + 1)
    done(world, "cancel_alert", "government.AlertCancelled", {**ALERT, "references": ""}, at + 2)


def file_report(world: World, at: int) -> None:
    done(world, "file_report", "command.AfterActionFiled", {"report": "1", "summary": "", "filed_at": at}, at)


@pytest.mark.parametrize(("count", "level"), [(1, "IV"), (9, "IV"), (10, "III"), (50, "II"), (499, "II"), (500, "I")])
def test_the_level_follows_the_confirmed_total(world: World, count: int, level: str) -> None:
    confirm(world, count)
    assert state(world)["level"] == level


def test_activation_asks_every_department_concerned(world: World) -> None:
    confirm(world, 3)
    asked = {task["step"]: task["department"] for task in world.of_type("workflow.TaskRequested")}
    assert asked == {
        "confirm_level": "government",
        "report_capacity": "hospitals",
        "publish_bulletin": "districts",
        "requisition_site": "districts",
        "control_traffic": "transport",
        "control_community": "urban",
    }
    assert all(task["level"] == "IV" and task["subject"] == "" for task in world.of_type("workflow.TaskRequested"))


def test_each_raise_is_confirmed_by_the_government_competent_for_it(world: World) -> None:
    for number, count in enumerate((1, 9, 40, 450)):
        confirm(world, count, START + number * DAY)
    assert [(task["level"], task["unit"]) for task in requests(world, "confirm_level")] == [
        ("IV", "县级人民政府"),
        ("III", "设区的市级人民政府"),
        ("II", "省级人民政府"),
        ("I", "国务院"),
    ]


def test_a_rejection_lowers_nothing(world: World) -> None:
    confirm(world, 10)
    done(world, "confirm_level", "government.LevelRejected", {"level": "III", "reason": ""}, START + HOUR)
    assert state(world)["level"] == "III"
    assert state(world)["done"]["confirm_level"] == 1


def test_capacity_is_reported_every_four_hours(world: World) -> None:
    confirm(world, 1)
    beds: dict[str, Any] = {"facility_status": "Normal", "ems_status": "Normal", "beds": [], "reported_at": START}
    for number in range(1, 4):
        done(world, "report_capacity", "hospitals.CapacityUpdated", beds, START + number * 4 * HOUR - 1)
        world.tick(START + number * 4 * HOUR)
    assert [(task["requested_at"] - START) // HOUR for task in requests(world, "report_capacity")] == [0, 4, 8, 12]


def short(world: World, shortage: str, at: int) -> None:
    data = {"shortage": shortage, "region": REGION, "resource": "口罩", "quantity": 10, "needed_by": at + DAY}
    world.publish("hospitals.ResourceShort", data, at=at, region=REGION, subject=shortage)


def test_a_shortage_is_health_s_to_end_and_goes_up_when_declined(world: World) -> None:
    confirm(world, 1)
    short(world, "s1", START + HOUR)
    assert requests(world, "supply_resource")[0]["context"] == {"resource": "口罩", "quantity": "10"}
    done(world, "supply_resource", "health.ResourceDeclined", {"shortage": "s1", "reason": "none left"}, START + HOUR)
    (above,) = requests(world, "supply_from_above")
    assert (above["department"], above["subject"], above["unit"]) == ("health", "s1", "省级卫生健康主管部门")


def gather(world: World, at: int) -> None:
    data = {"gathering": "g1", "region": REGION, "place": "广场", "people": 50, "detected_at": at}
    world.publish("urban.GatheringDetected", data, at=at, region=REGION, subject="g1")


def test_a_ban_waits_for_the_government_at_the_next_level(world: World) -> None:
    confirm(world, 1)
    gather(world, START + HOUR)
    assert requests(world, "ban_gathering") == []
    assert requests(world, "ban_gathering_approval")[0]["unit"] == "设区的市级人民政府"
    approval = {"gathering": "g1", "approval": "1"}
    done(world, "ban_gathering_approval", "government.BanApproved", approval, START + HOUR)
    done(world, "ban_gathering", "police.BanIssued", {"gathering": "g1", "ban": "1", "issued_at": START}, START + HOUR)
    assert requests(world, "disperse_gathering")[0]["subject"] == "g1"


def test_a_gathering_that_may_not_be_forbidden_is_ended_all_the_same(world: World) -> None:
    confirm(world, 1)
    gather(world, START + HOUR)
    rejection = {"gathering": "g1", "reason": "small"}
    done(world, "ban_gathering_approval", "government.BanRejected", rejection, START + HOUR)
    assert requests(world, "ban_gathering") == []
    assert requests(world, "disperse_gathering")[0]["subject"] == "g1"


def test_a_requisitioned_site_is_made_ready_and_each_level_has_sites_of_its_own(world: World) -> None:
    confirm(world, 1)
    site = {"site": "x", "name": "酒店", "rooms": 30, "order": "1"}
    done(world, "requisition_site", "districts.SiteRequisitioned", site, START + HOUR)
    (ready,) = requests(world, "ready_site")
    assert (ready["subject"], ready["context"]) == ("x", {"rooms": "30"})
    confirm(world, 2, START + 2 * HOUR)
    assert len(requests(world, "requisition_site")) == 1
    confirm(world, 9, START + 3 * HOUR)
    assert len(requests(world, "requisition_site")) == 2


def object_to(world: World, at: int, name: str = "a.csv:3/missing_code") -> None:
    data = {
        "objection": name, "region": REGION, "kind": "missing_code", "province": "990000", "city": "外地来示例",
        "date": "2020-01-20", "value": 0, "previous": None, "source_reference": "a.csv:3",
    }  # fmt: skip
    world.publish("data.ObjectionRaised", data, at=at, region=REGION, subject=REGION)


def test_an_objection_opens_nothing_and_waits_for_the_incident_of_its_region(world: World) -> None:
    object_to(world, START)
    assert world.of_type("workflow.InstanceOpened") == []
    confirm(world, 1, START + 40 * DAY)
    (task,) = requests(world, "verify_figure")
    assert (task["department"], task["subject"]) == ("health", "a.csv:3/missing_code")


def test_a_figure_is_verified_within_two_working_days(world: World) -> None:
    confirm(world, 1)
    friday = from_iso("2020-01-17T10:00:00+08:00") + 28 * DAY  # 14 February
    object_to(world, friday)
    (task,) = requests(world, "verify_figure")
    assert task["complete_by"] == from_iso("2020-02-18T10:00:00+08:00")


def test_a_reported_case_is_verified_before_it_counts(world: World) -> None:
    case_reported(world)
    (task,) = world.of_type("workflow.TaskRequested")
    assert (task["step"], task["department"], task["subject"]) == ("verify_case", "cdc", "c1")
    assert task["acknowledge_by"] - START == HOUR // 4
    assert state(world)["level"] is None
    done(world, "verify_case", "cdc.CaseConfirmed", {"case": "c1", "method": "PCR", "verified_at": START}, START + HOUR)
    assert (state(world)["facts"]["cases"], state(world)["level"]) == (1, "IV")


def discarded(case: str, retracts: bool = False) -> dict[str, Any]:
    return {"case": case, "retracts": retracts, "reason": "", "verified_at": START}


def test_an_incident_of_discarded_cases_only_closes_with_the_last(world: World) -> None:
    case_reported(world, "c1")
    case_reported(world, "c2", START + 1)
    first, second = requests(world, "verify_case")
    for task, at in ((first, START + HOUR), (second, START + 2 * HOUR)):
        assert state(world)["status"] == "open"
        world.publish(
            "cdc.CaseDiscarded", {"region": REGION, **discarded(task["subject"])}, at=at, region=REGION,
            cause=task["task"], instance=task["instance"], subject=task["subject"],
        )  # fmt: skip
    assert state(world)["status"] == "closed"


def test_a_confirmed_case_can_be_taken_back_and_the_level_stays(world: World) -> None:
    confirm(world, 10)
    data = {"region": REGION, **discarded("c1", retracts=True)}
    world.publish("cdc.CaseDiscarded", data, at=START + DAY, region=REGION, subject="c1")
    assert (state(world)["facts"]["cases"], state(world)["level"], state(world)["status"]) == (9, "III", "open")


def finish_response(world: World, at: int) -> None:
    """Complete what only a department's event can, so that nothing but the wind-down is left."""
    done(world, "confirm_level", "government.LevelActivated", {"level": "IV", **ALERT}, at)
    bulletin = {"bulletin": "1", "title": "", "published_at": at}
    done(world, "publish_bulletin", "districts.BulletinPublished", bulletin, at)
    beds: dict[str, Any] = {"facility_status": "Normal", "ems_status": "Normal", "beds": [], "reported_at": at}
    done(world, "report_capacity", "hospitals.CapacityUpdated", beds, at)


def quiet(world: World, since: int) -> None:
    """Fourteen days without a case; what the response still owed is cancelled or done."""
    world.tick(since + 14 * DAY)
    if any(task["step"] == "report_capacity" for task in state(world)["tasks"]):
        beds: dict[str, Any] = {"facility_status": "Normal", "ems_status": "Normal", "beds": [], "reported_at": since}
        done(world, "report_capacity", "hospitals.CapacityUpdated", beds, since + 14 * DAY)


def test_fourteen_quiet_days_wind_the_response_down_and_the_report_closes_it(world: World) -> None:
    confirm(world, 1)
    finish_response(world, START + 1)
    world.tick(START + 14 * DAY - 1)
    assert requests(world, "release_sites") == []
    quiet(world, START)
    assert requests(world, "cancel_alert")[0]["context"] == {"references": "s,i,2020-01-20T00:00:00+08:00"}
    at = START + 14 * DAY + HOUR
    wind_down(world, at)
    assert state(world)["status"] == "open"
    file_report(world, at + HOUR)
    assert state(world)["status"] == "closed"
    assert set(world.kinds()) >= {"opened", "level", "timer", "closed"}


def test_a_new_case_stops_the_wind_down_and_starts_the_capacity_reports_again(world: World) -> None:
    confirm(world, 1)
    finish_response(world, START + 1)
    quiet(world, START)
    world.tick(START + 15 * DAY)
    before = asked(world, "report_capacity")
    world.tick(START + 16 * DAY)
    assert asked(world, "report_capacity") == before
    again = START + 16 * DAY
    confirm(world, 1, again)
    cancelled = {data["step"] for data in world.of_type("workflow.TaskCancelled")}
    assert cancelled >= {"release_sites", "release_resources", "cancel_alert"}
    assert asked(world, "report_capacity") == before + 1
    assert state(world)["facts"]["quiet"] is False
    world.tick(again + 14 * DAY - 1)
    assert asked(world, "release_sites") == 1
    world.tick(again + 14 * DAY)
    assert asked(world, "release_sites") == 2


def test_an_alert_that_was_cancelled_is_renewed_by_a_new_case(world: World) -> None:
    confirm(world, 1)
    finish_response(world, START + 1)
    quiet(world, START)
    at = START + 14 * DAY + HOUR
    wind_down(world, at)
    confirm(world, 1, at + HOUR)
    assert len(requests(world, "renew_alert")) == 1
    assert asked(world, "requisition_site") == 2
    assert "file_report" in {data["step"] for data in world.of_type("workflow.TaskCancelled")}


def test_a_resource_committed_while_winding_down_is_released_too(world: World) -> None:
    confirm(world, 1)
    finish_response(world, START + 1)
    quiet(world, START)
    at = START + 14 * DAY + HOUR
    short(world, "s1", at)
    wind_down(world, at + HOUR)
    commit = {"shortage": "s1", "resource": "口罩", "quantity": 1, "supplier": "x", "deliver_by": at}
    done(world, "supply_resource", "health.ResourceCommitted", commit, at + 2 * HOUR)
    assert asked(world, "release_resources") == 2
    file_report(world, at + 3 * HOUR)
    assert state(world)["status"] == "open"
    done(world, "release_resources", "health.ResourcesReleased", {"note": ""}, at + 4 * HOUR)
    assert state(world)["status"] == "closed"
