"""The peer of a filtered replay: what one would write by hand with confluent-kafka and fastavro.

It runs in our interpreter, so that both sides use one librdkafka. It gives the same: committed records only, each once,
by transactions of as many records with the positions in them; bytes not trusted.
"""

import io
import time
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from bench.cases import schema
from bench.suite.child import serve

ID = b"0195a1b2-0000-7000-8000-000000000000"
BATCH_MAX = 10_000
TRANSACTION_MAX = 100_000


class Peer:
    """A consumer and a producer for each run."""

    def open(self, servers: str, topic: str, schema_id: int) -> None:
        """Remember where, and parse the schema."""
        self.servers, self.topic = servers, topic
        self.schemas = {schema_id: fastavro.parse_schema(schema())}

    def copy(self, target: str, kind: str, since: int) -> dict[str, Any]:
        """Copy the events of a type that were reported no earlier than ``since``; seconds."""
        began = time.perf_counter()
        consumer = Consumer({
            "bootstrap.servers": self.servers, "group.id": target, "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True, "fetch.queue.backoff.ms": 10,
            "queued.min.messages": 100_000, "queued.max.messages.kbytes": 64 * 1024,
        })  # fmt: skip
        partitions = consumer.list_topics(self.topic).topics[self.topic].partitions
        consumer.assign([TopicPartition(self.topic, number, 0) for number in partitions])
        self.producer = Producer({
            "bootstrap.servers": self.servers, "transactional.id": target, "compression.type": "lz4", "linger.ms": 50,
            "batch.size": 1_000_000, "queue.buffering.max.messages": 1_000_000,
        })  # fmt: skip
        self.producer.init_transactions()
        self.producer.begin_transaction()
        ends: set[int] = set()
        positions: dict[int, int] = {}
        taken = 0
        while len(ends) < len(partitions):
            for message in consumer.consume(BATCH_MAX, 0.1):
                if message.error() is not None:
                    if message.error().code() == KafkaError._PARTITION_EOF:
                        ends.add(message.partition())
                    continue
                positions[message.partition()] = message.offset() + 1
                taken += 1
                self.take(message, target, kind, since)
            self.producer.poll(0)
            if taken >= TRANSACTION_MAX or len(ends) == len(partitions):
                offsets = [TopicPartition(self.topic, number, at) for number, at in positions.items()]
                self.producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
                self.producer.commit_transaction()
                taken = 0
                if len(ends) < len(partitions):
                    self.producer.begin_transaction()
        consumer.close()
        return {"seconds": time.perf_counter() - began}

    def take(self, message: Message, target: str, kind: str, since: int) -> None:
        """Pass one message on, if it is meant."""
        headers = message.headers() or []
        envelope = dict(headers)
        if envelope["ce_type"].decode() != kind:
            return
        value = message.value()
        if len(value) > 1_000_000 or value[0] != 0:
            raise ValueError("not a framed value")
        source = io.BytesIO(value)
        source.seek(5)
        data: Any = fastavro.schemaless_reader(source, self.schemas[int.from_bytes(value[1:5], "big")], None)
        if source.tell() != len(value):
            raise ValueError("bytes are left over")
        if data["reported_at"] < since:
            return
        _, time_ms = message.timestamp()
        headers.append(("ce_replayid", ID))
        while True:
            try:
                self.producer.produce(
                    target, value, message.key(), message.partition(), timestamp=time_ms, headers=headers
                )
                return
            except BufferError:
                self.producer.poll(0.1)


if __name__ == "__main__":
    peer = Peer()
    serve({"open": peer.open, "copy": peer.copy})
