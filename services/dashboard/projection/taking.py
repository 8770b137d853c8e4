"""Takes records of the bus into the database, many at a time, and says what changed for those who look.

A record is kept as it came; only the newest snapshot of an instance is decoded, for its line in the list. What was read
and how far is one transaction, so a process that dies goes on where it stood.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from deptbus.desk.board import Board, Snapshot
from deptbus.desk.reading import INSTANCES, TASKS, TIMELINE
from deptbus.errors import CodecError
from deptbus.record import Record
from deptbus.redriven import redriven_for
from deptbus.transport import Partition
from services.dashboard.projection import tables
from services.dashboard.projection.lines import Line, line
from services.dashboard.projection.store import Store

OF_INSTANCES = (TASKS, TIMELINE)
"""Topics of which the key says to which instance a record belongs."""
_CHANGED = "workflow.InstanceChanged"
_STORED = "workflow.PackStored"
_ADVANCED = "workflow.PartitionAdvanced"
_CONCERNED_MAX = 100_000
"""Instances whose departments are remembered."""

Decode = Callable[[Record], dict[str, Any]]


class Change(NamedTuple):
    """What is new for those who look."""

    kind: str
    """``incident``: a line of the list. ``line``: a line of a timeline."""
    departments: frozenset[str]
    """Those that the instance concerns."""
    data: Mapping[str, Any]


class Taking:
    """See the module. Used from one thread."""

    def __init__(self, store: Store, decode: Decode) -> None:
        self._store = store
        self._decode = decode
        self._packs = store.packs()
        self._concerned: dict[str, frozenset[str]] = {}
        """The departments of instances, as far as they were needed."""
        self.reached_ms = int(store.about("reached") or 0)
        """How far the time of the world has come: its workers' reports, and the clocks of its instances."""
        self.undecodable = 0

    def take(self, records: Sequence[Record], reached: Mapping[Partition, int], *, live: bool) -> list[Change]:
        """Write them with the positions ``reached``; what changed, where somebody looks already (``live``)."""
        kept, newest = [], {}
        for record in records:
            if record.topic == INSTANCES:
                newest[record.key] = record
            elif record.value is not None and redriven_for(record.headers) is None:
                kept.append(_row(record))
        with self._store.writing() as connection:
            self._store.add(connection, tables.records, kept)
            changed = self._instances(connection, list(newest.values()))
            positions = [
                {"topic": topic, "partition": partition, "next": offset}
                for (topic, partition), offset in reached.items()
            ]
            self._store.put(connection, tables.positions, positions)
            self._store.tell(connection, "reached", str(self.reached_ms))
        if not live:
            return []
        told = [self._told(record) for record in records if record.topic == TIMELINE and record.value is not None]
        return [*(self._changed(one) for one in changed), *(change for change in told if change is not None)]

    def _instances(self, connection: Connection, records: Sequence[Record]) -> list[Line]:
        """The newest state of each instance in a batch; the lines."""
        values: dict[str, tuple[Snapshot, bytes]] = {}
        packs = []
        for record in records:
            kind = dict(record.headers).get("ce_type", b"").decode()
            if record.value is None or kind not in (_CHANGED, _STORED, _ADVANCED):
                continue
            try:
                data = self._decode(record)
            except CodecError:
                self.undecodable += 1
                continue
            if kind == _CHANGED:
                values[data["instance"]] = data, record.value
                self.reached_ms = max(self.reached_ms, data["clock"])
            elif kind == _STORED:
                packs.append({"hash": data["hash"], "content": data["content"]})
            else:
                self.reached_ms = max(self.reached_ms, data["at"])
        if packs:
            self._store.put(connection, tables.packs, packs)
            self._packs |= {pack["hash"]: pack["content"] for pack in packs}
            for pack in packs:
                for value in self._store.of_pack(pack["hash"]):
                    data = self._decode(Record(INSTANCES, -1, -1, 0, None, value, []))
                    values.setdefault(data["instance"], (data, value))
        return self._write(connection, values)

    def _write(self, connection: Connection, values: Mapping[str, tuple[Snapshot, bytes]]) -> list[Line]:
        board = Board({}, self._packs, self.reached_ms)
        lines = {name: line(snapshot, board.definition(snapshot)) for name, (snapshot, _) in values.items()}
        rows = [
            {
                "instance": name,
                "pack": snapshot["pack"],
                "kind": lines[name]["kind"],
                "status": snapshot["status"],
                "changed": snapshot["clock"],
                "line": orjson.dumps(lines[name]),
                "value": value,
            }
            for name, (snapshot, value) in values.items()
        ]
        tasks = [
            {"task": task["id"], "instance": name, "department": task["department"]}
            for name, (snapshot, _) in values.items()
            for task in snapshot["tasks"]
        ]
        self._store.put(connection, tables.instances, rows)
        self._store.replace_tasks(connection, list(values), tasks)
        return list(lines.values())

    def _changed(self, one: Line) -> Change:
        concerned = self._concerned[one["instance"]] = frozenset(one["departments"])
        return Change("incident", concerned, one)

    def _told(self, record: Record) -> Change | None:
        try:
            data = self._decode(record)
        except CodecError:
            self.undecodable += 1
            return None
        event = dict(record.headers).get("ce_id", b"").decode()
        data = {**data, "event": event, "record": record.coordinates}
        return Change("line", self._of(data["instance"]), {"instance": data["instance"], "line": data})

    def _of(self, instance: str) -> frozenset[str]:
        """The departments of an instance; of a key without one, nobody's but those who may see all."""
        if instance not in self._concerned:
            if len(self._concerned) >= _CONCERNED_MAX:
                self._concerned.clear()
            found = self._store.instance(instance)
            self._concerned[instance] = frozenset(orjson.loads(found.line)["departments"] if found else ())
        return self._concerned[instance]


def _row(record: Record) -> dict[str, Any]:
    """A record as it is kept. Headers that are no text are of no use to anybody who looks."""
    headers = [(name, value.decode("utf-8", "replace")) for name, value in record.headers if value is not None]
    of_instance = record.topic in OF_INSTANCES
    return {
        "topic": record.topic,
        "partition": record.partition,
        "position": record.offset,
        "instance": record.key.decode("utf-8", "replace") if of_instance and record.key is not None else None,
        "event": next((value for name, value in headers if name == "ce_id"), ""),
        "arrived": record.timestamp_ms,
        "value": record.value,
        "headers": orjson.dumps(headers),
    }
