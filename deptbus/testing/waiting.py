"""Waiting in tests: for a condition, with a limit; never for a time."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from deptbus.bus import Bus, serve

_LOOK_S = 0.005


def wait_until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Return as soon as ``condition`` holds; ``AssertionError`` after ``limit_s`` seconds."""
    limit = time.monotonic() + limit_s
    tick = threading.Event()
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"what was waited for did not happen within {limit_s:.0f} s")
        tick.wait(_LOOK_S)


def running(bus: Bus, limit_s: float = 30.0) -> AbstractContextManager[None]:
    """Run a bus in a thread for the body of a ``with``; then stop it. What ended it is raised."""
    return _thread(bus.run, bus.stop, limit_s)


def together(*buses: Bus, limit_s: float = 30.0) -> AbstractContextManager[None]:
    """As ``running``, for several buses that are served in one process, as one member of the group ``host``."""
    return _thread(lambda: asyncio.run(serve(buses, "host")), buses[0].stop, limit_s)


@contextmanager
def _thread(work: Callable[[], None], stop: Callable[[], None], limit_s: float) -> Iterator[None]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="bus", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(limit_s)
    if thread.is_alive():
        raise AssertionError(f"the bus did not stop within {limit_s:.0f} s")
    if errors:
        raise errors[0]


def run_until(bus: Bus, condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Run a bus until ``condition`` holds, or it ends by itself; what ended it is raised."""
    with running(bus, limit_s):
        wait_until(lambda: condition() or bus.has_ended, limit_s)
