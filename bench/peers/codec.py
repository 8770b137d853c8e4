"""The peers of ``codec``: fastavro's schemaless functions as its documentation shows them, and Confluent's serializers.

The serializer is given its schema, which is registered, and registers nothing itself. That is the fastest of the ways
that its documentation describes: with ``use.latest.version`` it takes half as long again to three times as long. The
deserializer takes the writer's schema for the reader's, which is its default and the fastest. Both keep what they have
asked the registry. Values hold times as plain numbers, here as on our side; as ``datetime`` they would take longer.
"""

import io
import json
import time
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from bench.suite.child import serve

SERIALIZER = {"auto.register.schemas": False, "subject.name.strategy": record_subject_name_strategy}
DESERIALIZER = {"subject.name.strategy": record_subject_name_strategy}


class Peers:
    """Both peers, over the same data."""

    def start(self, sample: dict[str, Any], registry: str) -> dict[str, int]:
        """Register the schemas and prepare; answers their ids."""
        client = SchemaRegistryClient({"url": registry})
        texts = {kind: json.dumps(sample[kind]["schema"]) for kind in sample}
        ids = {kind: client.register_schema(kind, Schema(text, "AVRO")) for kind, text in texts.items()}
        self.parsed = {kind: parse_schema(sample[kind]["schema"], {}) for kind in sample}
        self.bodies = {kind: [bytes.fromhex(body) for body in sample[kind]["bodies"]] for kind in sample}
        self.values = {kind: [ids[kind].to_bytes(5, "big") + body for body in self.bodies[kind]] for kind in sample}
        self.data = {
            kind: [schemaless_reader(io.BytesIO(body), self.parsed[kind]) for body in self.bodies[kind]]
            for kind in sample
        }
        self.serializers = {kind: AvroSerializer(client, text, conf=SERIALIZER) for kind, text in texts.items()}
        self.deserializer = AvroDeserializer(client, conf=DESERIALIZER)
        self.contexts = {kind: SerializationContext(kind, MessageField.VALUE) for kind in sample}
        return ids

    def encode_fastavro(self, kind: str, rounds: int) -> float:
        """Events of one type encoded in a second of CPU time."""
        schema, events = self.parsed[kind], self.data[kind] * rounds
        began = time.process_time()
        for data in events:
            out = io.BytesIO()
            schemaless_writer(out, schema, data)
            out.getvalue()
        seconds = time.process_time() - began
        for data, body in zip(self.data[kind], self.bodies[kind], strict=True):
            out = io.BytesIO()
            schemaless_writer(out, schema, data)
            assert out.getvalue() == body
        return len(events) / seconds

    def decode_fastavro(self, kind: str, rounds: int) -> float:
        """Events of one type decoded in a second of CPU time."""
        schema, bodies = self.parsed[kind], self.bodies[kind] * rounds
        began = time.process_time()
        for body in bodies:
            schemaless_reader(io.BytesIO(body), schema)
        seconds = time.process_time() - began
        assert [schemaless_reader(io.BytesIO(body), schema) for body in self.bodies[kind]] == self.data[kind]
        return len(bodies) / seconds

    def encode_confluent(self, kind: str, rounds: int) -> float:
        """Events of one type encoded in a second of CPU time."""
        serialize, context, events = self.serializers[kind], self.contexts[kind], self.data[kind] * rounds
        began = time.process_time()
        for data in events:
            serialize(data, context)
        seconds = time.process_time() - began
        assert [serialize(data, context) for data in self.data[kind]] == self.values[kind]
        return len(events) / seconds

    def decode_confluent(self, kind: str, rounds: int) -> float:
        """Events of one type decoded in a second of CPU time."""
        deserialize, context, values = self.deserializer, self.contexts[kind], self.values[kind] * rounds
        began = time.process_time()
        for value in values:
            deserialize(value, context)
        seconds = time.process_time() - began
        assert [deserialize(value, context) for value in self.values[kind]] == self.data[kind]
        return len(values) / seconds


if __name__ == "__main__":
    peers = Peers()
    serve(
        {
            "start": peers.start,
            "encode_fastavro": peers.encode_fastavro,
            "decode_fastavro": peers.decode_fastavro,
            "encode_confluent": peers.encode_confluent,
            "decode_confluent": peers.decode_confluent,
        }
    )
