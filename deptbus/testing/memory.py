"""``MemoryBroker``: the bus without Kafka, for tests of handlers. It passes the same contract tests as Kafka.

    broker = MemoryBroker(load_catalogue(root, at_ms))
    bus = broker.connect("cdc")
    ...
    run_until(bus, lambda: broker.events("cdc.investigations"))

Topics, keys, partitions, size limits, groups and commits are as on a broker; transactions and retention are not.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from deptbus.bootstrap import limits, make_codec
from deptbus.bus import Bus
from deptbus.catalogue import Catalogue
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec
from deptbus.envelope import Headers, from_headers
from deptbus.errors import NotFound
from deptbus.namespace import Namespace
from deptbus.outcome import Outcome, Pending
from deptbus.partitioning import partition_of
from deptbus.record import Event, Record
from deptbus.settings import Settings
from deptbus.transport import Partition, Position

Fault = Literal["failed", "unknown"]
_NO_HEADERS: Headers = []


class MemoryBroker:
    """Logs in memory, shared by every bus connected to it. Safe to use from several threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        namespace: Namespace | None = None,
        clock: Clock = system_clock,
        codec: Codec | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.namespace = namespace or Namespace()
        self.clock = clock
        self.settings = settings or Settings.load()
        ids = {(file.type, file.version): number for number, file in enumerate(catalogue.schemas.all(), 1)}
        self.codec = codec or make_codec(self.settings, catalogue, ids)
        self.changed = threading.Condition()
        """Held while logs are touched; told whenever a record is added."""
        self.logs: dict[str, list[list[Record]]] = {
            topic.name: [[] for _ in range(topic.partitions)] for topic in catalogue.topics.values()
        }
        self.committed: dict[str, dict[Partition, int]] = {}
        """Committed offsets by group."""
        self._members: dict[str, list[MemoryReceiver]] = {}
        self._faults: dict[str, Fault] = {}

    def connect(self, owner: str, **options: Any) -> Bus:
        """A bus of ``owner`` on this broker; ``options`` are those of ``Bus``."""
        defaults: dict[str, Any] = {"namespace": self.namespace, "clock": self.clock, "limits": limits(self.settings)}
        return Bus(owner, self.catalogue, self.codec, self, **(defaults | options))

    def sender(self) -> "MemorySender":
        """A new sender."""
        return MemorySender(self)

    def receiver(self, group: str, topics: Iterable[str]) -> "MemoryReceiver":
        """A new member of ``group``."""
        receiver = MemoryReceiver(self, group, tuple(topics))
        with self.changed:
            self._members.setdefault(group, []).append(receiver)
        return receiver

    def records(self, topic: str) -> list[Record]:
        """Every record of a topic, partition after partition."""
        with self.changed:
            return [record for log in self._log(topic) for record in log]

    def events(self, topic: str) -> list[Event]:
        """Every event of a topic, decoded; ``CodecError`` for what is none."""
        found = []
        for record in self.records(topic):
            envelope = from_headers(record.headers)
            found.append(Event(envelope, self.codec.decode(record.value, envelope.type), record))
        return found

    def put(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers = _NO_HEADERS,
        partition: int = -1,
    ) -> Record:
        """Add a record as it is, whatever it holds; ``partition`` -1 leaves it to the key."""
        with self.changed:
            logs = self._log(topic)
            if partition < 0:
                partition = (
                    partition_of(key, len(logs))
                    if key is not None
                    else min(range(len(logs)), key=lambda number: len(logs[number]))
                )
            record = Record(topic, partition, len(logs[partition]), self.clock(), key, value, list(headers))
            logs[partition].append(record)
            self.changed.notify_all()
            return record

    def fail(self, topic: str, fault: Fault) -> None:
        """Have every publish to a topic end so from now on; ``unknown`` records are on the topic all the same."""
        self._faults[topic] = fault

    def heal(self, topic: str) -> None:
        """End what ``fail`` began."""
        self._faults.pop(topic, None)

    def fault(self, topic: str) -> Fault | None:
        """How publishes to a topic end now; None is well."""
        return self._faults.get(topic)

    def share(self, member: "MemoryReceiver") -> set[Partition]:
        """The partitions that a member of a group has now: every member every n-th. Hold ``changed``."""
        members = self._members.get(member.group, [])
        if member not in members:
            return set()
        wanted = sorted({
            (topic, number)
            for other in members
            for topic in other.topics
            for number in range(len(self._log(topic)))
        })  # fmt: skip
        return set(wanted[members.index(member) :: len(members)])

    def leave(self, member: "MemoryReceiver") -> None:
        """Give a member's partitions to the others."""
        with self.changed:
            members = self._members.get(member.group, [])
            if member in members:
                members.remove(member)
            self.changed.notify_all()

    def _log(self, topic: str) -> list[list[Record]]:
        try:
            return self.logs[topic]
        except KeyError:
            raise NotFound(f"The topic {topic} is not in the catalogue.") from None


class MemorySender:
    """Answers every record at once."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        event_id: str,
        partition: int = -1,
    ) -> Pending:
        """Add a record, if nothing is wrong with the topic or the record's size."""
        pending = Pending(self, topic, event_id)
        fault = self._broker.fault(topic)
        limit = self._broker.catalogue.topic(topic).message_bytes_max
        if fault == "failed":
            pending.settle(Outcome("failed", event_id, topic, reason="the test says so"))
        elif len(value) + len(key or b"") > limit:
            pending.settle(Outcome("failed", event_id, topic, reason=f"more than {limit} bytes"))
        else:
            record = self._broker.put(topic, value, key, headers, partition)
            if fault == "unknown":
                pending.settle(Outcome("unknown", event_id, topic, reason="the test says so"))
            else:
                pending.settle((record.partition, record.offset, record.timestamp_ms))
        return pending

    def poll(self, timeout_s: float) -> None:
        """Nothing is ever waited for."""

    def flush(self) -> None:
        """Nothing is ever waited for."""

    def waiting(self) -> int:
        """Always 0."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


class MemoryReceiver:
    """A member of a group."""

    def __init__(self, broker: MemoryBroker, group: str, topics: tuple[str, ...]) -> None:
        self.group = group
        self.topics = topics
        self.joined = True
        self._broker = broker
        self._next: dict[Partition, int] = {}
        self._held: set[Partition] = set()

    def poll(self, count_max: int, timeout_s: float) -> list[Record]:
        """The next records; waits at most ``timeout_s`` for the first."""
        limit = time.monotonic() + timeout_s
        with self._broker.changed:
            while True:
                records = self._take(count_max)
                left = limit - time.monotonic()
                if records or left <= 0:
                    return records
                self._broker.changed.wait(left)

    def _take(self, count_max: int) -> list[Record]:
        committed = self._broker.committed.setdefault(self.group, {})
        share = self._broker.share(self)
        self._next = {partition: self._next.get(partition, committed.get(partition, 0)) for partition in share}
        records: list[Record] = []
        for partition in sorted(share - self._held):
            topic, number = partition
            start = self._next[partition]
            taken = self._broker.logs[topic][number][start : start + count_max - len(records)]
            records += taken
            self._next[partition] = start + len(taken)
        return records

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Remember offsets for the group, of partitions that are still this member's."""
        with self._broker.changed:
            share = self._broker.share(self)
            self._broker.committed.setdefault(self.group, {}).update(
                {partition: offset for partition, offset in offsets.items() if partition in share}
            )

    def hold(self, partition: Partition, offset: int) -> None:
        """Go back to ``offset`` and deliver nothing of this partition until ``release``."""
        self._next[partition] = offset
        self._held.add(partition)

    def release(self, partition: Partition) -> None:
        """Deliver a held partition again."""
        self._held.discard(partition)

    def positions(self) -> list[Position]:
        """How far this member has come; it is never stalled."""
        with self._broker.changed:
            return [
                Position(topic, number, offset, len(self._broker.logs[topic][number]), 0.0)
                for (topic, number), offset in self._next.items()
            ]

    def close(self) -> None:
        """Leave the group."""
        self._broker.leave(self)
