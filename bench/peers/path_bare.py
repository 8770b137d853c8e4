"""Two hops and nothing else: a consumer and a producer, twice, each pair in a thread, set for latency, acks=all."""

import threading
from itertools import pairwise
from typing import Any

from confluent_kafka import Consumer, Producer

from bench.suite.child import serve


class Hops:
    """Copies one topic to a second and the second to a third, until ``stop``."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, servers: str, topics: list[str]) -> None:
        """Begin; returns when both hops read."""
        for source, sink in pairwise(topics):
            joined = threading.Event()
            self._threads.append(threading.Thread(target=self._copy, args=(servers, source, sink, joined)))
            self._threads[-1].start()
            if not joined.wait(30):
                raise RuntimeError(f"{source} is not read")

    def stop(self) -> None:
        """End both hops."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)

    def _copy(self, servers: str, source: str, sink: str, joined: threading.Event) -> None:
        consumer = Consumer({
            "bootstrap.servers": servers, "group.id": f"bare.{source}", "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 1,
        })  # fmt: skip
        producer = Producer({
            "bootstrap.servers": servers, "enable.idempotence": True, "acks": "all", "linger.ms": 0,
            "compression.type": "lz4", "partitioner": "murmur2_random",
        })  # fmt: skip
        consumer.subscribe([source], on_assign=lambda *_: joined.set())
        while not self._stopped.is_set():
            first: Any = consumer.poll(0.1)
            if first is None:
                continue
            for message in [first, *consumer.consume(1_000, 0)]:
                producer.produce(sink, message.value(), message.key(), headers=message.headers())
            producer.poll(0)
        producer.flush()
        consumer.close()


if __name__ == "__main__":
    hops = Hops()
    serve({"start": hops.start, "stop": hops.stop})
