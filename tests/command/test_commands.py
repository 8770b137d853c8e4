"""``deptbus desk`` and ``deptbus incidents`` as officers and commanders use them, on a real broker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from deptbus.desk.reading import Reading
from deptbus.envelope import from_headers
from deptbus.settings import Settings
from tests.command.engine import Engine, Ran
from tests.command.projecting import INSTANCE, REGION
from tests.waiting import wait_until
from tests.workflow.world import HOUR, START, sample

pytestmark = pytest.mark.kafka

Run = Callable[..., Ran]
HEALTH = ("--as", "health", "--officer", "Li Wei")
CHEN = ("--officer", "Chen", "--basis", "law 9", "--reason", "by order")


@pytest.fixture
def opened(engine: Engine) -> Engine:
    """An incident at level III with a gathering."""
    engine.world.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region=REGION, count=10), at=START, region=REGION
    )
    gathering = sample("urban.GatheringDetected", region=REGION, gathering="G-1")
    engine.world.publish("urban.GatheringDetected", gathering, at=START, region=REGION)
    engine.write()
    return engine


def _task(engine: Engine, step: str) -> str:
    return next(str(data["task"]) for data in engine.world.of_type("workflow.TaskRequested") if data["step"] == step)


def test_an_officer_lists_acknowledges_and_completes(opened: Engine, run: Run) -> None:
    listed = run("desk", "list", "--as", "health", "--json").json()
    assert {task["step"] for task in listed} == {"verify", "supply"}
    verify = next(task for task in listed if task["step"] == "verify")
    assert (verify["due"], verify["late"]) == ("2020-01-19T17:00:00.000Z", False)
    shown = run("desk", "list", "--as", "health", "--instance", INSTANCE, BUS_LANG="zh", COLUMNS="200")
    assert "测试" in shown.out
    assert "1小时" in shown.out
    assert verify["short"] in shown.out
    assert "这不是实际情况" in shown.err

    acknowledged = run("desk", "ack", verify["short"], *HEALTH, "--note", "seen", "--json").json()
    assert (acknowledged["state"], acknowledged["remarks"]) == ("acknowledged", [])
    (record, _, data) = opened.broker.read("health.tasks")[0]
    envelope = from_headers(record.headers)
    assert data == {"task": verify["task"], "disposition": "acknowledged", "note": "seen"}
    assert (envelope.actor, envelope.legalbasis) == ("Li Wei", "law 1")
    assert (envelope.correlationid, envelope.causationid) == (INSTANCE, verify["request"])
    assert (envelope.mode, envelope.time_ms) == ("exercise", START)
    opened.settle()

    late = run("desk", "complete", verify["short"], *HEALTH, "--at", "2020-01-20T05:00:00+08:00")
    assert "completed by Li Wei for health; on health.tasks[" in late.out
    assert "It counts as completed late: due 2020-01-20 04:00, 1 h before." in late.err
    opened.settle()
    assert [task["step"] for task in run("desk", "list", "--as", "health", "--json").json()] == ["supply"]
    over = run("desk", "ack", verify["short"], *HEALTH)
    assert over.code == 2
    assert over.err.startswith(f"error: The task {verify['short']} (Test, {INSTANCE}) is over: completed at")


def test_what_cannot_be_done_is_one_sentence(opened: Engine, run: Run) -> None:
    task = _task(opened, "ban_approval")
    for arguments, sentence in (
        (("desk", "ack", task, *HEALTH), "is asked of government, not of health."),
        (("desk", "ack", "ffffffff", *HEALTH), "No open task begins with ffffffff"),
        (("desk", "list", "--as", "nobody"), "There is no department nobody"),
        (("desk", "list", "--as", "health", "--instance", "small/1/1"), "There is no instance small/1/1"),
        (("desk", "complete", _task(opened, "verify"), *HEALTH, "--template"), "asks for no event"),
        (("incidents", "show", "small/999999/1"), "There is no instance small/999999/1"),
        (("incidents", "open", "small", REGION, *CHEN), "is open already"),
        (("incidents", "open", "large", REGION, *CHEN), "The workflow large is not in force; in force: small."),
        (("incidents", "level", INSTANCE, "V", *CHEN), "V is no response level"),
        (("incidents", "reassign", task, "--to", "transport", *CHEN), "transport has no responsibility"),
        (("incidents", "extend", task, *CHEN), "Give the new time"),
        (("incidents", "merge", INSTANCE, "--into", INSTANCE, *CHEN), "cannot be merged into itself"),
        (("incidents", "split", INSTANCE, *CHEN), "is commanded on its own"),
        (("incidents", "due", "--within", "soon"), "soon: write a length of time such as 30m, 4h or 2d. See --within."),
        (("incidents", "due", "small/999999"), "There is no instance small/999999"),
        (("incidents", "list", "--kind", "x"), "The kind is one of incident, case, all, not x. See --kind."),
    ):
        ran = run(*arguments)
        assert (ran.code, ran.err.count("\n")) == (2, 1), (arguments, ran)
        assert sentence in ran.err
    assert run("desk", "decline", task, "--as", "government", "--officer", "x").code == 2  # without a reason
    assert run("incidents", "close", INSTANCE, "--officer", "x", "--reason", "x").code == 2  # without a basis


def test_a_task_that_asks_for_an_event(opened: Engine, run: Run, tmp_path: Path) -> None:
    task = _task(opened, "ban_approval")[:8]
    mayor = ("--as", "government", "--officer", "Mayor")
    given = run("desk", "complete", task, *mayor, "--template").json()
    assert (given["region"], given["gathering"]) == (REGION, "G-1")
    file = tmp_path / "data.json"
    file.write_bytes(orjson.dumps(given))
    assert "is still to be filled in" in run("desk", "complete", task, *mayor, "--data", str(file)).err
    file.write_bytes(orjson.dumps(_filled(given)))
    assert (
        "police.BanIssued does not end the task"
        in run("desk", "complete", task, *mayor, "--data", str(file), "--type", "police.BanIssued").err
    )
    done = run("desk", "complete", task, *mayor, "--data", str(file), "--json").json()
    assert (done["type"], done["state"]) == ("government.BanApproved", "acknowledged")
    opened.settle()
    (ban,) = run("desk", "list", "--as", "police", "--json").json()
    assert (ban["step"], ban["subject"], ban["completes_with"]) == ("ban", "G-1", ["police.BanIssued"])
    declined = run("desk", "decline", ban["short"], "--as", "police", "--officer", "Wang", "--reason", "too few")
    assert "declined by Wang for police" in declined.out
    opened.settle()
    assert run("desk", "list", "--as", "police", "--json").json() == []


def _filled(given: dict[str, Any]) -> dict[str, Any]:
    plain = {"<text": "x", "<time": "2020-01-20T00:00:00+08:00", "<whol": 1}
    return {name: plain.get(value[:5], value) if isinstance(value, str) else value for name, value in given.items()}


def test_commanders_list_and_show(opened: Engine, run: Run) -> None:
    (row,) = run("incidents", "list", "--json").json()
    assert (row["instance"], row["level"], row["open_tasks"], row["late_tasks"]) == (INSTANCE, "III", 3, 0)
    assert run("incidents", "list", "--closed", "--json").json() == []
    assert "Ⅲ" in run("incidents", "list", COLUMNS="200").out
    opened.world.tick(START + 2 * HOUR)
    opened.write()
    (row,) = run("incidents", "list", "--late", "--department", "health", "--json").json()
    assert row["late_tasks"] == 2
    shown = run("incidents", "show", f"small/{REGION}", "--last", "3", COLUMNS="200", NO_COLOR="1")
    assert "1 h late" in shown.out
    assert "escalated" in shown.out
    assert "\x1b" not in shown.out
    due = run("incidents", "due", "--department", "health", "--json").json()
    assert [(one["kind"], one["overdue"]) for one in due[:2]] == [("acknowledge_by", True)] * 2
    assert {one["kind"] for one in due[2:]} == {"complete_by", "escalation"}
    told = run("incidents", "due", "--within", "30m", BUS_LANG="zh", COLUMNS="250")
    assert "逾期1小时" in told.out
    assert "签收期限" in told.out
    assert "办理期限" in run("incidents", "due", INSTANCE, BUS_LANG="zh").out
    record = run("incidents", "show", INSTANCE, "--json").json()
    assert (record["mode"], record["level"], len(record["tasks"])) == ("exercise", "III", 3)
    assert record["counts"]["escalations"] == sum(len(task["escalations"]) for task in record["tasks"]) == 4
    assert [line["kind"] for line in record["timeline"]] == opened.world.kinds()
    assert record["as_of"] == "2020-01-19T18:00:00.000Z"
    past = run("incidents", "show", INSTANCE, "--at", "2020-01-20T00:00:00+08:00", "--json").json()
    assert (past["as_of"], past["counts"]) == ("2020-01-19T16:00:00.000Z", {})
    assert all(task["escalations"] == [] for task in past["tasks"])
    assert "was not open yet" in run("incidents", "show", INSTANCE, "--at", "2019-01-20T00:00:00+08:00").err


def test_orders_are_waited_for_and_recorded(opened: Engine, run: Run) -> None:
    verify = _task(opened, "verify")
    with opened.running():
        raised = run("incidents", "level", INSTANCE, "2", *CHEN, "--json").json()
        assert (raised["applied"], raised["effects"][0]["kind"]) == (True, "level")
        moved = run("incidents", "reassign", verify[:8], "--to", "police", *CHEN)
        assert "reassigned" in moved.out
        assert "unit 测试" in moved.out
        later = run("incidents", "extend", verify[:8], "--complete-by", "+4h", *CHEN, "--json").json()
        assert later["applied"]
        closed = run("incidents", "close", INSTANCE, *CHEN, "--json").json()
        assert [line["kind"] for line in closed["effects"]][-1] == "closed"
        reopened = run("incidents", "open", "small", REGION, *CHEN, "--json").json()
        assert reopened["effects"][0]["instance"] == f"small/{REGION}/2"
    record = run("incidents", "show", INSTANCE, "--json").json()
    assert [step["actor"] for step in record["levels"]] == [None, "Chen"]
    task = next(task for task in record["tasks"] if task["task"] == verify)
    assert (task["department"], task["outcome"]) == ("police", "cancelled")
    assert task["extended"][0]["complete_by"] == "2020-01-20T00:00:00.000Z"
    assert task["reassigned"][0]["actor"] == "Chen"
    assert record["closed_because"] == "by order"
    assert run("incidents", "close", INSTANCE, *CHEN).err.startswith(f"error: {INSTANCE} is closed since")
    (row,) = run("incidents", "list", "--open", "--json").json()
    assert row["region"] == REGION


def test_an_order_without_an_effect_yet_says_so(opened: Engine, run: Run) -> None:
    for wait in (("--wait", "0"), ("--wait", "0.3")):
        ran = run("incidents", "level", INSTANCE, "I", *CHEN, *wait)
        assert ran.code == 0
        assert "It is published but not yet applied" in ran.err
    issued = opened.broker.read("command.directives")
    assert [data["level"] for _, _, data in issued] == ["I", "I"]
    assert {from_headers(record.headers).legalbasis for record, _, _ in issued} == {"law 9"}


def test_the_board_follows_what_happens(opened: Engine, settings: Settings) -> None:
    with Reading(settings) as reading:
        boards = reading.boards(0.1)
        assert set(next(boards).instances) == {INSTANCE}
        opened.world.publish(
            "health.CasesConfirmed", sample("health.CasesConfirmed", region="330100", count=1), at=START + HOUR,
            region="330100",
        )  # fmt: skip
        opened.write()
        wait_until(lambda: len(next(boards).instances) == 2, "the board to show another instance")
        assert next(boards).now_ms == START + HOUR
        boards.close()
