"""Folds the journal of a namespace and compares: reads Kafka with readers of its own, writes nothing.

Each partition is folded in a process of its own where there is much to fold, as they know nothing of each other.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from typing import Any

from deptbus import garbage
from deptbus.bootstrap import load_codec, open_registry
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.codec import Codec
from deptbus.errors import CodecError
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.kafka.ends import end_offsets
from deptbus.record import Record
from deptbus.redriven import redriven_for
from deptbus.settings import Settings
from deptbus.workflow.fold import (
    OUTPUT_TOPICS,
    Folded,
    Written,
    compare_outputs,
    compare_snapshots,
    fold,
)
from deptbus.workflow.partition import CHUNK_MAX, Partition, Rejected, RejectedEntry
from deptbus.workflow.state import Read, key_name

JOURNAL = "workflow.journal"
INSTANCES = "workflow.instances"
REJECTION = b"@rejection"
"""The key of entries that reject another."""
BATCH = 5_000
"""Journal entries applied at a time: a state is encoded once for all of them."""
TOGETHER_MAX = 50_000
"""What an entry for many keys puts out before it is cut, as ``CHUNK_MAX`` counts it."""
DECODED_MAX = 300_000
"""How much of a partition's states is held decoded, as ``States`` counts it, some 300 MB: a fold touches many, and soon
ends."""
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
        with ProcessPoolExecutor(workers, get_context("spawn"), garbage.look_seldom) as pool:
            for result in pool.map(_fold_partition, *zip(*jobs, strict=True)):
                found.append(result)
                progress(len(found), len(jobs))
    differences = tuple(difference for result in found for difference in result.differences)
    return FoldResult(
        not differences, sum(result.instances for result in found), sum(result.entries for result in found), differences
    )


@lru_cache(maxsize=1)
def _codec(settings: Settings) -> Codec:
    """One for all partitions that a process folds: the registry is asked for a hundred ids."""
    with open_registry(settings) as registry:
        return load_codec(settings, load_catalogue(settings.root, system_clock()), registry)


def _fold_partition(settings: Settings, number: int, instance: str | None, outputs: bool) -> FoldResult:
    codec = _codec(settings)

    def records(topic: str) -> Iterator[Record]:
        configuration, physical = reader_configuration(settings), settings.world.physical(topic)
        whole = topic != JOURNAL  # an entry has all in its value
        return read_partition(configuration, physical, number, headers=whole)

    log = PartitionLog(codec, number, records, stepped=bool(settings.namespace))
    try:
        folded = log.fold(outputs=outputs)
    except RejectedEntry as error:
        return FoldResult(False, 0, log.entries, (f"{JOURNAL}[{number}]: {error}.",))
    if instance is not None:
        folded.snapshots = {key: found for key, found in folded.snapshots.items() if key == instance}
    written = (record for record in log.written(INSTANCES) if instance in (None, record.key))
    differences = compare_snapshots(folded, written, log.decode)
    for topic in OUTPUT_TOPICS if outputs else ():
        differences += compare_outputs(topic, folded, log.written(topic))
    instances = sum(found.type == "workflow.InstanceChanged" for found in folded.snapshots.values())
    return FoldResult(not differences, instances, log.entries, tuple(differences))


class PartitionLog:
    """One partition number of the bus's own topics. ``records`` gives a topic's records there, in order."""

    def __init__(self, codec: Codec, number: int, records: Callable[[str], Iterable[Record]], *, stepped: bool) -> None:
        self.entries = 0
        """Journal entries read."""
        self._codec, self._number, self._records, self._stepped = codec, number, records, stepped
        self._rejections: set[tuple[int, str]] = set()
        """What was read that rejects."""

    def decode(self, event_type: str, value: bytes) -> dict[str, Any]:
        """The data of an event."""
        return self._codec.decode(value, event_type)

    def fold(self, *, outputs: bool, ends: Iterable[int] | None = None) -> Folded:
        """Fold the journal. ``ends``: offsets at which the batches end; then every snapshot is kept as well.

        Raises ``RejectedEntry`` for an entry that cannot be applied and that the journal does not reject. A rejection
        stands behind what it rejects: a journal without any, as nearly all are, is read once, any other twice.
        """
        cuts = None if ends is None else sorted(ends)
        rejected: Rejected = frozenset()
        while True:
            self.entries, self._rejections = 0, set()
            reads = self._reads()
            # What is not written in transactions is only cut so that it fits into memory.
            partition = Partition(
                self._number, stepped=self._stepped, codec=self._codec, decoded_max=DECODED_MAX,
                chunk_max=TOGETHER_MAX if cuts is None else CHUNK_MAX, silent=not outputs,
            )  # fmt: skip
            batches = self._batches(reads, cuts or [])
            try:
                folded = fold(partition, batches, rejected, self._codec.encode, outputs=outputs, log=cuts is not None)
            except RejectedEntry:
                for _ in reads:  # the rejection is still to come
                    pass
                if self._rejections <= rejected:
                    raise
            else:
                if self._rejections <= rejected:
                    return folded
            rejected = frozenset(self._rejections)

    def _batches(self, reads: Iterable[Read], ends: list[int]) -> Iterator[list[Read]]:
        batch: list[Read] = []
        following = iter(ends)
        end = next(following, None)
        for read in reads:
            while end is not None and read[0] > end:
                yield batch
                batch, end = [], next(following, None)
            batch.append(read)
            if len(batch) >= BATCH and end is None:
                yield batch
                batch = []
        yield batch

    def _reads(self) -> Iterator[Read]:
        """The entries, decoded; one that cannot be is among the dead letters, and passed over as by ``advance``."""
        for record in self._records(JOURNAL):
            self.entries += 1
            try:
                entry = self._codec.decode(record.value)["entry"]
                event, body = entry["event"], entry["body"]
                data = self._codec.decode(body, event["type"]) if event is not None and body is not None else None
            except CodecError:
                if record.key == REJECTION:
                    raise
                continue
            if record.key == REJECTION:
                self._rejections.add((entry["offset"], key_name(entry)))
            yield record.offset, entry, data

    def written(self, topic: str) -> Iterator[Written]:
        """The records of one of the bus's own topics."""
        for record in self._records(topic):
            if redriven_for(record.headers) is not None:  # written by an operator
                continue
            headers = dict(record.headers)
            yield Written(
                (record.key or b"").decode(),
                (headers.get("ce_id") or b"").decode(),
                (headers.get("ce_type") or b"").decode(),
                record.value or b"",
                record.coordinates,
            )
