"""What Ctrl-C and SIGTERM do to a command that has something to bring to an end first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupted() -> Iterator[Callable[[], bool]]:
    """Tells whether Ctrl-C or SIGTERM has come: what is under way is finished first. A second Ctrl-C ends at once."""
    came: list[int] = []

    def note(number: int, _: object) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM is a ``KeyboardInterrupt`` meanwhile: whatever is to be left tidy is. Another one waits until it is."""

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
