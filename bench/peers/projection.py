"""The consumer that one writes by hand: the same topics into the same SQLite tables, with fastavro and sqlite3.

One consumer, read_committed, at most 10,000 messages at a time, each batch one transaction with its positions; the
newest snapshot of an instance in a batch is decoded for its line in the list, everything else is kept as it came. It
runs in our interpreter, so that both sides use one librdkafka and one fastavro.
"""

import io
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import fastavro
import orjson
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from bench.peers.schemas import parsed
from bench.suite.child import serve

AT_ONCE = 10_000
OF_INSTANCES = ("workflow.tasks", "workflow.timeline")
INSTANCES = "workflow.instances"
_CHANGED = b"workflow.InstanceChanged"
_PUT = (
    "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance) DO UPDATE SET pack = excluded.pack, "
    "kind = excluded.kind, status = excluded.status, changed = excluded.changed, line = excluded.line, "
    "value = excluded.value"
)

Topics = dict[str, tuple[str, int]]
"""By physical name the logical one, and how many partitions there are."""


def fill(servers: str, topics: Topics, file: str) -> dict[str, Any]:
    """Fill a database whose tables are there."""
    schema = parsed("workflow.InstanceChanged")
    database = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32768"):
        database.execute(f"PRAGMA {pragma}")
    began = time.perf_counter()
    for batch in _batches(servers, topics):
        _write(database, batch, topics, schema)
    seconds = time.perf_counter() - began
    counts = {
        name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in ("records", "instances", "open_tasks")
    }
    database.close()
    return {"seconds": seconds, "kept": counts}


def _batches(servers: str, topics: Topics) -> Iterator[list[Message]]:
    """What is there, up to the end of every partition."""
    consumer = Consumer({
        "bootstrap.servers": servers, "group.id": "bench-projection", "isolation.level": "read_committed",
        "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50, "fetch.queue.backoff.ms": 10,
    })  # fmt: skip
    places = [(topic, number) for topic, (_, partitions) in topics.items() for number in range(partitions)]
    consumer.assign([TopicPartition(topic, number, 0) for topic, number in places])
    ended: set[tuple[str, int]] = set()
    while len(ended) < len(places):
        batch = []
        for message in consumer.consume(AT_ONCE, 0.1):
            error = message.error()
            if error is None:
                batch.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add((message.topic(), message.partition()))
            else:
                raise RuntimeError(error.str())
        if batch:
            yield batch
    consumer.close()


def _write(database: sqlite3.Connection, batch: list[Message], topics: Topics, schema: Any) -> None:
    records, newest, positions = [], {}, {}
    for message in batch:
        topic, headers = topics[message.topic()][0], message.headers()
        positions[topic, message.partition()] = message.offset() + 1
        if topic == INSTANCES:
            newest[message.key()] = message
            continue
        texts = [(name, value.decode()) for name, value in headers]
        records.append((
            topic, message.partition(), message.offset(),
            message.key().decode() if topic in OF_INSTANCES else None,
            next((value for name, value in texts if name == "ce_id"), ""), message.timestamp()[1], message.value(),
            orjson.dumps(texts),
        ))  # fmt: skip
    instances, tasks = [], []
    for message in newest.values():
        if dict(message.headers()).get("ce_type") != _CHANGED:
            continue
        value = message.value()
        data = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
        name = data["instance"]
        instances.append((name, data["pack"], None, data["status"], 0, orjson.dumps(_line(data)), value))
        tasks += [(task["id"], name, task["department"]) for task in data["tasks"]]
    database.execute("BEGIN")
    database.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", records)
    database.executemany(_PUT, instances)
    database.executemany("DELETE FROM open_tasks WHERE instance = ?", [(row[0],) for row in instances])
    database.executemany("INSERT OR REPLACE INTO open_tasks VALUES (?, ?, ?)", tasks)
    database.executemany(
        "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", [(*where, offset) for where, offset in positions.items()]
    )
    database.execute("COMMIT")


def _line(data: dict[str, Any]) -> dict[str, Any]:
    """A line of the list."""
    plain = ("instance", "workflow", "key", "region", "level", "highest_level", "status", "command_department",
             "command_unit", "lead", "parts")  # fmt: skip
    dues = sorted(
        (task["acknowledge_by"] if task["acknowledged_at"] is None else task["complete_by"], task["department"])
        for task in data["tasks"]
        if task["paused_at"] is None
    )
    return {
        **{name: data[name] for name in plain},
        "opened_at": data["opened_at"],
        "closed_at": data["closed_at"],
        "changed_at": data["clock"],
        "grade": data["facts"].get("grade"),
        "colour": data["facts"].get("colour"),
        "departments": sorted({*data["tally"], *(task["department"] for task in data["tasks"])}),
        "open": len(data["tasks"]),
        "dues": dues,
    }


if __name__ == "__main__":
    serve({"fill": fill})
