"""One partition of a journal of very many entries of the epidemic workflow: incidents in one region after another.

In each region cases are confirmed again and again, whoever is asked for something acknowledges it in the next round and
completes it in the one after, and a tick ends each round. Everything is worked out by
``correlate``'s and ``advance``'s own pure parts, so each answer names a task that was really asked for; the time
between two rounds is short, so that few deadlines are missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, NamedTuple

from deptbus.codec import Codec
from deptbus.envelope import Envelope
from deptbus.partitioning import partition_of
from deptbus.record import Record
from deptbus.workflow.correlate import Correlator, tick
from deptbus.workflow.output import Snapshot
from deptbus.workflow.partition import Partition
from deptbus.workflow.state import Entry, Read
from tests.workflow.world import START, pack_of, sample, workflow

CASES = "health.CasesConfirmed"
APPENDED = "workflow.EntryAppended"
REGIONS = 500
"""Regions in which something happens at the same time."""
ROUNDS = 12
"""How often something happens in each."""
ROUND_MS = 60_000
FIRST_REGION = 110_101


class Written(NamedTuple):
    """An entry as it stands in the journal."""

    key: str
    entry: Entry


@dataclass
class Journal:
    """Iterate to have it made; then it knows what it comes to."""

    codec: Codec
    number: int
    entries: int
    """How many it has at least."""
    of: int = 4
    """How many partitions there are."""
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    """The last record of each instance and key, and of the pack."""

    def __iter__(self) -> Iterator[Written]:
        pack = pack_of(workflow("epidemic"))
        self._correlator, self._numbers = Correlator([pack]), dict[str, int]()
        self._partition = Partition(self.number, stepped=True, codec=self.codec)
        self._next, self._asked, self._answered = 0, list[dict[str, Any]](), list[dict[str, Any]]()
        about = {"kind": "activation", "workflow": pack.workflow, "pack": pack.hash, "body": pack.to_bytes()}
        yield from self._apply([("@pack", tick(START) | about)])
        names = filter(self._is_here, (f"{number}" for number in count(FIRST_REGION)))
        regions: list[str] = []
        now, round_ = START, 0
        while self._next < self.entries:
            now += ROUND_MS
            if round_ % ROUNDS == 0:
                regions = list(islice(names, REGIONS))
            entries = [one for number, region in enumerate(regions) for one in self._cases(region, now + number)]
            asked, answered, self._asked, self._answered = self._asked, self._answered, [], self._asked
            for task in asked:
                entries += self._answer(task, "acknowledged", now + REGIONS)
            for task in answered:
                entries += self._answer(task, "completed", now + REGIONS)
            yield from self._apply([*entries, ("@tick", tick(now + REGIONS + 1, round_))])
            round_ += 1

    def _is_here(self, region: str) -> bool:
        return partition_of(f"epidemic/{region}".encode(), self.of) == self.number

    def _apply(self, entries: list[tuple[str, Entry]]) -> Iterator[Written]:
        reads: list[Read] = []
        for key, entry in entries:
            value = self.codec.encode(APPENDED, {"entry": entry})
            yield Written(key, entry)
            data = self.codec.decode(entry["body"], entry["event"]["type"]) if entry["event"] else None
            reads.append((self._next, self.codec.decode(value, APPENDED)["entry"], data))
            self._next += 1
        for output in self._partition.apply(reads):
            if output.type == "workflow.TaskRequested":
                self._asked.append(output.data)
            elif output.topic == "workflow.instances" and output.type != "workflow.PartitionAdvanced":
                snapshot = output.snapshot or Snapshot(output.type, output.data, self.codec.encode)
                self.snapshots[output.key] = snapshot

    def _cases(self, region: str, at: int) -> list[tuple[str, Entry]]:
        data = sample(CASES, region=region, province=f"{region[:2]}0000", city=f"{region[:4]}00", count=2, total=2,
                      date="2020-01-20", source_reference=f"bench:{region}")  # fmt: skip
        return self._published(CASES, data, at, region=region, subject=region)

    def _answer(self, task: dict[str, Any], disposition: str, at: int) -> list[tuple[str, Entry]]:
        data = {"task": task["task"], "disposition": disposition, "note": None}
        about = {"correlationid": task["instance"], "causationid": task["task"]}
        return self._published(f"{task['department']}.TaskAnswered", data, at, **about)

    def _published(self, kind: str, data: dict[str, Any], at: int, **about: Any) -> list[tuple[str, Entry]]:
        department = kind.partition(".")[0]
        number = self._numbers[department] = self._numbers.get(department, -1) + 1
        envelope = Envelope(
            id=f"{department}-{self.number}-{number:08}", type=kind, source=f"/departments/{department}", time_ms=at,
            legalbasis="a law", **about,
        )  # fmt: skip
        record = Record(f"{department}.events", 0, number, at, None, self.codec.encode(kind, data), [])
        return [
            (appended.key or f"{appended.entry['workflow']}/", appended.entry)
            for appended in self._correlator.entries(envelope, data, record, at)
        ]
