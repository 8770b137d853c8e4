"""Very many open tasks, without what it takes to ask for each: snapshots like that of one instance that asked."""

from collections.abc import Iterable, Iterator
from typing import Any

from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.partition import Partition
from tests.workflow.definitions import CASES, small
from tests.workflow.world import START, World, codec, sample

CROWDED = small(rules=[CASES | {"subject": "event.source_reference"}], closes="facts.cases < 0")
"""One task for each source; after an hour its acknowledgement is missed, after four its completion."""


def crowd(keys: Iterable[str], tasks: int, at: int = START, pack: Pack = CROWDED) -> Iterator[Output]:
    """What ``workflow.instances`` holds of one instance a key, each of which has asked for so many tasks at ``at``."""
    world = World(pack)
    world.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region="x", source_reference="s"), at=at, region="x"
    )
    yield from (output for output in world.outputs if output.type == "workflow.PackStored")
    *_, record = (output for output in world.outputs if output.type == "workflow.InstanceChanged")
    *_, of_key = (output for output in world.outputs if output.type == "workflow.KeyChanged")
    (task,) = record.data["tasks"]
    for key in keys:
        asked = [task | {"id": f"{key}-{n}", "request": f"{key}-{n}", "subject": str(n)} for n in range(tasks)]
        name = f"{pack.workflow}/{key}/1"
        data: dict[str, Any] = record.data | {
            "key": key, "instance": name, "tasks": asked, "tally": {task["department"]: {"requested": tasks}},
        }  # fmt: skip
        yield record._replace(key=name, data=data, snapshot=None)
        yield of_key._replace(key=f"{pack.workflow}/{key}", data=of_key.data | {"key": key}, snapshot=None)


def crowded(keys: int, tasks: int, *, stepped: bool) -> Partition:
    """A partition with so many instances, each of which has asked for so many tasks at ``START``."""
    partition = World(CROWDED, stepped=stepped).new_partition()
    found = crowd((f"{number:06}" for number in range(keys)), tasks)
    partition.restore((output.key.encode(), output.value(codec().encode)) for output in found)
    partition.restored()
    return partition
