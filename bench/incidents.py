"""What ``workflow.*`` holds of very many open incidents: ten open tasks each, of ten departments, and their timelines.

Written as ``advance`` writes it, in transactions, with all headers.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from bench.ours.wired import advance
from bench.snapshots import TOPICS
from bench.suite.bench import Bench
from bench.suite.world import World
from deptbus.ids import derived_id
from deptbus.partitioning import partition_of
from deptbus.streams.writer import Writer
from deptbus.workflow.output import Output
from tests.workflow.crowd import CROWDED, crowd
from tests.workflow.world import START, sample
from tests.workflow.world import World as Core

TASKS = 10
LEVELS = ("I", "II", "III", "IV")
DEPARTMENTS = (
    "cdc",
    "districts",
    "ecology",
    "emergency",
    "fire",
    "health",
    "hospitals",
    "police",
    "transport",
    "urban",
)
TOGETHER = 5_000
"""Records of one transaction."""
_CHANGED = "workflow.InstanceChanged"


class Incidents(NamedTuple):
    """A namespace with so many open incidents."""

    world: World
    instances: int
    records: int


@cache
def populate(bench: Bench, instances: int) -> Incidents:
    """Write so many into a namespace of their own, once in a run of the suite."""
    bench.say(f"writing {instances:,} incidents of {TASKS} tasks")
    topics = {*TOPICS, *(f"{name}.tasks" for name in DEPARTMENTS)}
    world = World(bench, f"bench-incidents-{instances}", sorted(topics), lasting=True)
    world.create(world.catalogue.topics.values())
    wiring = advance(world.settings)
    partitions = world.catalogue.topic("workflow.instances").partitions
    names = [f"{number:06}" for number in range(instances)]
    records = 0
    for partition in range(partitions):
        writer = Writer(wiring, partition)
        writer.open()
        keys = [key for key in names if partition_of(f"{CROWDED.workflow}/{key}".encode(), partitions) == partition]
        outputs = _outputs(keys)
        while batch := list(islice(outputs, TOGETHER)):
            writer.write(batch, (), START, (records, ""))
            writer.commit()
            records += len(batch)
        writer.close()
    wiring.close()
    return Incidents(world, instances, records)


def _outputs(keys: list[str]) -> Iterator[Output]:
    """The records of these keys, and of the pack."""
    core = Core(CROWDED)
    event = sample("health.CasesConfirmed", region="x", source_reference="s")
    core.publish("health.CasesConfirmed", event, at=START, region="x")
    asked = next(output for output in core.outputs if output.type == "workflow.TaskRequested")
    told = next(output for output in core.outputs if output.data.get("kind") == "task_requested")
    for output in crowd(keys, TASKS):
        if output.type != _CHANGED:
            yield output
            continue
        data = _incident(output.data)
        yield output._replace(data=data)
        for number, task in enumerate(data["tasks"]):
            about = {"task": task["id"], "instance": data["instance"], "department": task["department"]}
            yield asked._replace(key=output.key, id=task["id"], data=asked.data | about)
            for kind in ("task_requested", "acknowledged"):
                name = derived_id(task["id"], "bench", kind, str(number))
                yield told._replace(key=output.key, id=name, data=told.data | about | {"kind": kind})


def _incident(data: dict[str, Any]) -> dict[str, Any]:
    """An incident like others, of a level and region of its own."""
    number = int(data["key"])
    tasks = [
        task | {
            "id": derived_id(task["id"], "bench", "task", ""), "department": DEPARTMENTS[index % len(DEPARTMENTS)],
            "region": f"44{number % 10_000:04}", "complete_by": task["complete_by"] + 60_000 * (number + index),
        }
        for index, task in enumerate(data["tasks"])
    ]  # fmt: skip
    return data | {
        "tasks": tasks, "region": f"44{number % 10_000:04}", "level": LEVELS[number % 4],
        "tally": {name: {"requested": 1} for name in DEPARTMENTS}, "clock": data["clock"] + number,
    }  # fmt: skip
