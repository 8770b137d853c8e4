"""Both sides of ``departments``: a process of so many departments, each with a topic and a handler."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.cases import TOPIC, TYPE, cases
from bench.suite.child import serve
from deptbus import bus, garbage, logs
from deptbus.bootstrap import limits
from deptbus.bus import Bus
from deptbus.catalogue import Catalogue, Grant, load_catalogue
from deptbus.clock import system_clock
from deptbus.codec import Codec
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.transport import KafkaTransport
from deptbus.record import Event
from deptbus.schemas.codecs import codec_schema
from deptbus.settings import Settings

BURST = 100
"""Events that a department publishes one after another."""


class Ours:
    """The process."""

    def open(self, number: int) -> None:
        """Make the departments, their topics and their event types."""
        garbage.look_seldom()
        self.settings = Settings.load()
        logs.configure(self.settings)
        self.names = [f"d{index:04d}" for index in range(number)]
        self._declare(load_catalogue(self.settings.root, system_clock()))
        Admin(client_configuration(self.settings)).create_namespace_topics(
            self.settings.world, [self.catalogue.topic(f"{name}.cases") for name in self.names], 1
        )
        self.transport = KafkaTransport(self.settings)
        self.sender = self.transport.sender()

    def _declare(self, known: Catalogue) -> None:
        topics = dict(known.topics)
        schemas = [codec_schema(file.type, file.version, index, file.schema)
                   for index, file in enumerate(known.schemas.all(), 1)]  # fmt: skip
        for index, name in enumerate(self.names):
            grant = Grant(self.names[index - 1], "measuring", "none")
            topics[f"{name}.cases"] = replace(
                known.topic(TOPIC), name=f"{name}.cases", owner=name, partitions=1,
                event_types=(f"{name}.CaseReported",), grants=(grant,),
            )  # fmt: skip
            schema = {**known.schemas.newest(TYPE).schema, "namespace": name}
            schemas.append(codec_schema(f"{name}.CaseReported", 1, 10_000 + index, schema))
        self.codec = Codec(schemas)
        of = {kind: topic for topic in topics.values() for kind in topic.event_types}
        self.catalogue = Catalogue(known.departments, topics, known.schemas, (), of)

    def _buses(self) -> list[Bus]:
        return [
            Bus(name, self.catalogue, self.codec, self.transport, namespace=self.settings.world,
                limits=limits(self.settings), sender=self.sender)
            for name in self.names
        ]  # fmt: skip

    def publish(self, count: int) -> float:
        """Seconds to publish so many events, ``BURST`` in turn from every department, and have them acknowledged."""
        buses = [(one, f"{one.owner}.CaseReported") for one in self._buses()]
        given = cases(count)
        began = time.perf_counter()
        pending = []
        for index, (data, subject) in enumerate(given):
            one, kind = buses[index // BURST % len(buses)]
            pending.append(one.publish_soon(kind, data, subject=subject))
        self.sender.flush()
        for answer in pending:
            answer.check()
        return time.perf_counter() - began

    def handle(self, count: int) -> dict[str, Any]:
        """Seconds from the first event handled to the last; what is wrong, if each has not got its neighbour's."""
        buses = self._buses()
        got: list[tuple[str, str, str]] = []
        times: list[float] = []
        for index, one in enumerate(buses):
            self._register(one, self.names[(index + 1) % len(self.names)], got, times, count)
        asyncio.run(bus.serve(buses, "departments"))
        each = Counter((reader, kind) for reader, kind, _ in got)
        wanted = Counter(
            (self.names[index - 1], f"{self.names[index]}.CaseReported")
            for index in (number // BURST % len(self.names) for number in range(count))
        )
        wrong = "" if each == wanted and len({case for *_, case in got}) == count else f"{len(got)} handled"
        return {"seconds": times[-1] - times[0], "wrong": wrong}

    @staticmethod
    def _register(one: Bus, neighbour: str, got: list[tuple[str, str, str]], times: list[float], count: int) -> None:
        owner = one.owner

        @one.subscribe(f"{neighbour}.CaseReported")
        def take(event: Event) -> None:
            got.append((owner, event.envelope.type, event.data["case"]))
            if len(got) in (1, count):
                times.append(time.perf_counter())
                if len(got) == count:
                    one.stop()

    def size(self) -> dict[str, Any]:
        """Threads and resident memory of this process."""
        status = dict(
            line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
        )
        return {"threads": int(status["Threads"]), "megabytes": int(status["VmRSS"].split()[0]) / 1024}


if __name__ == "__main__":
    ours = Ours()
    serve({"open": ours.open, "publish": ours.publish, "handle": ours.handle, "size": ours.size})
