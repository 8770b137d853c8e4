"""Incidents in different partitions of the journal come under one command, on a real broker and through a kill."""

import pytest

from deptbus.folding import fold_namespace
from deptbus.partitioning import partition_of
from deptbus.workflow.pack import Pack
from tests.streams.world import Workers, World
from tests.workflow.definitions import line, small, step
from tests.workflow.world import HOUR, START, sample

pytestmark = pytest.mark.kafka

ISSUED = "command.DirectiveIssued"
PART, LEAD = "small/440304", "small/440300"


def commanded() -> Pack:
    """The command post commands; in 440304 that is the districts."""
    return small(
        command="command_post",
        steps=[step("verify"), step("report_to_lead", "merged", when='lead != ""')],
        responsibilities=[
            line("health_authority", "health"),
            line("command_post", "command"),
            line("command_post", "districts", region="440304"),
            line("upper_government", "government"),
        ],
    )


def order(world: World, name: str, act: str, at: int, into: str | None = None) -> None:
    """A commander orders something."""
    workflow, _, key = name.partition("/")
    publisher = world.publisher("command")
    data = sample(ISSUED, act=act, workflow=workflow, key=key, reason="one front", into=into)
    publisher.send(publisher.prepare(ISSUED, data, subject=key, time_ms=at, correlation_id=f"{name}/1", actor="Li"))
    world.sender.flush()
    world.published += 1


def step_on(world: World, steps: range) -> None:
    """Exercise time goes on."""
    for number in steps:
        world.wait_for_entries(world.published)
        world.tick(number)
        world.wait_for_step(number)


def instances(world: World) -> dict[str, dict[str, object]]:
    """The newest snapshots."""
    return {
        record.key.decode(): data
        for record, kind, data in world.read("workflow.instances")
        if kind == "workflow.InstanceChanged" and record.key is not None
    }


def test_a_part_and_its_lead_agree_though_a_worker_is_killed_between_ask_and_answer(
    world: World, workers: Workers
) -> None:
    assert partition_of(PART.encode(), 4) != partition_of(LEAD.encode(), 4)
    world.activate(commanded())
    workers.start("correlate")
    workers.start("advance")
    world.publish([name.partition("/")[2] for name in (PART, LEAD)])
    step_on(world, range(1))
    order(world, PART, "merge", START + HOUR, f"{LEAD}/1")
    step_on(world, range(1, 2))
    assert instances(world)[f"{PART}/1"]["merging"] == f"{LEAD}/1"
    workers.kill("advance-0")
    world.tick(2)
    workers.start("advance")
    world.wait_for_step(2)
    step_on(world, range(3, 5))
    found = instances(world)
    assert (found[f"{PART}/1"]["lead"], found[f"{PART}/1"]["command_department"]) == (f"{LEAD}/1", "command")
    assert found[f"{LEAD}/1"]["parts"] == [f"{PART}/1"]
    order(world, PART, "split", START + 5 * HOUR)
    step_on(world, range(5, 7))
    assert instances(world)[f"{LEAD}/1"]["parts"] == []
    told = [kind for _, kind, _ in world.read("workflow.events")]
    assert (told.count("workflow.InstanceMerged"), told.count("workflow.InstanceSplit")) == (1, 1)
    assert world.repeated("workflow.timeline") == []
    assert fold_namespace(world.settings, outputs=True).differences == ()
