"""Measures the bus on the broker of the settings: publish, consume and one hop, with values of about 300 bytes.

    BUS_NAMESPACE=bench python bench/bus.py [EVENTS]

Needs registered schemas and applied topics in that namespace (`deptbus schemas register`, `deptbus topics apply`).
"""

import sys
import time

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import SettingsError
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail, read_topic
from deptbus.record import Event
from deptbus.settings import Settings

TYPE, TOPIC = "health.CaseReported", "health.cases"
DATA = {"case": "R-1", "region": "440100", "disease": "x" * 120, "facility": "y" * 150, "reported_at": 0}


def publish(bus: Bus, count: int) -> float:
    """Seconds to publish and have acknowledged."""
    began = time.perf_counter()
    pending = [bus.publish_soon(TYPE, DATA, subject=f"{number % 500}") for number in range(count)]
    bus.flush()
    took = time.perf_counter() - began
    for one in pending:
        one.result().require()
    return took


def consume(bus: Bus, count: int) -> float:
    """Seconds from the first to the last event in a handler that does nothing."""
    times: list[float] = []

    @bus.subscribe(TYPE)
    def take(event: Event) -> None:
        times.append(time.perf_counter())
        if len(times) == count:
            bus.stop()

    bus.run()
    return times[-1] - times[0]


def hops(bus: Bus, settings: Settings, count: int) -> list[float]:
    """Milliseconds from publish to ``Tail.poll``, sorted."""
    tail = Tail(reader_configuration(settings), {settings.world.physical(TOPIC): END})
    found = []
    for number in range(count):
        began = time.perf_counter()
        bus.publish_soon(TYPE, DATA, subject=f"{number}")
        while not tail.poll(1):
            pass
        found.append((time.perf_counter() - began) * 1000)
    tail.close()
    return sorted(found)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    settings = Settings.load()
    if not settings.namespace:
        raise SettingsError("The benchmark is not for actual life; set BUS_NAMESPACE.")
    catalogue = load_catalogue(settings.root, system_clock())
    group = f"bench.{system_clock()}"
    health = bootstrap.connect(settings, "health", catalogue=catalogue, group=group)
    lines = [f"publish   {count / publish(health, count):>10,.0f} events/s"]
    times = hops(health, settings, 500)
    lines.append(f"one hop   {times[250]:>10.2f} ms median, {times[475]:.2f} ms for 95 of 100")
    began = time.perf_counter()
    total = sum(1 for _ in read_topic(reader_configuration(settings), settings.world.physical(TOPIC)))
    lines.append(f"read raw  {total / (time.perf_counter() - began):>10,.0f} records/s")
    lines.append(f"consume   {count / consume(health, count):>10,.0f} events/s")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
