"""Waiting in tests: for a condition, with a limit; never for a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deptbus.bus import Bus

_LOOK_S = 0.005


def wait_until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Return as soon as ``condition`` holds; ``AssertionError`` after ``limit_s`` seconds."""
    limit = time.monotonic() + limit_s
    tick = threading.Event()
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"what was waited for did not happen within {limit_s:.0f} s")
        tick.wait(_LOOK_S)


@contextmanager
def running(bus: Bus, limit_s: float = 30.0) -> Iterator[None]:
    """Run a bus in a thread for the body of a ``with``; then stop it. What ended it is raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            bus.run()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="bus", daemon=True)
    thread.start()
    try:
        yield
    finally:
        bus.stop()
        thread.join(limit_s)
    if thread.is_alive():
        raise AssertionError(f"the bus did not stop within {limit_s:.0f} s")
    if errors:
        raise errors[0]


def run_until(bus: Bus, condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Run a bus until ``condition`` holds, or it ends by itself; what ended it is raised."""
    with running(bus, limit_s):
        wait_until(lambda: condition() or bus.has_ended, limit_s)
