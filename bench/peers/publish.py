"""The peer of ``publish``: what a department would write by hand with fastavro and confluent-kafka.

It runs in our interpreter, so that both sides use one librdkafka. Headers, key and data are those that ours writes;
the delivery callback counts what is acknowledged and keeps errors, as the library's examples do.
"""

import io
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import fastavro
import uuid_utils
from confluent_kafka import KafkaError, Message, Producer

from bench.cases import REGION, TYPE, cases, schema
from bench.suite.child import serve

_given = lru_cache(maxsize=1)(cases)


class Peer:
    """A producer, the schema, and what was answered."""

    def open(self, servers: str, topic: str, schema_id: int) -> None:
        """Connect."""
        self.topic = topic
        self.schema = fastavro.parse_schema(schema())
        self.frame = b"\x00" + schema_id.to_bytes(4, "big")
        self.producer = Producer({
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 100_000,
            "queue.buffering.max.kbytes": 256 * 1024,
        })  # fmt: skip
        self.always = [
            ("ce_specversion", b"1.0"),
            ("content-type", b"application/avro"),
            ("ce_type", TYPE.encode()),
            ("ce_source", b"/departments/health"),
            ("ce_mode", b"exercise"),
            ("ce_dataschema", f"urn:deptbus:{TYPE}:v1".encode()),
            ("ce_region", REGION.encode()),
            ("ce_classification", b"sensitive"),
        ]
        self.events(1_000)

    def answered(self, error: KafkaError | None, message: Message) -> None:
        """A delivery callback."""
        if error is None:
            self.delivered += 1
        else:
            self.errors.append(error)

    def encode(self, data: dict[str, Any], subject: str) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers of an event."""
        out = io.BytesIO()
        out.write(self.frame)
        fastavro.schemaless_writer(out, self.schema, data, strict_allow_default=True)
        event_id = str(uuid_utils.uuid7())
        digits = event_id.replace("-", "")
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
        headers = [
            *self.always,
            ("ce_id", event_id.encode()),
            ("ce_time", moment.encode()),
            ("ce_subject", subject.encode()),
            ("ce_traceparent", f"00-{digits}-{digits[16:]}-01".encode()),
        ]
        return subject.encode(), out.getvalue(), headers

    def send(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        """Produce; a full buffer is waited for."""
        while True:
            try:
                self.producer.produce(self.topic, value, key, on_delivery=self.answered, headers=headers)
                break
            except BufferError:
                self.producer.poll(0.05)
        self.producer.poll(0)

    def events(self, count: int) -> float:
        """Seconds to publish and have every event acknowledged."""
        given = _given(count)
        self.begin()
        began = time.perf_counter()
        for data, subject in given:
            self.send(*self.encode(data, subject))
        self.end(count)
        return time.perf_counter() - began

    def prepare(self, count: int) -> None:
        """Encode what ``ready`` is to send."""
        self.records = [self.encode(data, subject) for data, subject in _given(count)]

    def ready(self) -> float:
        """Seconds to send what is encoded already and have each record acknowledged."""
        self.begin()
        began = time.perf_counter()
        for key, value, headers in self.records:
            self.send(key, value, headers)
        self.end(len(self.records))
        return time.perf_counter() - began

    def begin(self) -> None:
        """Nothing is answered yet."""
        self.delivered = 0
        self.errors: list[KafkaError] = []

    def end(self, count: int) -> None:
        """Wait for every answer; all must be good."""
        self.producer.flush()
        if self.errors or self.delivered != count:
            raise RuntimeError(f"{self.delivered} of {count} delivered, {self.errors[:1]}")


if __name__ == "__main__":
    peer = Peer()
    serve({"open": peer.open, "events": peer.events, "prepare": peer.prepare, "ready": peer.ready})
