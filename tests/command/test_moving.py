"""An incident that moves and grows: what the record and the screens say of regions, retargeting and command."""

from typing import Any

import pytest

from deptbus.cli.incidents.due_view import show_due
from deptbus.cli.incidents.record_view import show_record
from deptbus.cli.incidents.view import show_list
from deptbus.desk.due import Wanted, due
from deptbus.desk.incidents import Filter, incidents
from deptbus.settings import Settings
from deptbus.workflow.said import Said
from tests.command.projecting import INSTANCE, REGION, board_of, record_of
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import HOUR, START, World, sample

CONFIRMED, GATHERING = "health.CasesConfirmed", "urban.GatheringDetected"


def _world() -> World:
    """Districts in danger are evacuated; a gathering moves the area; at level III the city takes over."""
    pack = small(
        command="command_post",
        facts={
            "cases": {"type": "int", "initial": 0},
            "area": {"type": "string", "initial": "440103 440104"},
            "boats_committed": {"type": "int", "initial": 4},
        },
        rules=[CASES, rule("moved", GATHERING, set={"area": "event.gathering"})],
        level={"of": "facts.cases", "rows": [{"at_least": 10, "gives": "III"}], "basis": "law 5"},
        steps=[
            step(
                "evacuate", role="police", for_regions="facts.area", retargeted_by=["rule:moved"], takeover=True,
                context={"area": "facts.area"}, titles={"zh": "转移群众", "en": "Evacuate"},
            )
        ],
        responsibilities=[
            line("health_authority", "health"), line("command_post", "command"), line("upper_government", "government"),
            line("police", "police"),
            line("police", "police", level="III") | {"unit": {"zh": "市公安局", "en": "City police"}},
            line("command_post", "command", level="III") | {"unit": {"zh": "市指挥部", "en": "City command"}},
        ],
    )  # fmt: skip
    world = World(pack)
    world.publish(CONFIRMED, sample(CONFIRMED, region=REGION, count=1), at=START, region=REGION)
    moved = sample(GATHERING, region=REGION, gathering="440104 440105")
    world.publish(GATHERING, moved, at=START + HOUR, region=REGION, actor="Wang")
    world.publish(CONFIRMED, sample(CONFIRMED, region=REGION, count=10), at=START + 2 * HOUR, region=REGION)
    return world


def _by_region(world: World) -> dict[str | None, Any]:
    return {task.region: task for task in record_of(world, START + 2 * HOUR).tasks}


def test_the_record_has_each_region_with_what_became_of_it() -> None:
    tasks = _by_region(_world())
    assert {region: task.outcome for region, task in tasks.items()} == {
        "440103": "cancelled", "440104": None, "440105": None,
    }  # fmt: skip
    (moved,) = tasks["440104"].retargeted
    assert (moved["from_context"], moved["context"]) == ({"area": "440103 440104"}, {"area": "440104 440105"})
    assert (moved["at"], moved["reason"], moved["actor"], moved["basis"]) == (
        START + HOUR, "rule:moved", "Wang", "law 1",
    )  # fmt: skip
    assert moved["cause"]
    assert tasks["440105"].retargeted == []


def test_the_record_says_who_took_over_and_who_commands() -> None:
    world = _world()
    record = record_of(world, START + 2 * HOUR)
    (taken,) = _by_region(world)["440104"].reassigned
    assert (taken["to_department"], taken["unit"], taken["reason"]) == ("police", "市公安局", "taken over at level III")
    assert [step["to_unit"] for step in record.commands] == ["测试", "市指挥部"]
    assert all(step["cause"] and step["basis"] for step in record.commands)
    told = record.to_json()
    assert (told["command_department"], told["command_unit"]) == ("command", "市指挥部")
    assert told["targets"] == {"evacuate": ["440104", "440105"]}
    assert told["commands"][0]["at"] == "2020-01-19T16:00:00.000Z"
    assert [(one["resource"], one["committed"]) for one in told["resources"]] == [("boats", 4)]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "zh",
            ("指挥: command 市指挥部", "涉及地区: 转移群众: 440104 440105", "目标变更 2020-01-20 01:00", "市公安局"),
        ),
        (
            "en",
            ("command: command 市指挥部", "asked in: Evacuate: 440104 440105", "retargeted 2020-01-20 01:00", "boats"),
        ),
    ],
)
def test_one_incident_on_the_screen(lang: str, expected: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(lang=lang)
    show_record(settings, record_of(_world(), START + 2 * HOUR), 50, None)
    shown = capsys.readouterr().out
    assert [text for text in expected if text not in shown] == []


def test_parts_stand_below_their_lead(capsys: pytest.CaptureFixture[str]) -> None:
    world = _world()
    for region in ("440200", "440300"):
        world.publish(CONFIRMED, sample(CONFIRMED, region=region, count=1), at=START, region=region)
    board = board_of(world, START + 5 * HOUR)
    board.instances["small/440300/1"]["lead"] = INSTANCE
    board.instances[INSTANCE]["parts"] = ["small/440300/1"]
    rows = incidents(board, Filter())
    assert [row.instance for row in rows if row.lead is None or row.lead == INSTANCE][-1] != INSTANCE
    at = [row.instance for row in rows]
    assert at.index("small/440300/1") == at.index(INSTANCE) + 1
    assert rows[at.index(INSTANCE)].to_json()["parts"] == ["small/440300/1"]
    show_list(Settings(lang="zh"), rows, Said("说明", "note"))
    told = capsys.readouterr()
    assert "  └ small/440300/1" in told.out
    assert "市指挥部" in told.out
    assert told.err == "说明\n"
    alone = [row for row in rows if row.instance == "small/440300/1"]
    show_list(Settings(lang="zh"), alone, None)
    assert f"牵头实例: {INSTANCE}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("zh", ("逾期1小时", "转移群众", "签收期限 → command 市指挥部", "市公安局")),
        ("en", ("1 h left", "Evacuate", "acknowledge by → command 市指挥部", "escalation")),
    ],
)
def test_what_is_due_on_the_screen(lang: str, expected: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    board = board_of(_world(), START + (4 if lang == "zh" else 2) * HOUR)
    show_due(Settings(lang=lang), board, due(board, Wanted()))
    shown = capsys.readouterr().out
    assert [text for text in expected if text not in shown] == []
