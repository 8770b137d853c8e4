"""Folds the journal of a namespace and compares: reads Kafka with readers of its own, writes nothing.

Each partition is folded in a process of its own where there is much to fold, as they know nothing of each other.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

from deptbus.bootstrap import load_codec, open_registry
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.codec import Codec
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import end_offsets, read_partition
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.workflow.fold import (
    OUTPUT_TOPICS,
    Written,
    compare_outputs,
    compare_snapshots,
    fold,
)
from deptbus.workflow.partition import Partition, Read, RejectedEntry

JOURNAL = "workflow.journal"
BATCH = 1_000
"""Journal entries applied at a time."""
PARALLEL_FROM = 20_000
"""From this many journal entries on, partitions are folded side by side."""

Progress = Callable[[int, int], None]
"""Told how many partitions of how many are folded."""


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What folding a namespace came to."""

    equal: bool
    instances: int
    """Instances that follow from the journal."""
    entries: int
    """Journal entries read."""
    differences: tuple[str, ...]


def fold_namespace(
    settings: Settings,
    *,
    instance: str | None = None,
    outputs: bool = False,
    progress: Progress = lambda done, of: None,
) -> FoldResult:
    """Fold every partition of the namespace's journal, or only that of ``instance``, and compare.

    ``outputs`` also compares every task, timeline record and follow-up event. Raises ``NotFound`` where the
    namespace has no journal.
    """
    ends = end_offsets(reader_configuration(settings), settings.world.physical(JOURNAL))
    jobs = [(settings, number, instance, outputs) for number in ends]
    found: list[FoldResult] = []
    workers = min(len(jobs), os.cpu_count() or 1)
    if sum(ends.values()) < PARALLEL_FROM or workers == 1:
        for job in jobs:
            found.append(_fold_partition(*job))
            progress(len(found), len(jobs))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for result in pool.map(_fold_partition, *zip(*jobs, strict=True)):
                found.append(result)
                progress(len(found), len(jobs))
    differences = tuple(difference for result in found for difference in result.differences)
    return FoldResult(
        not differences, sum(result.instances for result in found), sum(result.entries for result in found), differences
    )


def _fold_partition(settings: Settings, number: int, instance: str | None, outputs: bool) -> FoldResult:
    with open_registry(settings) as registry:
        codec = load_codec(settings, load_catalogue(settings.root, system_clock()), registry)
    reader = _Reader(settings, codec, number)
    partition = Partition(number, stepped=bool(settings.namespace), decode=reader.decode)
    try:
        folded = fold(partition, reader.batches(), reader.rejected(), codec.encode, outputs=outputs)
    except RejectedEntry as error:
        return FoldResult(False, 0, reader.entries, (f"{JOURNAL}[{number}]: {error}.",))
    if instance is not None:
        folded.snapshots = {key: found for key, found in folded.snapshots.items() if key == instance}
    written = (record for record in reader.written("workflow.instances") if instance in (None, record.key))
    differences = compare_snapshots(folded, written, codec.encode, reader.decode)
    for topic in OUTPUT_TOPICS if outputs else ():
        differences += compare_outputs(topic, folded, reader.written(topic))
    instances = sum(found.type == "workflow.InstanceChanged" for found in folded.snapshots.values())
    return FoldResult(not differences, instances, reader.entries, tuple(differences))


class _Reader:
    """One partition number of the topics of a namespace."""

    def __init__(self, settings: Settings, codec: Codec, number: int) -> None:
        self.entries = 0
        self._settings, self._codec, self._number = settings, codec, number

    def decode(self, event_type: str, value: bytes) -> dict[str, object]:
        """The data of an event."""
        return self._codec.decode(value, event_type)

    def _records(self, topic: str) -> Iterator[Record]:
        physical = self._settings.world.physical(topic)
        return read_partition(reader_configuration(self._settings), physical, self._number)

    def rejected(self) -> frozenset[int]:
        """The offsets that the journal says were passed over."""
        found = set()
        for record in self._records(JOURNAL):
            if record.key == b"@rejection":
                found.add(self._codec.decode(record.value)["entry"]["offset"])
        return frozenset(found)

    def batches(self) -> Iterator[list[Read]]:
        """The journal's entries, decoded."""
        reads = self._reads()
        while batch := list(islice(reads, BATCH)):
            yield batch

    def _reads(self) -> Iterator[Read]:
        for record in self._records(JOURNAL):
            self.entries += 1
            entry = self._codec.decode(record.value)["entry"]
            event = entry["event"]
            yield record.offset, entry, self._codec.decode(entry["body"], event["type"]) if event else None

    def written(self, topic: str) -> Iterator[Written]:
        """The records of one of the bus's own topics."""
        for record in self._records(topic):
            headers = dict(record.headers)
            yield Written(
                (record.key or b"").decode(),
                headers["ce_id"].decode(),
                headers["ce_type"].decode(),
                record.value or b"",
                record.coordinates,
            )
