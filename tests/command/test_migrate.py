"""Running instances move to the version in force: with the real workers, just as the dry run has shown."""

import threading
from pathlib import Path
from typing import Any

import pytest

from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.command.conftest import Run
from tests.streams.world import Workers, counting, environment
from tests.streams.world import World as Broker
from tests.waiting import wait_until
from tests.workflow.world import HOUR, START, pack_of

pytestmark = pytest.mark.kafka

REGIONS = ["440100", "440300"]
BY = ("--officer", "Chen", "--basis", "law 9", "--reason", "more time")
TICKED_S = 40


class Played:
    """A world whose regions are counted by version 1, and whose time moves in steps."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.step = 0
        self.events = 0

    def apply(self) -> None:
        """Report a case in every region, and end the step."""
        self.broker.publish(REGIONS, time_ms=START + self.step * HOUR)
        self.events += len(REGIONS)
        self.broker.wait_for_entries(self.events)
        self.tick()

    def tick(self) -> None:
        """End the step."""
        self.broker.tick(self.step)
        self.broker.wait_for_step(self.step)
        self.step += 1

    def tick_when_ordered(self) -> None:
        """End the step once the journal holds the order for every region."""

        def ordered() -> bool:
            entries = [data["entry"] for _, _, data in self.broker.read("workflow.journal")]
            return sum(entry["kind"] == "migration" for entry in entries) == len(REGIONS)

        wait_until(ordered, "the journal to hold the order", TICKED_S)
        self.tick()


def without_look() -> Any:
    """The next version, in which the step of the open tasks is not there."""
    definition = counting(version=3).definition.model_dump(by_alias=True)
    steps = [step | {"step": "inspect"} for step in definition["steps"]]
    return pack_of(definition | {"steps": steps})


def test_instances_move_just_as_the_dry_run_shows(
    stack: SharedStack, settings: Settings, broker: Broker, run: Run, tmp_path: Path
) -> None:
    workers = Workers(settings, environment(settings, stack.environment(), tmp_path), tmp_path)
    played = Played(broker)
    try:
        broker.activate(counting())
        workers.start("correlate")
        workers.start("advance")
        played.apply()
        assert run("workflows", "migrate", "counting", *BY, "--json").json()["instances"] == []
        broker.activate(counting(version=2, acknowledge_by="3h"))
        of_old = run("workflows", "diff", counting().hash[:12], "counting@2").out
        assert "step look: acknowledge_by 30m → 3h" in of_old
        assert run("workflows", "diff", "counting@1", "counting@7").code == 2
        shown = run("workflows", "migrate", "counting", "--dry-run", "--json")
        assert shown.code == 0
        assert "2020-01-20 00:30" in run("workflows", "migrate", "counting", "--dry-run", BUS_LANG="zh").out
        ticking = threading.Thread(target=played.tick_when_ordered)
        ticking.start()
        moved = run("workflows", "migrate", "counting", *BY, "--wait", str(TICKED_S), "--json")
        ticking.join()
        _compare(broker, shown.json(), moved.json())
        played.apply()
        assert {data["key"]: data["facts"]["cases"] for data in _snapshots(broker)} == dict.fromkeys(REGIONS, 2)
        assert run("workflows", "retire", "counting", "--version", "1", "--reason", "nothing runs by it").code == 0
        broker.activate(without_look())
        _refused(broker, run)
        assert run("workflows", "fold", "--outputs", "--json").json()["equal"] is True
    finally:
        workers.end()


def _snapshots(broker: Broker) -> list[dict[str, Any]]:
    newest = {
        data["key"]: data for _, kind, data in broker.read("workflow.instances") if kind.endswith("InstanceChanged")
    }
    return list(newest.values())


def _compare(broker: Broker, shown: dict[str, Any], moved: dict[str, Any]) -> None:
    """What was shown, what the command said, and what stands on the topics are the same."""
    reports = shown["instances"]
    assert [report["instance"] for report in reports] == [f"counting/{region}/1" for region in REGIONS]
    assert [report | {"outcome": "migrated"} for report in reports] == moved["instances"]
    told = {task["task"]: task for report in reports for task in report["tasks"]}
    extended = {
        data["task"]: (data["acknowledge_by"], data["complete_by"], data["reason"], data["basis"])
        for _, kind, data in broker.read("workflow.tasks") if kind == "workflow.TaskExtended"
    }  # fmt: skip
    assert extended == {
        name: (task["acknowledge_by"]["new"], task["complete_by"]["new"], "moved to version 2", "law 9")
        for name, task in told.items()
    }
    assert {task["acknowledge_by"]["new"] - task["acknowledge_by"]["old"] for task in told.values()} == {5 * HOUR // 2}
    lines = [data for _, _, data in broker.read("workflow.timeline") if data["kind"] == "migrated"]
    assert {(data["instance"], data["actor"], data["basis"]) for data in lines} == {
        (report["instance"], "Chen", "law 9") for report in reports
    }
    acts = {data["act"]: record for record, _, data in broker.read("bus.audit")}
    assert dict(acts["packs.migrate"].headers)["ce_actor"] == b"Chen"


def _refused(broker: Broker, run: Run) -> None:
    """None moves where one cannot, and the command says why."""
    refused = run("workflows", "migrate", "counting", *BY)
    assert (refused.code, "it has open tasks of the step look" in refused.err) == (2, True)
    assert run("workflows", "migrate", "counting", *BY, "--skip-broken", "--wait", "0").code == 1
    assert {data["version"] for data in _snapshots(broker)} == {2}


def test_an_order_says_who_on_what_basis_and_why(broker: Broker, run: Run) -> None:
    broker.activate(counting())
    refused = run("workflows", "migrate", "counting", "--officer", "Chen")
    assert (refused.code, "--basis" in refused.err) == (2, True)
    assert run("workflows", "migrate", "nothing", "--dry-run").code == 2
    missing = run("workflows", "migrate", "counting", "--instance", "counting/440100/1", "--dry-run")
    assert (missing.code, "is no open instance" in missing.err) == (2, True)
