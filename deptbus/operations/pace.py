"""How quickly something is done: at most so many in a second."""

import time
from collections.abc import Callable


class Pace:
    """Call ``wait`` before each. ``per_s`` is how many in a second, 0 for no bound; time comes in as functions.

    What is due within ``together_s`` seconds goes at once: whoever takes it in can do so together.
    """

    def __init__(
        self,
        per_s: float,
        together_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._every_s = 1 / per_s if per_s else 0.0
        self._together_s = together_s
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    def wait(self) -> bool:
        """Wait until it is time for the next one; whether that took any."""
        if not self._every_s:
            return False
        now = self._clock()
        waits = self._next > now + self._together_s
        if waits:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._every_s
        return waits
