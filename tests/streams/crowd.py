"""Very many deadlines on a real broker: what puts them there, and how far a partition has come with them."""

from collections.abc import Iterator
from typing import Any

from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.partitioning import partition_of
from deptbus.workflow.state import Entry
from tests.streams.world import World
from tests.workflow.crowd import CROWDED
from tests.workflow.world import START, sample
from tests.workflow.world import World as MemoryWorld

NEVER_S = "1000000000"
"""How long workers wait for inputs before they append ticks of their own: for ever, where a test does."""


def keys(partition: int, count: int) -> Iterator[str]:
    """Keys of instances in one partition."""
    number = 0
    while count:
        if partition_of(f"small/{number:07}".encode(), 4) == partition:
            yield f"{number:07}"
            count -= 1
        number += 1


def append(world: World, partition: int, *entries: Entry) -> None:
    """Append entries to a partition of the journal, all at once."""
    publisher = world.publisher("workflow")
    pending = []
    for entry in entries:
        key = f"{entry['workflow']}/{entry['key']}" if entry["key"] else "@tick"
        ready = publisher.prepare("workflow.EntryAppended", {"entry": entry}, subject=key, key=key)
        pending.append(world.sender.send(ready.topic, ready.key, ready.value, ready.headers, ready.id, partition))
    world.sender.flush()
    for one in pending:
        one.result().require()


def cases(world: World, partition: int, count: int) -> list[Entry]:
    """What opens so many instances, each of which asks for a task at ``START``."""
    memory = MemoryWorld(CROWDED)
    data = sample("health.CasesConfirmed", region="x", source_reference="s")
    [like] = memory.entries("health.CasesConfirmed", data, at=START, region="x")
    like["body"] = world.codec.encode("health.CasesConfirmed", data)
    return [
        like | {"key": key, "event": like["event"] | {"id": f"case {key}", "offset": number}}
        for number, key in enumerate(keys(partition, count))
    ]


def records_of(world: World, partition: int) -> list[tuple[int, dict[str, Any]]]:
    """When each record of how far a partition is applied was written, and what it says."""
    physical = world.settings.world.physical("workflow.instances")
    return [
        (record.timestamp_ms, world.codec.decode(record.value))
        for record in read_partition(reader_configuration(world.settings), physical, partition)
        if record.key == f"@partition/{partition}".encode()
    ]


def advanced(world: World, partition: int) -> int:
    """Up to which time a partition is applied."""
    return max((data["at"] for _, data in records_of(world, partition)), default=0)


def written(world: World, partition: int) -> int:
    """Where a partition of the instances ends."""
    ends = Admin(client_configuration(world.settings)).end_offsets(world.settings.world, ["workflow.instances"])
    return ends["workflow.instances", partition]
