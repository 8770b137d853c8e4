"""The peer of ``subscribe``: what a department would write by hand with confluent-kafka and fastavro.

It runs in our interpreter, so that both sides use one librdkafka, and with the settings that ours has; those that
differ from librdkafka's defaults make it faster. It gives the same guarantees: committed records only, at least once by
one commit for each batch that nobody waits for, ids remembered so that duplicates are skipped, bytes not trusted, dead
letters.
"""

import io
import time
from collections import OrderedDict
from datetime import datetime
from typing import Any

import fastavro
from confluent_kafka import Consumer, Message, Producer

from bench.cases import TYPE, hash_of, schema
from bench.suite.child import serve

BATCH_MAX = 1_000
REMEMBERED_MAX = 100_000


class Peer:
    """A consumer for each run."""

    def open(self, servers: str, topic: str, schema_id: int) -> None:
        """Remember where, and parse the schema."""
        self.servers = servers
        self.topic = topic
        self.schemas = {schema_id: fastavro.parse_schema(schema())}
        self.letters = Producer({"bootstrap.servers": servers, "enable.idempotence": True})

    def consume(self, group: str, count: int) -> dict[str, Any]:
        """Handle so many events; seconds from the first to the last, and what was seen."""
        consumer = Consumer({
            "bootstrap.servers": self.servers,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.queue.backoff.ms": 10,
            "queued.min.messages": 10_000,
            "queued.max.messages.kbytes": 32 * 1024,
        })  # fmt: skip
        consumer.subscribe([self.topic])
        self.remembered: OrderedDict[str, None] = OrderedDict()
        self.duplicates = 0
        self.seen: list[str] = []
        began = 0.0
        while len(self.seen) < count:
            messages = consumer.consume(BATCH_MAX, 0.2)
            if not messages:
                continue
            began = began or time.perf_counter()
            buried = False
            for message in messages:
                if message.error() is not None:
                    raise RuntimeError(message.error())
                try:
                    self.handle(message)
                except Exception as error:  # whatever is wrong with it
                    self.bury(message, error)
                    buried = True
            ended = time.perf_counter()
            if buried:
                self.letters.flush()
            consumer.commit()
        consumer.close()
        return {"seconds": ended - began, "hash": hash_of(self.seen), "duplicates": self.duplicates}

    def handle(self, message: Message) -> None:
        """Check, decode and take one message."""
        envelope: dict[str, Any] = {
            name[3:]: value.decode() for name, value in message.headers() or () if name.startswith("ce_")
        }
        if envelope["specversion"] != "1.0" or envelope["mode"] != "exercise":
            raise ValueError("no event for this world")
        if envelope["type"] != TYPE:
            return
        envelope["time"] = datetime.fromisoformat(envelope["time"])
        if envelope["id"] in self.remembered:
            self.duplicates += 1
            return
        value = message.value()
        if len(value) > 1_000_000 or value[0] != 0:
            raise ValueError("not a framed value")
        source = io.BytesIO(value)
        source.seek(5)
        data = fastavro.schemaless_reader(source, self.schemas[int.from_bytes(value[1:5], "big")], None)
        if source.tell() != len(value):
            raise ValueError("bytes are left over")
        self.take(envelope, data)
        self.remembered[envelope["id"]] = None
        if len(self.remembered) > REMEMBERED_MAX:
            self.remembered.popitem(last=False)

    def take(self, envelope: dict[str, Any], data: Any) -> None:
        """The handler."""
        self.seen.append(data["case"])

    def bury(self, message: Message, error: Exception) -> None:
        """Keep what cannot be handled, whole, with the reason."""
        headers = [*(message.headers() or ()), ("reason", repr(error).encode())]
        self.letters.produce(f"{self.topic}.deadletters", message.value(), message.key(), headers=headers)


if __name__ == "__main__":
    peer = Peer()
    serve({"open": peer.open, "consume": peer.consume})
