"""Records between an agent and the batches that are made of them. Used from the loop's thread alone."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Intake(Generic[Item]):
    """A bounded queue that is filled and emptied by many at once. ``size_max``: from then on it takes nothing."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._cleared = 0
        """How often."""

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, items: Iterable[Item]) -> None:
        """Add some at once, as soon as there is room for one; nothing where it was cleared while there was none."""
        cleared = self._cleared
        while len(self._items) >= self._size_max:
            self._room.clear()
            await self._room.wait()
            if self._cleared != cleared:
                return
        self._items.extend(items)
        self._filled.set()

    def put_first(self, items: Iterable[Item]) -> None:
        """Give back what was taken, to be taken before all else; there is always room for it."""
        self._items.extendleft(reversed(list(items)))
        self._filled.set()

    async def filled(self) -> None:
        """Wait until something is there."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()

    def take(self, count_max: int) -> list[Item]:
        """What is there, at most ``count_max``."""
        taken = [self._items.popleft() for _ in range(min(count_max, len(self._items)))]
        self._room.set()
        return taken

    def clear(self) -> None:
        """Drop what is there, and what waits for room."""
        self._cleared += 1
        self._items.clear()
        self._room.set()
