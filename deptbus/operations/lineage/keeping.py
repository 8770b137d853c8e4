"""``deptbus run lineage``: keeps the index current in the foreground, so that a trace need not read first."""

import signal
import threading
from collections.abc import Callable

from deptbus import garbage, logs
from deptbus.clock import system_clock
from deptbus.errors import BusError
from deptbus.health import health_path, write_health
from deptbus.observe.process import observing
from deptbus.operations.lineage.indexing import Indexer
from deptbus.settings import Settings

WORKER = "lineage"
LOOK_S = 1.0
"""How often it is asked whether there is more, in seconds."""


def keep_current(settings: Settings) -> None:
    """Go on until SIGTERM or SIGINT. A cluster that is away is waited for."""
    garbage.look_seldom()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log = logs.logger("deptbus.lineage").bind(worker=WORKER)
    indexer = Indexer(settings)
    path = health_path(settings, WORKER)
    counts = {"records": 0}
    log.info("running", index=str(indexer.path))
    with observing(settings, WORKER) as observed:
        while not stopping.is_set():
            observed.beat()
            read = _Read(observed.beat)
            try:
                state = "working" if indexer.update(read) else "waiting"  # for another process that writes it
                counts["records"] += read.total
            except BusError as error:
                state = "joining"
                log.error("not_current", error=str(error))
            write_health(path, state, system_clock(), counts, observed.url)
            stopping.wait(LOOK_S)
    log.info("stopped", **counts)


class _Read:
    """Counts what is read; ``beat`` says that it goes on, for a first reading takes long."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self.total = 0
        self._beat = beat

    def __call__(self, done: int, total: int) -> None:
        self.total = done
        self._beat()
