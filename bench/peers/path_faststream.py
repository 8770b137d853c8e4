"""The path in FastStream on confluent-kafka: two batch subscribers, states in a compacted topic, at-least-once.

Quicker than the message by message of its first pages: batches, and all of a batch published without waiting for each,
then waited for together, before the batch is acknowledged.
"""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from typing import Any

from faststream import AckPolicy
from faststream.confluent import KafkaBroker, KafkaMessage

from bench.peers.path_core import Core, Out, ended_by_errors
from bench.suite.child import serve
from deptbus.record import Record

BATCH_MAX = 500


class Stream:
    """A broker in a loop of its own thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def start(self, servers: str, prefix: str, **core: Any) -> None:
        """Subscribe and start."""
        self._core, self._prefix = Core(**core), prefix
        self._broker = broker = KafkaBroker(
            servers, config={"compression.type": "lz4", "message.max.bytes": 6_000_000}, logger=None,
            acks="all", enable_idempotence=True, linger_ms=5,
        )  # fmt: skip
        common: dict[str, Any] = {
            "group_id": f"{prefix}path", "auto_offset_reset": "earliest", "batch": True, "max_records": BATCH_MAX,
            "ack_policy": AckPolicy.ACK, "decoder": _raw,
        }  # fmt: skip
        broker.subscriber(f"{prefix}health.cases", **common)(self._correlate)
        broker.subscriber(f"{prefix}workflow.journal", **common)(self._advance)
        asyncio.run_coroutine_threadsafe(broker.start(), self._loop).result(30)

    def stop(self) -> None:
        """End the subscribers."""
        asyncio.run_coroutine_threadsafe(self._broker.stop(), self._loop).result(30)

    def cpu_s(self) -> float:
        """The CPU time of this process so far, in seconds."""
        return time.process_time()

    async def _correlate(self, message: KafkaMessage) -> None:
        with ended_by_errors():
            outs: list[tuple[Out, int | None]] = []
            for raw in message.raw_message:
                record = Record(
                    "health.cases",
                    raw.partition(),
                    raw.offset(),
                    raw.timestamp()[1],
                    raw.key(),
                    raw.value(),
                    raw.headers(),
                )  # fmt: skip
                outs += [(out, None) for out in self._core.correlate(record)]
            await self._publish(outs)

    async def _advance(self, message: KafkaMessage) -> None:
        with ended_by_errors():
            entries: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
            for raw in message.raw_message:
                entries[raw.partition()].append((raw.offset(), raw.value()))
            outs: list[tuple[Out, int | None]] = []
            for partition, read in entries.items():
                outs += [(self._core.written(output), partition) for output in self._core.advance(partition, read)]
            await self._publish(outs)

    async def _publish(self, outs: list[tuple[Out, int | None]]) -> None:
        sent = [
            await self._broker.publish(
                out.value, self._prefix + out.topic, key=out.key, partition=partition, no_confirm=True,
                headers={name: value.decode() for name, value in out.headers},
            )
            for out, partition in outs
        ]  # fmt: skip
        await asyncio.gather(*sent)


async def _raw(message: KafkaMessage) -> Any:
    """Handlers read the raw messages; nothing is to be parsed."""
    return []


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    stream = Stream()
    serve({"start": stream.start, "stop": stream.stop, "cpu_s": stream.cpu_s})
