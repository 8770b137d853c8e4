"""The peer of ``start``: a raw read of the snapshots, and what they take in memory as plain dicts.

It runs in our interpreter, so that both sides use one librdkafka and one fastavro: one consumer, read_committed, of
librdkafka's defaults but for those that would make it slower at the end of a log, and as many messages at a time as
``consume`` takes well.
"""

import io
import time
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from bench.peers.schemas import parsed
from bench.suite.child import serve

AT_ONCE = 10_000


def read(servers: str, topic: str, partitions: int, take: Any) -> None:
    """Hand every record to ``take`` until each partition has come to its end."""
    consumer = Consumer({
        "bootstrap.servers": servers,
        "group.id": "bench-raw",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        "fetch.queue.backoff.ms": 10,
    })  # fmt: skip
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    ended: set[int] = set()
    while len(ended) < partitions:
        for message in consumer.consume(AT_ONCE, 0.1):
            error = message.error()
            if error is None:
                take(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise RuntimeError(error.str())
    consumer.close()


def raw(servers: str, topic: str, partitions: int) -> dict[str, float]:
    """Read, and touch every value."""
    count = size = 0

    def take(message: Message) -> None:
        nonlocal count, size
        count += 1
        size += len(message.value())

    began = time.perf_counter()
    read(servers, topic, partitions, take)
    return {"seconds": time.perf_counter() - began, "records": count, "bytes": size}


class Dicts:
    """States as dicts, by key."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def hold(self, servers: str, topic: str, partitions: int, schema_ids: dict[str, int]) -> dict[str, int]:
        """Read and decode every snapshot; how many there are, and what that has added to the process's memory."""
        schemas = {number: parsed(name) for name, number in schema_ids.items()}
        instances: dict[str, dict[str, Any]] = {}
        keys: dict[str, dict[str, Any]] = {}
        places = {schema_ids["workflow.InstanceChanged"]: instances, schema_ids["workflow.KeyChanged"]: keys}

        def take(message: Message) -> None:
            value = message.value()
            number = int.from_bytes(value[1:5], "big")
            if number in places:
                data = fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[number], None)
                places[number][message.key().decode()] = data

        before = memory()
        read(servers, topic, partitions, take)
        self.states = {name: (instance, keys[name.rpartition("/")[0]]) for name, instance in instances.items()}
        return {"instances": len(self.states), "bytes": memory() - before}


def memory() -> int:
    """What this process alone holds in memory, in bytes."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/smaps_rollup says nothing of Pss_Anon")


def main() -> None:
    dicts = Dicts()
    serve({"raw": raw, "hold": dicts.hold})


if __name__ == "__main__":
    main()
