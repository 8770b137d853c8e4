"""A thread that runs one errand after another, for what may be used from one thread alone."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Errands:
    """See the module. An errand may wait for the loop (``wait_for``); the thread runs others meanwhile."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Have something done when its turn comes; answers or raises as it does."""
        loop, future = self._loop, self._loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():  # nobody waits any more
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def errand() -> None:
            try:
                result, error = work(*arguments), None
            except BaseException as raised:
                result, error = None, raised
            loop.call_soon_threadsafe(settle, result, error)

        self._queue.put(errand)
        answer: T = await future
        return answer

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Inside an errand: have the loop do something, and run other errands until it is done."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        future.add_done_callback(lambda _: self._queue.put(None))
        self._serve()
        return future.result()

    def end(self) -> None:
        """Run what is waiting, and nothing more."""
        self._queue.put(None)

    def _serve(self) -> None:
        while (errand := self._queue.get()) is not None:
            errand()
