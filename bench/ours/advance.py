"""Our side of ``advance``: plays the epidemic exercise in memory once, then folds its journal as often as asked.

Played by ``tests.services.play``, as the tests of the departments play it: the epidemic workflow, every simulated desk,
steps of an hour. Nothing of Kafka, and nothing random: what is folded is the same at every run of the suite.
"""

import gc
import hashlib
import time
from collections.abc import Iterator
from typing import Any

from bench.suite.child import serve
from deptbus import garbage
from deptbus.cli.demo import choose
from deptbus.clock import iso
from deptbus.imports.epidemic import day_of, midnight_ms, read_days
from deptbus.workflow.output import Output
from deptbus.workflow.partition import Partition
from deptbus.workflow.state import Read
from tests.services.play import DAY, play
from tests.workflow.world import ROOT, codec

BATCH = 500
"""Entries applied at a time: what a worker takes in one transaction at most, by default."""


class Journal:
    """What was recorded."""

    def __init__(self) -> None:
        choice = choose(ROOT, None, None, None, None)
        first, last = day_of(choice.first), day_of(choice.last)
        found = read_days(choice.folder, choice.province, first, last)
        ends = midnight_ms(last)
        world = play(found.items, iso(ends), ends + 28 * DAY).world
        self.reads: list[Read] = [world.read(journalled) for journalled in world.journal]
        self.events = sum(read[1]["kind"] == "event" for read in self.reads)
        # A worker keeps no journal in memory: its garbage collector must not walk through this one.
        gc.collect()
        gc.freeze()

    def batches(self) -> Iterator[list[Read]]:
        """The entries as they are applied; first the pack alone."""
        yield self.reads[:1]
        for begin in range(1, len(self.reads), BATCH):
            yield self.reads[begin : begin + BATCH]

    def fold(self) -> dict[str, Any]:
        """Apply everything to a new partition: how long it took, and what came out."""
        partition = Partition(0, stepped=True, codec=codec())
        outputs, digest, seconds = 0, hashlib.sha256(), 0.0
        for number, batch in enumerate(self.batches()):
            began = time.process_time()
            chunks = list(partition.chunks(batch))
            # To compile the pack is not part of it: that happens once in a worker's life.
            seconds += time.process_time() - began if number else 0
            for chunk in chunks:
                outputs += len(chunk)
                for output in chunk:
                    digest.update(_bytes(output))
        return {
            "seconds": seconds,
            "events": self.events,
            "entries": len(self.reads),
            "outputs": outputs,
            "hash": digest.hexdigest(),
        }


def _bytes(output: Output) -> bytes:
    """All of an output: its value as it is written, and the rest."""
    return repr(output._replace(data={}, snapshot=None)).encode() + codec().encode(output.type, output.data)


def main() -> None:
    garbage.look_seldom()  # as in every worker
    journal = Journal()
    serve({"fold": journal.fold})


if __name__ == "__main__":
    main()
