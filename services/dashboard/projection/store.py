"""The database of the projection: what the follower writes and the views read. Safe to use from several threads.

SQLite by default, PostgreSQL by its URL. Values stay as they came from the topics and are decoded by whoever looks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, Insert, create_engine, delete, event, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Table

from deptbus.envelope import Envelope, from_headers
from deptbus.errors import SettingsError
from deptbus.record import Record
from deptbus.transport import Partition
from services.dashboard.projection import tables

KEPT_MS = 6 * 3_600_000
"""How long figures of the bus are kept."""
_CHUNK = 500
"""Ids asked for in one question: databases bound the number of parameters."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "cache_size=-32768")


class Point(NamedTuple):
    """A figure of the bus at a time."""

    name: str
    label: str
    at_ms: int
    value: float


class Stored(NamedTuple):
    """A record as it is kept, and its envelope."""

    record: Record
    envelope: Envelope


class Kept(NamedTuple):
    """An instance as it is kept."""

    line: bytes
    """Its line in the list, as JSON."""
    value: bytes
    """The framed ``workflow.InstanceChanged``."""


class Store:
    """See the module. ``url`` is SQLAlchemy's; ``SettingsError`` where it cannot be used."""

    def __init__(self, url: str) -> None:
        try:
            text = {"client_encoding": "utf8"} if url.startswith("postgresql") else {}
            self.engine: Engine = create_engine(url, connect_args=text)
        except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
            raise SettingsError(
                f"BUS_DASHBOARD_DATABASE is not usable ({error}); write sqlite:////path/to/file.db or "
                "postgresql+psycopg://user@host/database."
            ) from None
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _tune)
        try:
            tables.metadata.create_all(self.engine)
            if self.about("layout") not in (None, tables.LAYOUT):
                tables.metadata.drop_all(self.engine)
                tables.metadata.create_all(self.engine)
            with self.writing() as connection:
                self.tell(connection, "layout", tables.LAYOUT)
        except SQLAlchemyError as error:
            raise SettingsError(f"The dashboard's database {_hidden(self.engine)} does not open: {error}") from None

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    # Writing, from the follower's thread

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction."""
        with self.engine.begin() as connection:
            yield connection

    def empty(self, connection: Connection) -> None:
        """Forget everything that was read from the bus."""
        for table in (tables.positions, tables.records, tables.packs, tables.instances, tables.open_tasks):
            connection.execute(delete(table))
        connection.execute(delete(tables.about).where(tables.about.c.name != "layout"))

    def put(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, in place of those of the same primary key."""
        if not rows:
            return
        dialect = sqlite if self.engine.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table)
        others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
        keys = [column for column in table.columns if column.primary_key]
        self._write(connection, statement.on_conflict_do_update(index_elements=keys, set_=others), rows)

    def add(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of which none is there yet."""
        if rows:
            self._write(connection, insert(table), rows)

    def _write(self, connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Hand rows to the driver as they are: every value is one that it takes, and looking at each costs as much
        again."""
        compiled = statement.compile(dialect=self.engine.dialect)
        if compiled.positional:
            values = itemgetter(*compiled.positiontup or ())  # of tables with two columns at least: a tuple
            connection.exec_driver_sql(str(compiled), [values(row) for row in rows])
        else:
            connection.exec_driver_sql(str(compiled), [dict(row) for row in rows])

    def replace_tasks(
        self, connection: Connection, instances: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """The open tasks of these instances are now those."""
        for chunk in _chunks(instances):
            connection.execute(delete(tables.open_tasks).where(tables.open_tasks.c.instance.in_(chunk)))
        self.put(connection, tables.open_tasks, rows)

    def forget_before(self, connection: Connection, starts: Mapping[Partition, int]) -> None:
        """Forget records that their topics do not hold any more, given where each partition begins."""
        kept = tables.records.c
        for (topic, partition), start in starts.items():
            gone = (kept.topic == topic) & (kept.partition == partition) & (kept.position < start)
            connection.execute(delete(tables.records).where(gone))

    def tell(self, connection: Connection, name: str, value: str) -> None:
        """Remember something about the whole."""
        self.put(connection, tables.about, [{"name": name, "value": value}])

    def add_series(self, points: Iterable[Point]) -> None:
        """Keep figures, and forget those that are too old."""
        points = list(points)
        if not points:
            return
        rows = [{"name": point.name, "label": point.label, "at": point.at_ms, "value": point.value} for point in points]
        with self.writing() as connection:
            self.put(connection, tables.series, rows)
            oldest = max(point.at_ms for point in points) - KEPT_MS
            connection.execute(delete(tables.series).where(tables.series.c.at < oldest))

    # Reading, from any thread

    def about(self, name: str) -> str | None:
        """What is remembered about the whole."""
        with self.engine.connect() as connection:
            found = connection.execute(select(tables.about.c.value).where(tables.about.c.name == name)).scalar()
        return None if found is None else str(found)

    def positions(self) -> dict[Partition, int]:
        """The next offset of each partition read so far."""
        with self.engine.connect() as connection:
            found = connection.execute(select(tables.positions)).all()
        return {(row.topic, row.partition): row.next for row in found}

    def lines(self, status: str = "all", kind: str = "all") -> list[bytes]:
        """The lines of instances, as JSON, the one changed last first."""
        wanted = select(tables.instances.c.line).order_by(tables.instances.c.changed.desc())
        if status != "all":
            wanted = wanted.where(tables.instances.c.status == status)
        if kind != "all":
            wanted = wanted.where(tables.instances.c.kind == kind)
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def instance(self, name: str) -> Kept | None:
        """An instance as it stands."""
        wanted = select(tables.instances.c.line, tables.instances.c.value).where(tables.instances.c.instance == name)
        with self.engine.connect() as connection:
            found = connection.execute(wanted).first()
        return None if found is None else Kept(found.line, found.value)

    def of_department(self, department: str) -> list[bytes]:
        """The framed snapshots of the instances in which a department has open tasks."""
        mine = select(tables.open_tasks.c.instance).where(tables.open_tasks.c.department == department).distinct()
        wanted = select(tables.instances.c.value).where(tables.instances.c.instance.in_(mine))
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def of_task(self, task: str) -> list[bytes]:
        """The framed snapshots of the instances with an open task whose id begins like this."""
        begins = tables.open_tasks.c.task.startswith(task, autoescape=True)
        named = select(tables.open_tasks.c.instance).where(begins)
        wanted = select(tables.instances.c.value).where(tables.instances.c.instance.in_(named))
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def asked(self, topic: str, task: str) -> list[str]:
        """The instances in which a task whose id begins like this was ever asked for, as ``topic`` says.

        Reads through all that is kept of the topic.
        """
        table = tables.records
        begins = table.c.event.startswith(task, autoescape=True)
        wanted = select(table.c.instance).where(table.c.topic == topic, begins).distinct()
        with self.engine.connect() as connection:
            return [name for name in connection.execute(wanted).scalars() if name is not None]

    def late(self) -> list[bytes]:
        """The lines of open instances with open tasks, as JSON."""
        some = select(tables.open_tasks.c.instance)
        wanted = select(tables.instances.c.line).where(tables.instances.c.instance.in_(some))
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def of_pack(self, pack: str) -> list[bytes]:
        """The framed snapshots of instances of a pack that were listed before it was known."""
        wanted = select(tables.instances.c.value).where(
            tables.instances.c.pack == pack, tables.instances.c.kind.is_(None)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def packs(self) -> dict[str, bytes]:
        """The packs that instances run by, by their hashes."""
        with self.engine.connect() as connection:
            return {row.hash: row.content for row in connection.execute(select(tables.packs))}

    def told(self, topic: str, instances: Collection[str]) -> list[Stored]:
        """What a topic of workflows says of instances (or of keys), in the order in which it stands there."""
        table = tables.records
        wanted = (
            select(table)
            .where(table.c.instance.in_(list(instances)), table.c.topic == topic)
            .order_by(table.c.partition, table.c.position)
        )
        with self.engine.connect() as connection:
            return [_stored(row) for row in connection.execute(wanted)]

    def events(self, ids: Collection[str]) -> list[Stored]:
        """The departments' events with these ids, as far as they were granted and are kept."""
        table = tables.records
        found: list[Stored] = []
        with self.engine.connect() as connection:
            for chunk in _chunks(sorted(ids)):
                wanted = select(table).where(table.c.event.in_(chunk), table.c.instance.is_(None))
                found += [_stored(row) for row in connection.execute(wanted)]
        return found

    def series(self, since_ms: int) -> list[Point]:
        """The figures since a time, in order."""
        table = tables.series
        wanted = select(table).where(table.c.at >= since_ms).order_by(table.c.name, table.c.label, table.c.at)
        with self.engine.connect() as connection:
            return [Point(row.name, row.label, row.at, row.value) for row in connection.execute(wanted)]

    def count(self) -> dict[str, int]:
        """How many records and instances are kept."""
        with self.engine.connect() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (tables.records, tables.instances, tables.open_tasks)
            }


def _stored(row: Any) -> Stored:
    headers = [(name, value.encode()) for name, value in orjson.loads(row.headers)]
    key = None if row.instance is None else row.instance.encode()
    record = Record(row.topic, row.partition, row.position, row.arrived, key, row.value, headers)
    return Stored(record, from_headers(headers))


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _tune(connection: Any, _: object) -> None:
    """SQLite: readers beside the writer, and no wait for the disk at each transaction: it can be made anew."""
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _hidden(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
