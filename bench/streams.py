"""How quick correlate and advance are, on the broker and registry that the settings name.

    python bench/streams.py [--entries 50000] [--events 300]

Makes a namespace of its own and drops it. Prints what advance does in a second, and how long one event takes from
its publishing to its journal entry, and one tick to its report.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

from deptbus.envelope import Envelope
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.workflow.correlate import Correlator
from tests.streams.world import CASES, World, counting
from tests.waiting import wait_until
from tests.workflow.world import START

HOUR = 3_600_000
LIMIT_S = 120


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=50_000)
    arguments.add_argument("--events", type=int, default=300)
    given = arguments.parse_args()
    settings = Settings.load(namespace=f"bench-{uuid4().hex[:6]}", log_level="warning")
    world = World(settings)
    workers: dict[str, subprocess.Popen[bytes]] = {}
    try:
        world.activate(counting())
        for role in ("correlate", "advance"):
            workers[role] = _start(settings, role)
        tail = Tail(reader_configuration(settings), {settings.world.physical("bus.progress"): END})
        world.publish(["440100"])
        world.wait_for_entries(1)
        world.tick(0)
        world.wait_for_step(0)
        hops(world, given.events)
        ticks(world, tail)
        throughput(world, given.entries, workers)
        for role, process in workers.items():
            _say(f"{role}: {_cpu_s(process):.1f} s of CPU time in all")
    finally:
        for process in workers.values():
            process.terminate()
            process.wait(20)
        world.close()
        world.admin.delete_namespace(settings.world)


def _start(settings: Settings, role: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **settings.environment()}
    return subprocess.Popen([sys.executable, "-m", "deptbus", "run", role], env=environment)


def _cpu_s(process: "subprocess.Popen[bytes]") -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _spread(name: str, times: list[float]) -> None:
    times.sort()
    middle, high, last = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.9, 0.99))
    _say(f"{name}: median {middle:.1f} ms, 90 % {high:.1f} ms, 99 % {last:.1f} ms ({len(times)} times)")


def _wait(tail: Tail, what: str) -> None:
    wait_until(lambda: tail.poll(1), what, LIMIT_S)


def hops(world: World, count: int) -> None:
    """From handing an event to the producer until its journal entry is read back: one event at a time."""
    settings = world.settings
    journal = Tail(reader_configuration(settings), {settings.world.physical("workflow.journal"): END})
    times = []
    publisher = world.publisher("health")
    for _ in range(count):
        began = time.perf_counter()
        publisher.send(publisher.prepare(CASES, sample_of("440100"), subject="440100", region="440100", time_ms=START))
        world.sender.flush()
        _wait(journal, "an entry")
        times.append(time.perf_counter() - began)
    _spread("event published, correlated, journal entry read", times)
    journal.close()


def ticks(world: World, tail: Tail) -> None:
    """From handing the ticks of a step to the producer until every partition has reported it."""
    partitions = world.catalogue.topic("workflow.journal").partitions
    for busy, name in ((False, "an empty step"), (True, "a step with one event")):
        journal = Tail(reader_configuration(world.settings), {world.settings.world.physical("workflow.journal"): END})
        times = []
        for count in range(100):
            step = 10 + count + 1_000 * busy
            if busy:
                world.publish(["440100"], time_ms=START + step * HOUR)
                _wait(journal, "its entry")
            began = time.perf_counter()
            world.tick(step)
            reported: set[str] = set()
            while len(reported) < partitions:
                for record in tail.poll(1):
                    data = world.codec.decode(record.value)
                    if data["role"] == "advance" and data["step"] == step:
                        reported |= set(data["positions"])
            times.append(time.perf_counter() - began)
        journal.close()
        _spread(f"tick of {name}, to the last report of {partitions}", times)


def throughput(world: World, count: int, workers: dict[str, "subprocess.Popen[bytes]"]) -> None:
    """Many entries appended to the journal directly; then one tick that applies them all."""
    publisher = world.publisher("workflow")
    pack = counting()
    correlator = Correlator([pack])
    for number in range(count):
        region = f"44{number % 1000:04}"
        data = sample_of(region)
        envelope = Envelope(id=f"e{number}", type=CASES, source="/departments/health", time_ms=START, region=region)
        value = world.codec.encode(CASES, data)
        record = Record("health.cases", 0, number, START, None, value, [])
        for appended in correlator.entries(envelope, data, record, START + 5_000 * HOUR):
            ready = publisher.prepare(
                "workflow.EntryAppended", {"entry": appended.entry}, subject=appended.key or "", key=appended.key
            )
            world.sender.send(ready.topic, ready.key, ready.value, ready.headers, ready.id)
    world.sender.flush()
    before = _cpu_s(workers["advance"])
    began = time.perf_counter()
    world.tick(6_000)
    world.wait_for_step(6_000)
    took, cpu = time.perf_counter() - began, _cpu_s(workers["advance"]) - before
    _say(f"advance: {count} held entries applied at one tick in {took:.1f} s ({count / took:.0f}/s; CPU {cpu:.1f} s)")


def sample_of(region: str) -> dict[str, object]:
    """Data of one event."""
    return {
        "region": region, "province": "440000", "city": "x", "count": 1, "total": 1, "date": "2020-01-20",
        "source_reference": "bench:1",
    }  # fmt: skip


if __name__ == "__main__":
    main()
