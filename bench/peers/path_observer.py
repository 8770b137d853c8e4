"""Sends events at a rate that waits for nobody, and measures when what they cause can be read. For both sides alike.

Latency counts from when an event was to be sent, not from when it was: a pause of the sender, or of the side that makes
it wait, is not left out. It goes into an HdrHistogram in microseconds.
"""

import pickle
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from hdrh.histogram import HdrHistogram

from bench.suite.child import serve

LIMIT_S = 60
LONGEST_US = LIMIT_S * 1_000_000


class Observer:
    """Reads one topic and writes another."""

    def connect(self, servers: str, source: str, sink: str) -> None:
        """Events go to ``source``, what they cause is read from ``sink``."""
        self._source = source
        self._producer = Producer({
            "bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 0, "compression.type": "lz4",
            "partitioner": "murmur2_random",
        })  # fmt: skip
        self._consumer = Consumer({
            "bootstrap.servers": servers, "group.id": "unused", "isolation.level": "read_committed",
            "enable.auto.commit": False, "fetch.queue.backoff.ms": 1,
        })  # fmt: skip
        ends = []
        for partition in self._consumer.list_topics(sink, timeout=10).topics[sink].partitions:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(sink, partition), timeout=10)
            ends.append(TopicPartition(sink, partition, end))
        self._consumer.assign(ends)

    def run(self, events: str, rate: float, causing: list[int], sampled: list[int]) -> dict[str, float]:
        """Send a file's events, and wait for what comes of each region's events with the numbers ``causing``.

        Samples are of the events from the first of the places ``sampled`` on and before the second. Records name a
        region in their subject, and come in its events' order; those of one event name one cause, or are the event.
        Answers percentiles in milliseconds, and at which rate the events were sent.
        """
        made = pickle.loads(Path(events).read_bytes())
        due: dict[bytes, list[float]] = defaultdict(list)
        for number, (region, _, _) in enumerate(made):
            due[region].append(number / rate)
        waiting = {region: [times[number] for number in causing] for region, times in due.items()}
        missing = len(waiting) * len(causing)
        first, last = (place / rate for place in sampled)
        self._began = time.perf_counter() + 0.1
        sender = threading.Thread(target=self._send, args=(made, rate), daemon=True)
        sender.start()
        histogram = HdrHistogram(1, LONGEST_US, 3)
        seen: set[tuple[bytes, bytes | None]] = set()
        limit = time.monotonic() + LIMIT_S + len(made) / rate
        while len(seen) < missing:
            if time.monotonic() > limit:
                raise RuntimeError(f"something came of {len(seen)} events and not of {missing}")
            for message in filter(None, [self._consumer.poll(0.1), *self._consumer.consume(1_000, 0)]):
                headers = dict(message.headers())
                region = headers["ce_subject"].removeprefix(b"epidemic/").partition(b"/")[0]
                cause = region, headers.get("ce_causationid", headers["ce_id"])
                if region in waiting and cause not in seen:
                    seen.add(cause)
                    was_due = waiting[region].pop(0)
                    if first <= was_due < last:
                        after = time.perf_counter() - self._began - was_due
                        histogram.record_value(round(after * 1_000_000))
        sender.join()
        return {
            "p50": histogram.get_value_at_percentile(50) / 1000, "p99": histogram.get_value_at_percentile(99) / 1000,
            "rate": (len(made) - 1) / (self._sent - self._began),
        }  # fmt: skip

    def _send(self, made: list[Any], rate: float) -> None:
        for number, (key, value, headers) in enumerate(made):
            wait = self._began + number / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            self._producer.produce(self._source, value, key, headers=headers)
            self._producer.poll(0)
        self._sent = time.perf_counter()
        self._producer.flush()

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


if __name__ == "__main__":
    observer = Observer()
    serve({"connect": observer.connect, "run": observer.run, "close": observer.close})
