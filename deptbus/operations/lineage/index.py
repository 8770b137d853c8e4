"""The index: one SQLite file for each namespace, a plain projection of what the headers of all topics say.

It holds nothing of its own and can be deleted at any time. One process writes at a time, under a lock; readers beside
it see what was committed last. How far each partition is read is written in the transaction of its rows.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from deptbus.errors import IndexUnusable
from deptbus.operations.lineage.rows import OPENED, Place, Row, Said, happened, packed, unpacked
from deptbus.transport import Partition

T = TypeVar("T")

VERSION = 1
"""A file of another version is made anew."""
_TEXTS_MAX = 200_000
"""Names remembered at once."""
_ASKED_MAX = 500
_TABLES = """
CREATE TABLE text (n INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE topic (n INTEGER PRIMARY KEY, kafka TEXT NOT NULL);
CREATE TABLE reached (
  topic INTEGER, partition INTEGER, low INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE event (
  topic INTEGER, partition INTEGER, place INTEGER, id BLOB NOT NULL, cause BLOB, timestamp INTEGER NOT NULL,
  time BLOB NOT NULL, type INTEGER NOT NULL, source INTEGER NOT NULL, instance INTEGER, basis INTEGER,
  replay INTEGER,
  PRIMARY KEY (topic, partition, place)
) WITHOUT ROWID;
CREATE TABLE letter (
  topic INTEGER, partition INTEGER, place INTEGER, of_topic INTEGER, of_partition INTEGER, of_place INTEGER,
  PRIMARY KEY (topic, partition, place)
) WITHOUT ROWID;
CREATE INDEX letter_of ON letter (of_topic, of_partition, of_place);
CREATE TABLE foreign_id (id BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = {
    "event_id": "event (id)",
    "event_cause": "event (cause) WHERE cause IS NOT NULL",
    "event_instance": "event (instance, timestamp) WHERE instance IS NOT NULL",
}
_ROW = """
SELECT e.id, e.cause, t.value, e.partition, e.place, e.timestamp, e.time, k.value, s.value, i.value, b.value, r.value
FROM event e JOIN text t ON t.n = e.topic JOIN text k ON k.n = e.type JOIN text s ON s.n = e.source
LEFT JOIN text i ON i.n = e.instance LEFT JOIN text b ON b.n = e.basis LEFT JOIN text r ON r.n = e.replay
"""


class Index:
    """One index. ``writable`` only under ``writing``. Raises ``sqlite3.DatabaseError`` where the file is broken."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._texts: dict[bytes | None, int | None] = {None: None}
        if writable:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            self._db.executescript("PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;")
            if self._version() != VERSION:
                self._make()
        else:
            self._db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def current(self) -> bool:
        """Whether it is of this version."""
        return self._version() == VERSION

    # How far it goes

    def topics(self) -> dict[str, str]:
        """The topics that it knows, each with what Kafka identifies it by."""
        return dict(self._db.execute("SELECT value, kafka FROM topic JOIN text USING (n)"))

    def reached(self) -> dict[Partition, tuple[int, int]]:
        """Of each partition the first offset that is kept, and the next one to be read."""
        found = self._db.execute("SELECT value, partition, low, next FROM reached JOIN text ON n = topic")
        return {(topic, partition): (low, end) for topic, partition, low, end in found}

    def count(self) -> int:
        """How many records are kept."""
        return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

    # What it says

    def by_ids(self, ids: Iterable[bytes]) -> list[Row]:
        """Every record of these events."""
        return self._rows("e.id", ids)

    def by_prefix(self, digits: str, count_max: int) -> list[str]:
        """Ids of events that begin with these hexadecimal digits."""
        low, high = bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
        found = self._db.execute(
            "SELECT DISTINCT id FROM event WHERE id BETWEEN ? AND ? LIMIT ?", (low, high, count_max)
        )
        return [unpacked(event_id) for (event_id,) in found]

    def effects(self, ids: Iterable[bytes], count_max: int) -> list[Row]:
        """Records of events that follow from these, at most so many."""
        return self._rows("e.cause", ids, count_max)

    def effects_counted(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        """How many events follow from each of these."""
        counted: dict[bytes, int] = {}
        for some in _chunks(ids):
            query = f"SELECT cause, count(DISTINCT id) FROM event WHERE cause IN ({_marks(some)}) GROUP BY cause"
            counted |= dict(self._db.execute(query, some))
        return counted

    def of_instance(self, instance: str, count_max: int) -> list[Row]:
        """Records of events that name an instance, oldest first."""
        query = f"{_ROW} WHERE e.instance = (SELECT n FROM text WHERE value = ?) ORDER BY e.timestamp, e.time LIMIT ?"
        return [_row(found) for found in self._db.execute(query, (instance, count_max))]

    def instances_of(self, key: str) -> list[str]:
        """The instances of ``<workflow>/<key>``."""
        found = self._db.execute(
            "SELECT value FROM text WHERE value > ? AND value < ? AND EXISTS (SELECT 1 FROM event WHERE instance = n)",
            (f"{key}/", f"{key}0"),
        )
        return [value for (value,) in found if value[len(key) + 1 :].isdigit()]

    def opening(self, instance: str) -> Row | None:
        """The record that an instance opened."""
        query = f"{_ROW} WHERE e.instance = (SELECT n FROM text WHERE value = ?) AND k.value = ? LIMIT 1"
        found = self._db.execute(query, (instance, OPENED)).fetchone()
        return _row(found) if found else None

    def letters(self, places: Iterable[Place]) -> dict[Place, list[Row]]:
        """The dead letters that records were given up in."""
        query = f"""{_ROW} JOIN letter l ON l.topic = e.topic AND l.partition = e.partition AND l.place = e.place
            WHERE l.of_topic = (SELECT n FROM text WHERE value = ?) AND l.of_partition = ? AND l.of_place = ?"""
        found = {place: [_row(row) for row in self._db.execute(query, place)] for place in places}
        return {place: rows for place, rows in found.items() if rows}

    def foreign(self, ids: Iterable[bytes]) -> dict[bytes, str]:
        """Of these ids those that are no UUIDs, as they were written."""
        found: dict[bytes, str] = {}
        for some in _chunks(ids):
            found |= dict(self._db.execute(f"SELECT * FROM foreign_id WHERE id IN ({_marks(some)})", some))
        return found

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._texts = {None: None}  # some may have been rolled back
            raise
        self._db.execute("COMMIT")

    def add(self, rows: Sequence[tuple[str, int, int, int, Said]], letters: Sequence[tuple[Place, Place]]) -> None:
        """Add records: topic, partition, offset, timestamp and what their headers say; and what letters are about."""
        self._learn({text for row in rows for text in (row[0].encode(), *row[4][3:])})
        texts, short = self._texts, self._id
        self._db.executemany(
            "INSERT OR REPLACE INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    texts[topic.encode()], partition, offset, short(event_id), cause and short(cause), timestamp_ms,
                    time, texts[kind], texts[source], texts[instance], texts[basis], texts[replay],
                )
                for topic, partition, offset, timestamp_ms, (
                    event_id, cause, time, kind, source, instance, basis, replay,
                ) in sorted(rows)  # in the order of the table
            ],
        )  # fmt: skip
        number = self._number
        self._db.executemany(
            "INSERT OR REPLACE INTO letter VALUES (?,?,?,?,?,?)",
            [
                (number(at.topic.encode()), at.partition, at.offset, number(of.topic.encode()), of.partition, of.offset)
                for at, of in letters
            ],
        )

    def reach(self, reached: Mapping[Partition, tuple[int, int]]) -> None:
        """Note how far partitions are read."""
        self._db.executemany(
            "INSERT OR REPLACE INTO reached VALUES (?,?,?,?)",
            [(self._number(topic.encode()), partition, *ends) for (topic, partition), ends in reached.items()],
        )

    def know(self, topic: str, kafka: str) -> None:
        """Note what Kafka identifies a topic by."""
        self._db.execute("INSERT OR REPLACE INTO topic VALUES (?,?)", (self._number(topic.encode()), kafka))

    def forget(self, topic: str, partition: int | None = None, below: int | None = None) -> None:
        """Drop what is kept of a topic, of one of its partitions, or of what stands below an offset there."""
        where, given = "topic = ?", [self._number(topic.encode())]
        if partition is not None:
            where, given = f"{where} AND partition = ?", [*given, partition]
        if below is None:
            self._db.execute(f"DELETE FROM reached WHERE {where}", given)
            if partition is None:
                self._db.execute("DELETE FROM topic WHERE n = ?", given)
        else:
            where, given = f"{where} AND place < ?", [*given, below]
        for table in ("event", "letter"):
            self._db.execute(f"DELETE FROM {table} WHERE {where}", given)

    def drop_indexes(self) -> None:
        """Before very many rows: building an index afterwards is quicker than keeping it."""
        for name in _INDEXES:
            self._db.execute(f"DROP INDEX IF EXISTS {name}")

    def make_indexes(self) -> None:
        """Build what is missing."""
        for name, of in _INDEXES.items():
            self._db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {of}")

    def _make(self) -> None:
        for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            self._db.execute(f"DROP TABLE {name}")
        self._db.executescript(_TABLES)
        self.make_indexes()
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _id(self, event_id: bytes) -> bytes:
        short = packed(event_id)
        if len(event_id) != 36:
            text = event_id.decode("utf-8", "backslashreplace")
            self._db.execute("INSERT OR IGNORE INTO foreign_id VALUES (?,?)", (short, text))
        return short

    def _number(self, text: bytes) -> int:
        """The number of a text; a new one's is given here."""
        self._learn({text})
        return self._texts[text] or 0

    def _learn(self, texts: set[bytes | None]) -> None:
        """Know the numbers of these texts."""
        if len(self._texts) > _TEXTS_MAX:
            self._texts = {None: None}
        wanted = {
            text.decode("utf-8", "backslashreplace"): text for text in texts - self._texts.keys() if text is not None
        }
        self._db.executemany("INSERT OR IGNORE INTO text (value) VALUES (?)", [(value,) for value in sorted(wanted)])
        for some in _chunks(wanted):
            for value, n in self._db.execute(f"SELECT value, n FROM text WHERE value IN ({_marks(some)})", some):
                self._texts[wanted[value]] = n

    def _rows(self, column: str, ids: Iterable[bytes], count_max: int = -1) -> list[Row]:
        rows: list[Row] = []
        for some in _chunks(ids):
            left = -1 if count_max < 0 else count_max - len(rows)
            query = f"{_ROW} WHERE {column} IN ({_marks(some)}) ORDER BY e.timestamp, e.time LIMIT {left}"
            rows += map(_row, self._db.execute(query, some))
            if count_max >= 0 and len(rows) >= count_max:
                break
        return rows


def unusable(path: Path, error: Exception) -> IndexUnusable:
    """What to say of an index that cannot be written."""
    return IndexUnusable(
        f"The index {path} cannot be written ({error}); free space there, or set BUS_RUN_DIR to another folder."
    )


def delete(path: Path) -> None:
    """Delete an index; it is made anew when it is next written."""
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            name.unlink()


@contextmanager
def writing(path: Path) -> Iterator[bool]:
    """Hold the right to write an index; whether it was free. ``IndexUnusable`` where nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.with_name(f"{path.name}.lock").open("w")
    except OSError as error:
        raise unusable(path, error) from error
    with held as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _row(found: Sequence[Any]) -> Row:
    event_id, cause, topic, partition, offset, timestamp_ms, time, *more = found
    return Row(event_id, cause, Place(topic, partition, offset), timestamp_ms, happened(time, timestamp_ms), *more)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    left = iter(dict.fromkeys(values))
    while some := list(islice(left, _ASKED_MAX)):
        yield some


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
