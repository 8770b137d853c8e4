"""The path by hand: one consumer, one transactional producer, one loop.

A round takes what is at hand of both topics, and writes what follows, journal entries, tasks, timeline and compacted
snapshots, together with the offsets, in one transaction: exactly once, with one commit for both hops.
"""

import threading
import time
from collections import defaultdict
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from bench.peers.path_core import Core, Out, ended_by_errors
from bench.suite.child import serve
from deptbus.record import Record

ROUND_MAX = 2_000
"""Records of a round at most."""
ROUND_WAIT_S = 0.05
"""How long a round waits to become full, in seconds."""


class Loop:
    """Runs in a thread until ``stop``."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def start(self, servers: str, prefix: str, **core: Any) -> None:
        """Join the group; ``prefix`` begins the topics' names, ``core`` is what ``Core`` takes."""
        self._core, self._prefix = Core(**core), prefix
        common = {"bootstrap.servers": servers}
        self._consumer = Consumer(common | {
            "group.id": f"{prefix}path", "isolation.level": "read_committed", "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "fetch.queue.backoff.ms": 10, "queued.min.messages": 10_000,
        })  # fmt: skip
        self._producer = Producer(common | {
            "transactional.id": f"{prefix}path", "compression.type": "lz4", "linger.ms": 5,
            "partitioner": "murmur2_random", "message.max.bytes": 6_000_000,
        })  # fmt: skip
        self._producer.init_transactions()
        joined = threading.Event()
        self._consumer.subscribe(
            [f"{prefix}health.cases", f"{prefix}workflow.journal"], on_assign=lambda *_: joined.set()
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not joined.wait(30):
            raise RuntimeError("the group was not joined")

    def stop(self) -> None:
        """End the loop and leave the group."""
        self._stopped.set()
        self._thread.join(30)
        self._consumer.close()

    def cpu_s(self) -> float:
        """The CPU time of this process so far, in seconds."""
        return time.process_time()

    def _run(self) -> None:
        with ended_by_errors():
            while not self._stopped.is_set():
                messages = self._consumer.consume(ROUND_MAX, ROUND_WAIT_S)
                if messages:
                    self._round(messages)

    def _round(self, messages: list[Message]) -> None:
        core, producer = self._core, self._producer
        entries: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        ends: dict[tuple[str, int], int] = {}
        journal = f"{self._prefix}workflow.journal"
        producer.begin_transaction()
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(message.error())
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            ends[topic, partition] = offset + 1
            if topic == journal:
                entries[partition].append((offset, message.value()))
                continue
            record = Record(
                "health.cases", partition, offset, message.timestamp()[1], message.key(), message.value(),
                message.headers(),
            )  # fmt: skip
            for out in core.correlate(record):
                self._send(out, -1)
        for partition, read in entries.items():
            for output in core.advance(partition, read):
                self._send(core.written(output), partition)
        producer.poll(0)
        producer.send_offsets_to_transaction(
            [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()],
            self._consumer.consumer_group_metadata(),
        )
        producer.commit_transaction()

    def _send(self, out: Out, partition: int) -> None:
        topic = self._prefix + out.topic
        while True:
            try:
                self._producer.produce(topic, out.value, out.key, partition, headers=out.headers)
                return
            except BufferError:
                self._producer.poll(0.05)


if __name__ == "__main__":
    loop = Loop()
    serve({"start": loop.start, "stop": loop.stop, "cpu_s": loop.cpu_s})
