"""The records that a rehearsal plays, on disk: a stretch may be longer than what memory holds."""

import marshal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deptbus.errors import BusError
from deptbus.operations.rehearsal import Course, own_time
from deptbus.record import Record


class Played:
    """Records, found again in the order in which they are played. A context manager; what it holds ends with it.

    The file ``path`` has lost its name once it is open: however the process ends, the disk is free again. Every method
    raises ``BusError`` where the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            self._db.executescript(_TABLE)
            path.unlink()

    def __enter__(self) -> "Played":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def take(self, records: Iterable[Record]) -> None:
        """Hold these records as well."""
        with self._guarded():
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO record VALUES (?,?,?,?,?,?,?,?,?)", map(_row, records))
            self._db.execute("COMMIT")

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM record")[0])

    def __contains__(self, event_id: object) -> bool:
        """Whether a record of the event is among them."""
        return self._one("SELECT EXISTS (SELECT 1 FROM record WHERE id = ?)", event_id)[0] == 1

    def span_ms(self) -> tuple[int, int]:
        """The broker's times of the first record and of the last one."""
        return self._one("SELECT min(timestamp), max(timestamp) FROM record")

    def own_span_ms(self) -> tuple[int, int]:
        """The earliest time and the latest one that events have themselves; where none has any, the broker's."""
        found = self._one("SELECT min(own), max(own) FROM record WHERE own >= 0")
        return found if found[0] is not None else self.span_ms()

    def in_order(self, course: Course) -> Iterator[tuple[int, Record]]:
        """Every record with the time at which it is played, in the order of the broker's times."""
        with self._guarded():
            self._db.create_function("played_at", 2, course.played_at, deterministic=True)
            # Rows alone are sorted: together with the values that would be the whole stretch once more.
            for played_at, row in self._db.execute(_IN_ORDER):
                found = self._db.execute("SELECT * FROM record WHERE rowid = ?", (row,)).fetchone()
                _, _, timestamp_ms, topic, partition, offset, key, value, headers = found
                yield played_at, Record(topic, partition, offset, timestamp_ms, key, value, marshal.loads(headers))

    def _one(self, query: str, *given: object) -> tuple[int, int]:
        with self._guarded():
            found: tuple[int, int] = self._db.execute(query, given).fetchone()
        return found

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise BusError(
                f"The stretch cannot be held at {self._path} ({error}); free space there, or set BUS_RUN_DIR to "
                "another folder."
            ) from error


def _row(record: Record) -> tuple[object, ...]:
    event_id = dict(record.headers).get("ce_id", b"").decode(errors="replace")
    return (
        event_id, own_time(record), record.timestamp_ms, record.topic, record.partition, record.offset,
        record.key, record.value, marshal.dumps(record.headers),
    )  # fmt: skip


_TABLE = """
CREATE TABLE record (
    id TEXT, own INTEGER, timestamp INTEGER, topic TEXT, partition INTEGER, place INTEGER, key BLOB, value BLOB,
    headers BLOB
);
CREATE INDEX record_id ON record (id);
"""
_IN_ORDER = """
SELECT played_at(timestamp, own) AS at, rowid FROM record ORDER BY at, timestamp, topic, partition, place
"""
