"""A world on a real broker for tests of the workers: a small workflow, worker processes, and what they left."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.envelope import from_headers
from deptbus.ids import derived_id, random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.kafka.producer import KafkaSender
from deptbus.packs import Packs
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.schemas.registration import register_schemas
from deptbus.settings import Settings
from deptbus.workflow.correlate import tick
from deptbus.workflow.pack import Pack
from tests.waiting import wait_until
from tests.workflow.world import START, pack_of, sample

CASES = "health.CasesConfirmed"
LIMIT_S = 90
REGIONS = [f"44{number:04}" for number in range(40)]


def counting(version: int = 1, more_rules: Iterable[dict[str, Any]] = (), acknowledge_by: str = "30m") -> Pack:
    """Counts cases by region, and asks a hospital to look when a region is new."""
    titles = {"zh": "计数", "en": "Counting"}
    return pack_of(
        {
            "workflow": "counting", "version": version, "kind": "case", "titles": titles, "basis": "a law",
            "facts": {"cases": {"type": "int", "initial": 0}},
            "rules": [
                {
                    "rule": "counted", "on": CASES, "key": "event.region", "opens": True, "window": "30d",
                    "set": {"cases": "facts.cases + event.count"}, "basis": "a law",
                },
                *more_rules,
            ],
            "escalate": [{"at": "acknowledge_by", "to": "chief"}],
            "steps": [
                {
                    "step": "look", "titles": titles, "on": ["opened"], "role": "clerk", "basis": "a law",
                    "acknowledge_by": acknowledge_by, "complete_by": "4h",
                }
            ],
            "closes": "facts.cases < 0",
            "responsibilities": [
                {"role": "clerk", "department": "hospitals", "unit": titles, "basis": "a law"},
                {"role": "chief", "department": "government", "unit": titles, "basis": "a law"},
            ],
        }
    )  # fmt: skip


@dataclass
class Workers:
    """Worker processes of one world. Whatever happens, ``end`` leaves none."""

    settings: Settings
    environment: dict[str, str]
    directory: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str, slot: int = 0, failpoint: str | None = None) -> str:
        """Start a worker; answers its name."""
        name = f"{role}-{slot}"
        environment = self.environment | ({"BUS_FAILPOINT": failpoint} if failpoint else {})
        with (self.directory / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "deptbus", "run", role, "--worker", str(slot)],
                env=environment, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return name

    def log(self, name: str) -> str:
        """What a worker has written so far."""
        return (self.directory / f"{name}.log").read_text()

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self, name: str) -> int:
        """SIGTERM; answers the exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(20)

    def dies(self, name: str) -> int:
        """Wait until a worker ends by itself; answers its exit code."""
        process = self.running[name]
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{name} did not end by itself in {LIMIT_S} s\n{self.log(name)}")
        del self.running[name]
        return process.returncode

    def end(self) -> None:
        """Stop what still runs; what does not stop is killed."""
        for process in self.running.values():
            process.terminate()
        for name, process in list(self.running.items()):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill(name)
        self.running.clear()


class World:
    """Publishes into the namespace of ``settings`` and reads what came of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue = load_catalogue(settings.root, system_clock())
        with bootstrap.open_registry(settings) as registry:
            register_schemas(registry, self.catalogue.schemas, {})
            self.codec = bootstrap.load_codec(settings, self.catalogue, registry)
        self.admin = Admin(client_configuration(settings))
        self.admin.create_namespace_topics(settings.world, self.catalogue.topics.values())
        self.sender = KafkaSender(producer_configuration(settings), settings.world, 30)
        self.published = 0

    def activate(self, pack: Pack) -> None:
        """Bring a pack into force."""
        with Packs(self.settings, self.catalogue, self.codec) as packs:
            packs.activate(pack, START)

    def publisher(self, owner: str) -> Publisher:
        """Publishes as a department."""
        return Publisher(
            owner, self.catalogue, self.codec, self.sender,
            namespace=self.settings.world, clock=system_clock, ids=random_id, process="test",
        )  # fmt: skip

    def publish(self, regions: Iterable[str], count: int = 1, time_ms: int = START, **about: Any) -> None:
        """Publish confirmed cases, one event a region."""
        publisher = self.publisher("health")
        for region in regions:
            data = sample(CASES, region=region, count=count)
            publisher.send(publisher.prepare(CASES, data, subject=region, region=region, time_ms=time_ms, **about))
            self.published += 1
        self.sender.flush()

    def send_raw(self, topic: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        """Put any bytes on a topic."""
        self.sender.send(topic, b"poison", value, headers, "raw").result().require()

    def tick(self, step: int, at: int | None = None) -> None:
        """End an exercise step in every partition of the journal."""
        publisher = self.publisher("workflow")
        for partition in range(self.catalogue.topic("workflow.journal").partitions):
            ready = publisher.prepare(
                "workflow.EntryAppended", {"entry": tick(at or START + (step + 1) * 3_600_000, step)},
                subject="@tick", key="@tick", id=derived_id(f"step {step}", "test", "tick", "", partition),
            )  # fmt: skip
            self.sender.send(ready.topic, ready.key, ready.value, ready.headers, ready.id, partition)
        self.sender.flush()

    def read(self, topic: str) -> list[tuple[Record, str, dict[str, Any]]]:
        """Every committed event of a topic: record, type, data."""
        found = []
        for record in read_topic(reader_configuration(self.settings), self.settings.world.physical(topic)):
            event_type = from_headers(record.headers).type
            found.append((record, event_type, self.codec.decode(record.value, event_type)))
        return found

    def reports(self, role: str) -> list[dict[str, Any]]:
        """What workers of a role have reported."""
        return [data for _, _, data in self.read("bus.progress") if data["role"] == role]

    def wait_for_step(self, step: int) -> None:
        """Until every partition of the journal has applied a step."""
        partitions = self.catalogue.topic("workflow.journal").partitions

        def applied() -> bool:
            ready = {
                where for data in self.reports("advance") if (data["step"] or 0) >= step and data["step"] is not None
                for where in data["positions"]
            }  # fmt: skip
            return len(ready) == partitions

        wait_until(applied, f"step {step} to be applied", LIMIT_S)

    def wait_for_entries(self, count: int) -> None:
        """Until the journal holds entries of so many different events."""
        wait_until(lambda: len(self.journalled()) >= count, f"{count} journal entries", LIMIT_S)

    def journalled(self) -> Counter[str]:
        """How often each event is in the journal."""
        entries = (data["entry"] for _, _, data in self.read("workflow.journal"))
        return Counter(entry["event"]["id"] for entry in entries if entry["kind"] == "event")

    def wait_for_cases(self, count: int) -> None:
        """Until every region has exactly so many cases; readers see a commit a moment after it."""
        expected = dict.fromkeys(REGIONS, count)
        wait_until(lambda: self.cases() == expected, f"{count} cases in every region", 5)

    def cases(self) -> dict[str, int]:
        """Cases by region, from the newest snapshots."""
        return {
            data["key"]: data["facts"]["cases"]
            for _, event_type, data in self.read("workflow.instances")
            if event_type == "workflow.InstanceChanged"
        }

    def repeated(self, topic: str) -> list[str]:
        """Event ids that stand on a topic more than once."""
        ids = Counter(from_headers(record.headers).id for record, _, _ in self.read(topic))
        return [event_id for event_id, times in ids.items() if times > 1]

    def close(self) -> None:
        """Let go of the broker."""
        self.sender.close()


def environment(settings: Settings, given: dict[str, str], run_dir: Path) -> dict[str, str]:
    """What a worker process of this world needs."""
    return {
        **given,
        "BUS_NAMESPACE": settings.namespace,
        "BUS_RUN_DIR": str(run_dir),
        "BUS_LOG_LEVEL": "info",
        "PYTHONPATH": os.pathsep.join([str(settings.root), os.environ.get("PYTHONPATH", "")]),
    }
