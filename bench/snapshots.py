"""What ``workflow.instances`` holds of very many open instances: 4 open tasks each, about 1 KB encoded.

Written as ``advance`` writes them, in transactions, with all headers, and with the record of each instance's key.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from bench.ours.wired import advance
from bench.suite.bench import Bench
from bench.suite.world import World
from deptbus.codec import Encode
from deptbus.ids import derived_id
from deptbus.partitioning import partition_of
from deptbus.streams.writer import Writer
from deptbus.workflow.output import Output, Snapshot
from tests.workflow.crowd import CROWDED, crowd

TASKS = 4
REGION = "440100"
TOGETHER = 5_000
"""Records of one transaction."""
TOPICS = ("workflow.journal", "workflow.instances", "workflow.tasks", "workflow.timeline", "workflow.events",
          "bus.progress", "bus.deadletters", "bus.packs")  # fmt: skip
INSTANCES = "workflow.instances"


class Crowd(NamedTuple):
    """A namespace with so many open instances."""

    world: World
    instances: int
    records: int
    bytes: int
    """Of all values."""
    of_instances: int
    """Of the values of instances alone."""


@cache
def populate(bench: Bench, instances: int) -> Crowd:
    """Write the snapshots of so many instances into a namespace of their own, once in a run of the suite."""
    bench.say(f"writing the snapshots of {instances:,} instances")
    world = World(bench, f"bench-{instances}", TOPICS, lasting=True)
    wiring = advance(world.settings)
    partitions = world.catalogue.topic(INSTANCES).partitions
    names = [f"{number:07}" for number in range(instances)]
    records = total = of_instances = 0
    for partition in range(partitions):
        writer = Writer(wiring, partition)
        writer.open()
        keys = (key for key in names if partition_of(f"{CROWDED.workflow}/{key}".encode(), partitions) == partition)
        outputs = snapshots(keys, wiring.encode)
        while batch := list(islice(outputs, TOGETHER)):
            writer.write(batch, (), batch[-1].time_ms, (records, ""))
            writer.commit()
            for output in batch:
                size = len(output.value(wiring.codec.encode))
                of_instances += size if output.type == "workflow.InstanceChanged" else 0
                total += size
            records += len(batch)
        writer.close()
    wiring.close()
    return Crowd(world, instances, records, total, of_instances)


def snapshots(keys: Iterator[str], encode: Encode) -> Iterator[Output]:
    """The records of these keys, and of the pack."""
    for output in crowd(keys, TASKS):
        data = output.data
        if output.type == "workflow.InstanceChanged":
            cause = derived_id(output.key, "bench", "cause", "", 0)
            tasks = [
                task | {name: derived_id(task["id"], "bench", name, "", 0) for name in ("id", "request")}
                | {"cause": cause, "region": REGION}
                for task in data["tasks"]
            ]  # fmt: skip
            data = data | {"tasks": tasks, "cause": cause, "region": REGION}
        yield output._replace(data=data, snapshot=Snapshot(output.type, data, encode))
