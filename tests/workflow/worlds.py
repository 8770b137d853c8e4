"""Several journal partitions in memory: what a key tells another one goes to the partition of that one's key."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from deptbus.partitioning import partition_of
from deptbus.workflow.correlate import tick
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry, Instance
from tests.workflow.world import World


class Worlds:
    """Partitions with one correlator; ``on_the_way`` is what was told and has not arrived."""

    def __init__(self, *packs: Pack, count: int = 3, stepped: bool = False) -> None:
        self.worlds = [World(*packs, stepped=stepped) for _ in range(count)]
        self.on_the_way: deque[tuple[int, Entry]] = deque()

    def at(self, key: str) -> World:
        """The partition of ``<workflow>/<key>``."""
        return self.worlds[partition_of(key.encode(), len(self.worlds))]

    def append(self, world: World, *entries: Entry) -> list[Output]:
        """Append to one partition; what it tells others is on the way then."""
        outputs, here = world.append(*entries), self.worlds.index(world)
        self.on_the_way += [
            (partition_of(output.key.encode(), len(self.worlds)) if output.elsewhere else here, output.data["entry"])
            for output in outputs
            if output.topic == "workflow.journal"
        ]
        return outputs

    def publish(self, event_type: str, data: Mapping[str, Any], *, arrive: bool = True, **about: Any) -> list[Output]:
        """Publish an event, and let all that follows arrive; answers what was put out."""
        outputs: list[Output] = []
        for entry in self.worlds[0].entries(event_type, data, **about):
            concerned = [self.at(f"{entry['workflow']}/{entry['key']}")] if entry["key"] else self.worlds
            for world in concerned:
                outputs += self.append(world, entry)
        return outputs + (self.arrive() if arrive else [])

    def arrive(self, most: int = 1_000) -> list[Output]:
        """Let arrive what is on the way, and what follows from it."""
        outputs: list[Output] = []
        while self.on_the_way and most:
            number, entry = self.on_the_way.popleft()
            outputs += self.append(self.worlds[number], entry)
            most -= 1
        assert not self.on_the_way or not most, "they tell each other the same for ever"
        return outputs

    def tick(self, at: int, step: int | None = None) -> list[Output]:
        """Let time come to ``at`` in every partition; what is told then stays on the way."""
        return [output for world in self.worlds for output in self.append(world, tick(at, step))]

    def open(self, key: str) -> Instance | None:
        """The open instance of ``<workflow>/<key>``."""
        state = self.at(key).partition.states.get(key)
        return state.open if state is not None else None

    def kinds(self, outputs: list[Output], instance: str) -> list[str]:
        """The kinds of timeline records of one instance."""
        return [
            output.data["kind"]
            for output in outputs
            if output.type == "workflow.TimelineRecorded" and output.data["instance"] == instance
        ]
