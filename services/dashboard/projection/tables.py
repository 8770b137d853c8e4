"""The tables of the projection, the same on SQLite and PostgreSQL.

Two kinds: ``records`` holds what was said, whole, to be decoded when somebody looks; ``instances`` and ``open_tasks``
hold the newest state of each instance, ready to be listed.
"""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text

LAYOUT = "1"
"""A database of another layout is emptied and filled anew."""

metadata = MetaData()

about = Table(
    "about",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""``layout``, ``source`` (cluster, namespace and topic id), ``reached`` (how far the time of the world has come)."""

positions = Table(
    "positions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next", BigInteger, nullable=False),
)
"""The next offset of each partition; written in the transaction of what was read before it."""

records = Table(
    "records",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("instance", Text),
    Column("event", Text, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("value", LargeBinary),
    Column("headers", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""What was said. ``instance`` is the key of what workflows write, and empty for departments' events, which are found by
``event``, their id. ``headers`` are JSON pairs, ``arrived`` is the topic's time in milliseconds."""

Index(
    "records_of_instance",
    records.c.instance,
    records.c.topic,
    sqlite_where=records.c.instance.is_not(None),
    postgresql_where=records.c.instance.is_not(None),
)
Index(
    "records_by_event",
    records.c.event,
    sqlite_where=records.c.instance.is_(None),
    postgresql_where=records.c.instance.is_(None),
)

packs = Table(
    "packs",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("pack", Text, nullable=False),
    Column("kind", Text),
    Column("status", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
"""``line`` is its line in the list, as JSON; ``value`` the framed ``workflow.InstanceChanged``; ``kind`` is not known
while its pack is not."""

Index("instances_by_change", instances.c.status, instances.c.changed)

open_tasks = Table(
    "open_tasks",
    metadata,
    Column("task", Text, primary_key=True),
    Column("instance", Text, nullable=False, index=True),
    Column("department", Text, nullable=False, index=True),
)

series = Table(
    "series",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("value", Double, nullable=False),
)
"""Figures of the last hours, in milliseconds since the epoch."""
