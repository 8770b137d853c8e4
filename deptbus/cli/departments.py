"""``deptbus run departments``: every department's service, in one process."""

import asyncio
import importlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deptbus.clock import system_clock
from deptbus.health import WRITE_S, health_path, write_health

if TYPE_CHECKING:
    from deptbus.bus import Bus
    from deptbus.observe.process import Observed

WORKER = "departments"
"""The name under which it tells its health, and its consumer group."""


def departments() -> None:
    """Run the handlers of every department (services/<id>/handlers.py) until a signal or the first error."""
    from deptbus import bootstrap, garbage
    from deptbus.catalogue import load_catalogue
    from deptbus.kafka.transport import KafkaTransport
    from deptbus.observe.process import observing
    from deptbus.settings import Settings

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    catalogue = load_catalogue(settings.root, system_clock())
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry)
    garbage.look_seldom()
    transport = KafkaTransport(settings)
    sender = transport.sender()
    buses = []
    for department in find_services(settings.root, sorted(catalogue.departments)):
        bus = bootstrap.connect(
            settings, department, catalogue=catalogue, codec=codec, transport=transport, sender=sender
        )
        importlib.import_module(f"services.{department}.handlers").register(bus)
        buses.append(bus)
    try:
        with observing(settings, WORKER, lambda: [why for bus in buses for why in bus.unready()]) as observed:
            asyncio.run(serve_all(buses, health_path(settings, WORKER), observed))
    finally:
        sender.close()


def find_services(root: Path, departments: list[str]) -> list[str]:
    """The departments that have handlers; the services below ``root`` can be imported from then on."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return [department for department in departments if (root / "services" / department / "handlers.py").exists()]


async def serve_all(buses: "list[Bus]", health: Path, observed: "Observed") -> None:
    """Run all until a signal, or the first error, which is raised. ``health`` tells that the process lives."""
    from deptbus.bus import serve

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, buses[0].stop)
    pulse = loop.create_task(_pulse(len(buses), health, observed))
    try:
        await serve(buses, WORKER)
    finally:
        pulse.cancel()


async def _pulse(services: int, health: Path, observed: "Observed") -> None:
    while True:
        observed.beat()
        write_health(health, "working", system_clock(), {"services": services}, observed.url)
        await asyncio.sleep(WRITE_S)
