"""Starts the workers: wires their processors up and serves them."""

import logging
import sys
import threading
from collections.abc import Callable
from functools import partial

import structlog

from deptbus import bootstrap, failpoint, garbage
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.settings import Settings
from deptbus.streams.advance import Advance
from deptbus.streams.app import Processor
from deptbus.streams.correlate import Correlate, PackReader
from deptbus.streams.process import Member, serve
from deptbus.streams.wiring import Wiring

_CHATTY = ("deptbus.streams", "faust", "httpx", "mode")
"""The standard library's loggers that tell more than a worker's log should hold. Faust names its services' after
the modules of their classes, ours among them; what we say ourselves goes through structlog."""

SWITCH_S = 0.000_5
"""How soon a busy thread lets another run, in seconds: Python's 5 ms would be most of a hop's latency."""

_log = structlog.get_logger("deptbus.streams.run")


def run(settings: Settings, role: str, slot: int) -> None:
    """Serve in a slot until SIGTERM. ``role``: ``correlate``, ``advance``, or ``workflow``, which is both."""
    _prepare(settings)
    catalogue = load_catalogue(settings.root, system_clock())
    codec = bootstrap.load_codec(settings, catalogue, bootstrap.open_registry(settings))
    roles = ("correlate", "advance") if role == "workflow" else (role,)
    members = []
    for each in roles:
        wiring = Wiring(settings, each, slot, catalogue, codec)
        make = partial(_MAKERS[each], wiring)
        members.append(Member(settings.world.physical(each), wiring.worker, make))
    serve(settings, f"{role}-{slot}", members)


def _correlate(wiring: Wiring, ending: threading.Event) -> Correlate | None:
    """Waits for a first pack."""
    packs = PackReader(wiring)
    packs.catch_up()
    if not packs.shelf.packs:
        _log.info("no_packs", worker=wiring.worker, hint="activate one with `deptbus workflows activate`")
    while not packs.shelf.packs:
        if ending.is_set():
            return None
        packs.wait()
    return Correlate(wiring, packs)


def _advance(wiring: Wiring, _: threading.Event) -> Advance:
    return Advance(wiring)


_MAKERS: dict[str, Callable[[Wiring, threading.Event], Processor | None]] = {
    "correlate": _correlate,
    "advance": _advance,
}


def _prepare(settings: Settings) -> None:
    failpoint.arm(settings.failpoint)
    sys.setswitchinterval(SWITCH_S)
    garbage.look_seldom()
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
