"""Who computes: one batch at a time in a process, however many partitions and processors there are.

Python runs one thread at a time. Batches that are worked on side by side take the interpreter from each other, are all
late, and stay small, which costs a commit and a snapshot for few entries; a batch that waits for its turn grows.
Waiting for the broker is not computing: a turn ends before it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Share:
    """One's turn."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = lock
        self._lasts = True

    def over(self) -> None:
        """Let others compute; called from any thread, and more than once."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._lasts:
            self._lasts = False
            self._lock.release()


class Turns:
    """Turns are had in the order in which they are asked for."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @property
    def taken(self) -> bool:
        """Whether somebody computes."""
        return self._lock.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Share]:
        """Wait for one's turn; it is over when the context is left, if not before."""
        await self._lock.acquire()
        share = Share(self._lock)
        try:
            yield share
        finally:
            share.over()
