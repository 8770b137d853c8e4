"""Reads the board and the history of one instance off ``workflow.*``: each topic once, the last record of a key.

What belongs to an instance lies in one partition, that of its ``<workflow>/<key>``; other records are passed over
by their keys, without decoding them.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import CLOCK, PROGRESS, Clock, system_clock
from deptbus.codec import Codec
from deptbus.desk.afteraction import AfterAction
from deptbus.desk.board import Board, Snapshot, earlier
from deptbus.desk.drawup import draw_up
from deptbus.desk.present import Present, is_doubtful, present
from deptbus.desk.refused import Missing
from deptbus.desk.resources import names_resources
from deptbus.desk.told import Told
from deptbus.envelope import from_headers
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import BEGINNING, END, Tail, read_partition, read_topic
from deptbus.kafka.ends import end_offsets
from deptbus.kafka.reach import check_reachable
from deptbus.partitioning import partition_of
from deptbus.record import Record
from deptbus.redriven import redriven_for
from deptbus.settings import Settings
from deptbus.workflow.pack import Pack
from deptbus.workflow.said import Said

INSTANCES = "workflow.instances"
TASKS = "workflow.tasks"
TIMELINE = "workflow.timeline"
_READ = (INSTANCES, TASKS, TIMELINE)
_CHANGED = "workflow.InstanceChanged"
_STORED = "workflow.PackStored"
_ADVANCED = "workflow.PartitionAdvanced"
_REQUESTED = b"workflow.TaskRequested"
_POLL_S = 0.5
_LATEST = 10
"""So many of the latest reports are looked at for the newest broker time: the very last offset may hold none."""
_LISTEN_S = 3.0
"""How long a report is waited for where this machine's clock is in doubt, in seconds; workers report each second."""
_REACH_S = 5.0
"""How long a cluster may take to answer at all, in seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """A task of any time, found by a few letters of its id."""

    task: str
    instance: str


class Reading:
    """One look at the world that the settings name. A context manager."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        check_reachable(settings, _REACH_S)
        self.settings = settings
        self.clock = clock
        self.catalogue: Catalogue = load_catalogue(settings.root, clock())
        self.registry = bootstrap.open_registry(settings)
        types = {kind for topic in _READ for kind in self.catalogue.topic(topic).event_types}
        self.codec: Codec = bootstrap.load_codec(settings, self.catalogue, self.registry, types)
        self._learn = bootstrap.learner(self.codec, self.registry)
        self._configuration = reader_configuration(settings)

    def board(self) -> Board:
        """Every instance as it stands."""
        return self._board(read_topic(self._configuration, self._physical(INSTANCES)))

    def boards(self, every_s: float) -> Generator[Board, None, None]:
        """The board, and again each time so many seconds have passed; the topic is followed, not read again."""
        physical = self._physical(INSTANCES)
        ends = {(INSTANCES, number): end for number, end in end_offsets(self._configuration, physical).items()}
        newest: dict[bytes, Record] = {}
        limit = time.monotonic()
        tail = Tail(self._configuration, {physical: BEGINNING})
        try:
            while True:
                newest |= {record.key or b"": record for record in tail.poll(_POLL_S, 10_000)}
                if time.monotonic() >= limit and tail.has_reached(ends):
                    yield self.board_of(newest)
                    limit = time.monotonic() + every_s
        finally:
            tail.close()

    def record(self, instance: str, at_ms: int | None = None) -> AfterAction:
        """The after-action record of an instance, by its id or its key; ``Missing``. ``at_ms``: as of then."""
        partition = self.partition_of(instance)
        board = self._board(self._snapshots(partition))
        snapshot = board.instance(instance)
        name = str(snapshot["instance"])
        definition = board.definition(snapshot)
        if at_ms is not None and at_ms < snapshot["clock"]:
            if at_ms < snapshot["opened_at"]:
                raise Missing(Said(f"{name} 当时尚未启动。", f"{name} was not open yet at that time."))
            snapshot = self._earlier(self._snapshots(partition), snapshot, at_ms)
        key = name.rpartition("/")[0]
        lines: dict[str, list[Told]] = {name: [], key: []}
        for told in self._told(TIMELINE, partition, lines):
            lines[told.data["instance"]].append(told)
        record = draw_up(
            name,
            self._told(TASKS, partition, {name}),
            lines[name],
            unplaced=lines[key],
            events=self._events(board.pack(snapshot["pack"]), {told.data["cause"] for told in lines[name]}),
            as_of=board.now_ms if at_ms is None else at_ms,
            snapshot=snapshot,
            definition=definition,
        )
        record.note = board.note if at_ms is None else None
        return record

    def task_ever(self, prefix: str) -> Found | None:
        """A task of any time whose id begins like this; reads all that was ever asked for."""
        for record in read_topic(self._configuration, self._physical(TASKS)):
            headers = dict(record.headers)
            event_id = (headers.get("ce_id") or b"").decode()
            if headers.get("ce_type") == _REQUESTED and event_id.startswith(prefix.strip().lower()):
                data = self.decode(record)
                return Found(data["task"], data["instance"])
        return None

    def partition_of(self, instance: str) -> int:
        """The partition of an instance's records; its id is ``<workflow>/<key>/<n>``, or without the number."""
        name = instance.strip("/")
        head, _, last = name.rpartition("/")
        name = head if last.isdigit() and "/" in head else name
        return partition_of(name.encode(), len(end_offsets(self._configuration, self._physical(INSTANCES))))

    def decode(self, record: Record) -> dict[str, Any]:
        """The data of a record; ``CodecError``."""
        if record.value is not None:
            schema_id = self.codec.schema_id(record.value)
            if not self.codec.knows(schema_id):
                self._learn(schema_id)
        return self.codec.decode(record.value)

    def __enter__(self) -> "Reading":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.registry.close()

    def _physical(self, topic: str) -> str:
        return self.settings.world.physical(topic)

    def _board(self, records: Iterator[Record]) -> Board:
        return self.board_of({record.key or b"": record for record in records})

    def board_of(self, newest: Mapping[bytes, Record]) -> Board:
        """The board that the newest records of ``workflow.instances`` give."""
        instances: dict[str, Snapshot] = {}
        waiting: list[Snapshot] = []
        packs: dict[str, bytes] = {}
        advanced = 0
        for record in newest.values():
            kind = _type(record)
            data = self.decode(record)
            if kind == _CHANGED:
                instances[data["instance"]] = data
            elif kind == _ADVANCED:
                advanced = max(advanced, data["at"])
            elif kind == _STORED:
                packs[data["hash"]] = data["content"]
            elif data["parked"]:
                waiting.append(data)
        if self.settings.namespace:  # in an exercise, how far its own time has come
            reached = max([self._announced(), advanced, *(int(snapshot["clock"]) for snapshot in instances.values())])
            return Board(instances, packs, reached or self.clock(), tuple(waiting))
        newest_ms = max((record.timestamp_ms for record in newest.values()), default=0)
        now = self._now(newest_ms)
        return Board(instances, packs, now.at_ms, tuple(waiting), now.note)

    def _announced(self) -> int:
        """When the exercise step that was announced last begins; 0 where none was."""
        physical = self._physical(CLOCK)
        end = end_offsets(self._configuration, physical).get(0, 0)
        newest = [
            self.decode(record) for record in read_partition(self._configuration, physical, 0, max(0, end - 1), end)
        ]
        return max((int(step["starts_at"]) for step in newest), default=0)

    def _now(self, newest_ms: int) -> Present:
        """The time that counts in actual life; waits a moment for a report where this machine's clock is doubtful."""
        physical = self._physical(PROGRESS)
        end = end_offsets(self._configuration, physical)[0]
        latest = list(read_partition(self._configuration, physical, 0, max(0, end - _LATEST), end))
        newest_ms = max([newest_ms, *(record.timestamp_ms for record in latest)])
        if not is_doubtful(self.clock(), newest_ms):
            return present(self.clock(), newest_ms)
        tail = Tail(self._configuration, {physical: END})
        heard: list[Record] = []
        limit = time.monotonic() + _LISTEN_S
        try:
            while not heard and time.monotonic() < limit:
                heard = tail.poll(_POLL_S)
        finally:
            tail.close()
        return present(self.clock(), newest_ms, max((record.timestamp_ms for record in heard), default=None))

    def _snapshots(self, partition: int) -> Iterator[Record]:
        return read_partition(self._configuration, self._physical(INSTANCES), partition)

    def _earlier(self, records: Iterator[Record], latest: Snapshot, at_ms: int) -> Snapshot:
        """The last snapshot not newer than ``at_ms``; where compaction has taken it, what never changes."""
        found = earlier(latest)
        key = str(latest["instance"]).encode()
        for record in records:
            if record.key == key and _type(record) == _CHANGED:
                data = self.decode(record)
                found = data if data["clock"] <= at_ms else found
        return found

    def _events(self, pack: Pack | None, ids: set[str]) -> Iterator[Told]:
        """Those with these ids that say how much of a resource there is; only their topics are read."""
        fields = pack.content.fields if pack is not None else {}
        known = set(self.catalogue.schemas.types())
        types = {kind for kind, names in fields.items() if names_resources(kind, names) and kind in known}
        for topic in sorted({self.catalogue.topic_of(kind).name for kind in types}):
            for record in read_topic(self._configuration, self._physical(topic)):
                headers = dict(record.headers)
                wanted = (headers.get("ce_id") or b"").decode() in ids
                if redriven_for(record.headers) is not None:
                    continue
                if wanted and (headers.get("ce_type") or b"").decode() in types:
                    yield self._as_told(record)

    def _as_told(self, record: Record) -> Told:
        envelope = from_headers(record.headers)
        return Told(envelope.id, envelope.type, envelope.time_ms, record.coordinates, self.decode(record))

    def _told(self, topic: str, partition: int, names: Iterable[str]) -> Iterator[Told]:
        """The events under some keys."""
        keys = {name.encode() for name in names}
        for record in read_partition(self._configuration, self._physical(topic), partition):
            if record.key in keys and redriven_for(record.headers) is None:
                yield self._as_told(record)


def _type(record: Record) -> str:
    return next((value.decode() for name, value in record.headers if name == "ce_type"), "")
