"""The engine in memory behind a real broker: reads what departments publish, writes what workers would write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from deptbus.envelope import Envelope, from_headers, to_headers
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import BEGINNING, Tail
from deptbus.partitioning import partition_of
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from tests.streams.world import World as Broker
from tests.waiting import wait_until
from tests.workflow.world import World


@dataclass
class Engine:
    """Plays correlate and advance for one pack. ``broker`` has topics and schemas; call ``close``."""

    broker: Broker
    pack: Pack
    world: World = field(init=False)
    _written: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.pack)
        settings = self.broker.settings
        topics = {self.broker.catalogue.topic_of(kind).name for kind in self.pack.event_types}
        self._tail = Tail(
            reader_configuration(settings), {settings.world.physical(topic): BEGINNING for topic in topics}
        )
        self.write()

    def write(self) -> None:
        """Put what the world has put out since on its topics; what keys tell each other it hears itself."""
        while self._written < len(self.world.outputs):
            output = self.world.outputs[self._written]
            self._written += 1
            if output.elsewhere:
                self.world.append(output.data["entry"])
            else:
                self._put(output)
        self.broker.sender.flush()

    def pump(self, timeout_s: float = 0.2) -> int:
        """Apply what departments have published meanwhile; answers how many events that were."""
        records = self._tail.poll(timeout_s)
        for record in records:
            envelope = from_headers(record.headers)
            data = self.broker.codec.decode(record.value, envelope.type)
            entries = self.world.entries(
                envelope.type, data, at=envelope.time_ms, id=envelope.id, region=envelope.region,
                subject=envelope.subject, cause=envelope.causationid, instance=envelope.correlationid,
                actor=envelope.actor,
            )  # fmt: skip
            for entry in entries:
                entry["event"]["legalbasis"] = envelope.legalbasis
            self.world.append(*entries)
        self.write()
        return len(records)

    def settle(self) -> None:
        """Apply at least one event."""
        wait_until(lambda: self.pump() > 0, "a department to publish")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Apply events as they come, beside what the test does."""
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                self.pump()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def close(self) -> None:
        """Let go of the broker."""
        self._tail.close()

    def _put(self, output: Output) -> None:
        envelope = Envelope(
            id=output.id, type=output.type, source="/bus/advance", time_ms=output.time_ms, subject=output.subject,
            correlationid=output.correlationid, causationid=output.causationid, legalbasis=output.legalbasis,
            mode="exercise", region=output.region,
        )  # fmt: skip
        name = output.key.rpartition("/")[0] if output.type != "workflow.KeyChanged" else output.key
        partition = 0 if output.key.startswith("@") else partition_of(name.encode(), 4)
        value = self.broker.codec.encode(output.type, output.data)
        self.broker.sender.send(output.topic, output.key.encode(), value, to_headers(envelope), output.id, partition)


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its JSON."""
        return orjson.loads(self.out)
