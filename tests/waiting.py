"""Waiting for a condition with a limit; no test sleeps for a fixed time."""

import time
from collections.abc import Callable

_POLL_S = 0.02


def wait_until(condition: Callable[[], object], what: str, limit_s: float = 30) -> None:
    """Return when ``condition`` holds; fail with ``what`` after ``limit_s``."""
    limit = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"waited {limit_s:g} s in vain for {what}")
        time.sleep(_POLL_S)
