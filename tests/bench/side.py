"""A side of a measurement that does what a test asks for."""

import os
import signal
from typing import Any

from bench.suite.child import serve


def echo(**what: Any) -> dict[str, Any]:
    """Answer the request, after printing what must not become an answer."""
    print("not an answer")  # noqa: T201  # as a library might
    return what


def fail() -> None:
    """Raise."""
    raise ValueError("that was too much")


def die() -> None:
    """End at once."""
    os._exit(7)


if __name__ == "__main__":
    serve({"echo": echo, "fail": fail, "die": die, "pause": signal.pause})
