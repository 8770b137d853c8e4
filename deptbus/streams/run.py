"""Starts the workers: wires one up and serves it."""

import gc
import logging
import sys

import structlog

from deptbus import failpoint
from deptbus.clock import system_clock
from deptbus.health import health_path, write_health
from deptbus.settings import Settings
from deptbus.streams.advance import Advance
from deptbus.streams.app import serve
from deptbus.streams.correlate import Correlate, PackReader
from deptbus.streams.wiring import Wiring

_CHATTY = ("aiokafka", "deptbus.streams", "faust", "httpx", "mode")
"""The standard library's loggers that tell more than a worker's log should hold. Faust names its services' after
the modules of their classes, ours among them; what we say ourselves goes through structlog."""

REPEAT_S = 10.0
"""A line of a library that says the same as one before it is left out for so long, in seconds."""
SWITCH_S = 0.000_5
"""How soon a busy thread lets another run, in seconds: Python's 5 ms would be most of a hop's latency."""

GARBAGE_AFTER = (50_000, 20, 100)
"""When Python looks for garbage. States are very many dictionaries that stay: by default a seventh of a tick with
100,000 deadlines goes into looking at them again and again."""

_log = structlog.get_logger("deptbus.streams.run")


class _Unrepeated(logging.Filter):
    """aiokafka says many times a second that the broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line says something new."""
        key = (record.name, str(record.msg))
        if record.created - self._said.get(key, 0.0) < REPEAT_S:
            return False
        self._said[key] = record.created
        return True


def run_correlate(settings: Settings, slot: int) -> None:
    """Serve as ``correlate-<slot>`` until SIGTERM; waits for a first pack."""
    _prepare(settings)
    wiring = Wiring(settings, "correlate", slot)
    packs = PackReader(wiring)
    packs.catch_up()
    if not packs.shelf.packs:
        _log.info("no_packs", worker=wiring.worker, hint="activate one with `deptbus workflows activate`")
    while not packs.shelf.packs:
        write_health(health_path(settings, wiring.worker), "waiting", system_clock(), {})
        packs.wait()
    serve(settings, settings.world.physical("correlate"), wiring.worker, Correlate(wiring, packs))


def run_advance(settings: Settings, slot: int) -> None:
    """Serve as ``advance-<slot>`` until SIGTERM."""
    _prepare(settings)
    wiring = Wiring(settings, "advance", slot)
    serve(settings, settings.world.physical("advance"), wiring.worker, Advance(wiring))


def _prepare(settings: Settings) -> None:
    failpoint.arm(settings.failpoint)
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*GARBAGE_AFTER)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    unrepeated = _Unrepeated()
    for handler in logging.getLogger().handlers:
        handler.addFilter(unrepeated)
