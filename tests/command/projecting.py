"""What the desk and the command see of a world in memory, and a workflow for them to work on."""

from collections import defaultdict
from typing import Any

from deptbus.desk.afteraction import AfterAction
from deptbus.desk.board import Board
from deptbus.desk.drawup import draw_up
from deptbus.desk.told import Told
from deptbus.workflow.pack import Pack
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import World

REGION = "440100"
INSTANCE = f"small/{REGION}/1"


def command_pack(**changes: Any) -> Pack:
    """Police forbid a gathering by leave of the government; health verifies; both may be told to do otherwise."""
    gate = {
        "role": "upper_government",
        "titles": {"zh": "批准", "en": "Approve"},
        "basis": "law 4",
        "acknowledge_by": "1h",
        "complete_by": "2h",
        "approved_by": "government.BanApproved",
        "rejected_by": "government.BanRejected",
    }
    parts = {
        "rules": [CASES, rule("gathering", "urban.GatheringDetected", subject="event.gathering")],
        "level": {"of": "facts.cases", "rows": [{"at_least": 10, "gives": "III"}], "basis": "law 5"},
        "steps": [
            step("verify"),
            step(
                "ban", "rule:gathering", role="police", completed_by=["police.BanIssued"], gate=gate,
                titles={"zh": "禁止聚集", "en": "Forbid the gathering"},
            ),
            step(
                "supply", "level", completed_by=["health.ResourceCommitted"], declined_by=["health.ResourceDeclined"],
                context={"resource": '"N95"', "quantity": '"20"'},
            ),
        ],
        "responsibilities": [
            line("health_authority", "health"), line("command_post", "command"), line("police", "police"),
            line("upper_government", "government"),
        ],
    }  # fmt: skip
    return small(**(parts | changes))


def board_of(world: World, now_ms: int) -> Board:
    """The board that the snapshots of a world give."""
    packs = {data["hash"]: data["content"] for data in world.of_type("workflow.PackStored")}
    snapshots = {data["instance"]: data for data in world.of_type("workflow.InstanceChanged")}
    keys = {f"{data['workflow']}/{data['key']}": data for data in world.of_type("workflow.KeyChanged")}
    return Board(snapshots, packs, now_ms, tuple(data for data in keys.values() if data["parked"]))


def record_of(world: World, as_of: int, instance: str = INSTANCE) -> AfterAction:
    """The after-action record that the outputs of a world give."""
    told: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for number, output in enumerate(world.outputs):
        where = f"{output.topic}[0]@{number}"
        told[output.topic, output.key].append(Told(output.id, output.type, output.time_ms, where, output.data))
    board = board_of(world, as_of)
    snapshot = board.instances.get(instance)
    return draw_up(
        instance,
        told["workflow.tasks", instance],
        told["workflow.timeline", instance],
        unplaced=told["workflow.timeline", instance.rpartition("/")[0]],
        as_of=as_of,
        snapshot=snapshot,
        definition=board.definition(snapshot) if snapshot else None,
    )
