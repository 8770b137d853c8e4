"""Folding a journal partition again, and holding what comes out against what the bus has written (I3).

Pure: the records come in. What is compared: the last snapshot of every instance and key, byte by byte; that
snapshots follow one another in the order of the journal; and, where asked for, every output, in order and once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from deptbus.codec import Encode
from deptbus.workflow import heads
from deptbus.workflow.output import Snapshot
from deptbus.workflow.partition import Partition, Rejected
from deptbus.workflow.state import Read

OUTPUT_TOPICS = ("workflow.tasks", "workflow.timeline", "workflow.events")
DIFFERENCES_MAX = 100
"""No more differences than this are told."""

_POSITION = "@partition/"
_SNAPSHOTS = ("workflow.InstanceChanged", "workflow.KeyChanged")


class Written(NamedTuple):
    """A record of the bus's own, as it stands on its topic."""

    key: str
    id: str
    """``ce_id``."""
    type: str
    value: bytes
    where: str
    """Coordinates, for messages."""


Decode = Callable[[str, bytes], dict[str, Any]]


@dataclass(slots=True)
class Folded:
    """What a fold comes to."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    """The last record of ``workflow.instances`` of every key."""
    outputs: dict[str, list[tuple[str, bytes]]] = field(default_factory=lambda: {topic: [] for topic in OUTPUT_TOPICS})
    """Id and value of every output, by topic; empty where they were not asked for."""
    log: list[Written] = field(default_factory=list)
    """Every record of ``workflow.instances`` in order, as batches cut in this way give them; empty likewise."""


def fold(
    partition: Partition,
    batches: Iterable[list[Read]],
    rejected: Rejected,
    encode: Encode,
    *,
    outputs: bool,
    log: bool = False,
) -> Folded:
    """Apply a partition's journal from its beginning; raises ``RejectedEntry`` as ``Partition.chunks`` does."""
    folded = Folded()
    for batch in batches:
        for output in chain.from_iterable(partition.chunks(batch, rejected)):
            if output.topic == "workflow.instances":
                # What the partition keeps as well is encoded when it lets go of the data, or at the end.
                snapshot = output.snapshot or Snapshot(output.type, output.data, encode)
                folded.snapshots[output.key] = snapshot
                if log:
                    folded.log.append(Written(output.key, output.id, output.type, snapshot.value, ""))
            elif outputs and output.topic in folded.outputs:
                folded.outputs[output.topic].append((output.id, encode(output.type, output.data)))
    return folded


def compare_snapshots(folded: Folded, written: Iterable[Written], decode: Decode) -> list[str]:
    """How the snapshots written differ from the folded ones, one sentence each."""
    last: dict[str, Written] = {}
    offsets: dict[str, int] = {}
    differences = []
    for record in written:
        if record.key.startswith(_POSITION):
            continue
        if record.type in _SNAPSHOTS:
            offset = heads.offset(record.type, record.value)
            if offset <= offsets.get(record.key, -1):
                differences.append(f"{record.where}: the snapshot of {record.key} stands twice or out of order.")
            offsets[record.key] = offset
        last[record.key] = record
    for key, snapshot in folded.snapshots.items():
        if key.startswith(_POSITION):
            continue
        stands = last.pop(key, None)
        if stands is None:
            differences.append(f"{key} follows from the journal and was not written.")
        elif stands.value != snapshot.value:
            both = decode(stands.type, stands.value), decode(snapshot.type, snapshot.value)
            fields = ", ".join(_fields(*both)) or "encoding"
            differences.append(f"{stands.where}: {key} is not what the journal gives; it differs in {fields}.")
    differences += [f"{record.where}: {key} does not follow from the journal." for key, record in last.items()]
    return differences[:DIFFERENCES_MAX]


def _fields(written: Mapping[str, Any], folded: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*written, *folded}):
        if written.get(name) != folded.get(name):
            yield name


def compare_outputs(topic: str, folded: Folded, written: Iterable[Written]) -> list[str]:
    """How the outputs written to a topic differ from the folded ones: each must stand there, in order, once."""
    differences = []
    for expected, record in zip_longest(folded.outputs[topic], written):
        if record is None:
            differences.append(f"{topic}: {expected[0]} follows from the journal and was not written.")
        elif expected is None:
            differences.append(f"{record.where}: {record.type} {record.id} does not follow from the journal.")
        elif record.id != expected[0]:
            differences.append(f"{record.where}: {record.type} {record.id} stands where {expected[0]} should.")
        elif record.value != expected[1]:
            differences.append(f"{record.where}: {record.type} {record.id} is not what the journal gives.")
        if len(differences) >= DIFFERENCES_MAX:
            break
    return differences
