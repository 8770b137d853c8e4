"""Officers and commanders with the real workers: from the event that opens an incident to the closed record."""

from pathlib import Path

import pytest

from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.command.conftest import Run
from tests.command.projecting import INSTANCE, REGION, command_pack
from tests.streams.world import Workers, environment
from tests.streams.world import World as Broker

pytestmark = pytest.mark.kafka

LI = ("--as", "health", "--officer", "Li Wei")
ZHAO = ("--as", "police", "--officer", "Zhao")
OTHER = "small/330100/1"
CHEN = ("--officer", "Chen", "--basis", "law 9", "--reason", "by order", "--wait", "0")


class Played:
    """Steps of exercise time: what was published since the last one is applied in it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.events = 0
        self.step = 0

    def apply(self, events: int) -> None:
        """Wait until so many more events are journalled, then end the step."""
        self.events += events
        self.broker.wait_for_entries(self.events)
        self.broker.tick(self.step)
        self.broker.wait_for_step(self.step)
        self.step += 1


def test_from_the_first_event_to_the_closed_record(
    stack: SharedStack, settings: Settings, broker: Broker, run: Run, tmp_path: Path
) -> None:
    workers = Workers(settings, environment(settings, stack.environment(), tmp_path), tmp_path)
    try:
        broker.activate(command_pack())
        workers.start("correlate")
        workers.start("advance")
        played = Played(broker)
        _answer(broker, played, run)
        _order(played, run)
    finally:
        workers.end()
    _check(run)


def _answer(broker: Broker, played: Played, run: Run) -> None:
    """An hour in which two tasks are asked for, and one in which they are answered late and no."""
    broker.publish([REGION], count=10)
    played.apply(1)
    tasks = {task["step"]: task["short"] for task in run("desk", "list", "--as", "health", "--json").json()}
    assert set(tasks) == {"verify", "supply"}
    ran = run("desk", "ack", tasks["verify"], *LI, "--at", "2020-01-20T01:30:00+08:00")
    assert "counts as acknowledged late" in ran.err
    assert run("desk", "decline", tasks["supply"], *LI, "--reason", "none in stock").code == 0
    played.apply(2)
    (verify,) = run("desk", "list", "--as", "health", "--json").json()
    assert (verify["step"], verify["state"], verify["escalations"]) == ("verify", "acknowledged", 1)


def _order(played: Played, run: Run) -> None:
    """An hour of orders, one in which police complete what they were given, and the end."""
    (verify,) = run("desk", "list", "--as", "health", "--json").json()
    assert run("incidents", "level", INSTANCE, "II", *CHEN).code == 0
    assert run("incidents", "reassign", verify["short"], "--to", "police", *CHEN).code == 0
    assert run("incidents", "extend", verify["short"], "--complete-by", "+4h", *CHEN).code == 0
    played.apply(3)
    assert run("desk", "progress", verify["short"], *LI).code == 2  # it is not health's any more
    assert run("desk", "accept", verify["short"], *ZHAO).code == 0
    assert run("desk", "complete", verify["short"], *ZHAO).code == 0
    assert run("incidents", "open", "small", "330100", *CHEN).code == 0
    played.apply(3)
    assert run("incidents", "merge", "small/330100", "--into", INSTANCE, *CHEN).code == 0
    played.apply(1)
    for _ in range(2):  # the question and the answer take a step each
        played.apply(0)
    assert "is itself led by" in run("incidents", "merge", INSTANCE, "--into", OTHER, *CHEN).err
    assert run("incidents", "show", OTHER, "--json").json()["lead"] == INSTANCE
    assert run("incidents", "split", OTHER, *CHEN).code == 0
    played.apply(1)
    played.apply(0)
    assert run("incidents", "close", INSTANCE, *CHEN).code == 0
    played.apply(1)


def _check(run: Run) -> None:
    rows = {row["instance"]: row for row in run("incidents", "list", "--json").json()}
    assert {name: row["status"] for name, row in rows.items()} == {INSTANCE: "closed", OTHER: "open"}
    assert (rows[OTHER]["level"], rows[OTHER]["lead"]) == ("II", None)  # that of its lead, and kept
    merges = run("incidents", "show", OTHER, "--json").json()["merges"]
    assert [(step["kind"], step["lead"], step["actor"]) for step in merges] == [
        ("merged", INSTANCE, "Chen"), ("split", INSTANCE, "Chen"),
    ]  # fmt: skip
    record = run("incidents", "show", INSTANCE, "--json").json()
    assert [(step["to_level"], step["actor"]) for step in record["levels"]] == [("III", None), ("II", "Chen")]
    assert record["closed_because"] == "by order"
    tasks = {(task["step"], task["outcome"]): task for task in record["tasks"]}
    verify = tasks["verify", "completed"]
    assert [answer["actor"] for answer in verify["answers"]] == ["Li Wei", "Zhao", "Zhao"]
    assert verify["reassigned"][0]["acknowledged_late"] is True
    assert (verify["department"], verify["ended_by"], verify["completed_late"]) == ("police", "Zhao", False)
    assert len(verify["extended"]) == len(verify["reassigned"]) == 1
    assert tasks["supply", "declined"]["ended_by"] == "Li Wei"
    assert ("supply", "cancelled") in tasks  # asked again at the new level, and never done
    assert verify["acknowledged_late"] is False  # police had a time of its own
    assert record["counts"]["acknowledged_late"] == 1  # that of health
    assert record["counts"]["escalations"] == sum(len(task["escalations"]) for task in record["tasks"])
    assert all(line["cause"] and line["record"].startswith("workflow.timeline[") for line in record["timeline"])
    by_rule_or_right = [line for line in record["timeline"] if line["kind"] not in ("opened", "closed")]
    assert all(line["basis"] for line in by_rule_or_right)
