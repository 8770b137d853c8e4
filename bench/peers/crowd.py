"""Very many pages that follow live: plain sockets that read server-sent events and say what they got, and how late.

A change says its number and when it was to be published. Pages of three kinds: those that read, those that stall, and
those that leave after a moment and come back with the id of the last event.
"""

import asyncio
import random
import re
import threading
import time
from typing import Any

from hdrh.histogram import HdrHistogram

from bench.suite.child import serve

_CHANGE = re.compile(rb'id: (\S+)\nevent: \w+\ndata: \{"n":(\d+),"t":(\d+)')
_RESET = b"event: reset\n"
_AT_ONCE = 50
"""Connections made at once: more would be refused."""
_FLAP_S = (0.3, 2.0)
_POLL_S = 0.02


class Page(asyncio.Protocol):
    """One page."""

    def __init__(self, crowd: "Crowd", kind: str) -> None:
        self.crowd, self.kind = crowd, kind
        self.seen = crowd.after
        """The number of the last change."""
        self.last_id = b""
        self.gaps = 0
        self.resets = 0
        self.opened: asyncio.Future[None] = crowd.loop.create_future()
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    async def open(self) -> None:
        """Connect, and wait for the beginning of the answer."""
        self._rest = b""
        self.opened = self.crowd.loop.create_future()
        await self.crowd.loop.create_connection(lambda: self, "127.0.0.1", self.crowd.port)
        await self.opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        after = b"Last-Event-ID: %s\r\n" % self.last_id if self.last_id else b""
        transport.write(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n" % (self.crowd.path, after))

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            if not data.startswith(b"HTTP/1.1 200"):
                self.opened.set_exception(RuntimeError(data[:300].decode("latin-1")))
                return
            self.opened.set_result(None)
            if self.kind == "stalled" and self._transport is not None:
                self._transport.pause_reading()
        now, data = time.time_ns(), self._rest + data
        end = data.rfind(b"\n\n") + 2
        whole, self._rest = data[:end], data[end:]
        for name, number, meant in _CHANGE.findall(whole):
            self.gaps += int(number) != self.seen + 1
            self.seen, self.last_id = int(number), name
            if self.kind == "reading":
                self.crowd.late.record_value(max(1, (now - int(meant)) // 1000))
        self.resets += whole.count(_RESET)

    def connection_lost(self, error: Exception | None) -> None:
        if self.kind != "stalled" and not self.crowd.ending:
            self.crowd.loop.create_task(self._again())

    async def _again(self) -> None:
        try:
            await self.open()
        except OSError:
            if not self.crowd.ending:
                self.crowd.loop.create_task(self._again())

    def leave(self) -> None:
        """Go away without a word."""
        if self._transport is not None:
            self._transport.abort()


class Crowd:
    """See the module."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.pages: list[Page] = []
        self.ending = False
        self.port, self.path, self.after = 0, b"", 0
        self.late = HdrHistogram(1, 600_000_000, 3)
        """Microseconds between when a change was meant to be published and when a page had it."""

    def connect(self, port: int, path: str, after: int, reading: int, stalled: int = 0, flapping: int = 0) -> int:
        """Open so many pages, to which comes what is published after the change ``after``; answers when all are."""
        self.port, self.path, self.after, self.ending = port, path.encode(), after, False
        kinds = ["reading"] * reading + ["stalled"] * stalled + ["flapping"] * flapping
        asyncio.run_coroutine_threadsafe(self._connect(kinds), self.loop).result()
        return len(self.pages)

    def settle(self, last: int, limit_s: float) -> dict[str, Any]:
        """Wait until every page that reads or comes back has seen the change ``last``; what came of it all."""
        moving = [page for page in self.pages if page.kind != "stalled"]
        limit = time.monotonic() + limit_s
        while any(page.seen < last for page in moving) and time.monotonic() < limit:
            time.sleep(_POLL_S)
        late = self.late
        return {
            "missed": sum(page.seen < last or page.gaps > 0 for page in moving),
            "resets": sum(page.resets for page in moving),
            "p50_ms": late.get_value_at_percentile(50) / 1000,
            "p99_ms": late.get_value_at_percentile(99) / 1000,
            "max_ms": late.get_max_value() / 1000,
            "count": late.get_total_count(),
        }

    def disconnect(self) -> None:
        """Close all pages, and forget them."""
        self.ending = True
        asyncio.run_coroutine_threadsafe(self._leave(), self.loop).result()
        self.late.reset()

    async def _connect(self, kinds: list[str]) -> None:
        for start in range(0, len(kinds), _AT_ONCE):
            pages = [Page(self, kind) for kind in kinds[start : start + _AT_ONCE]]
            await asyncio.gather(*(page.open() for page in pages))
            self.pages += pages
        for page in self.pages:
            if page.kind == "flapping":
                self.loop.create_task(self._flap(page))

    async def _flap(self, page: Page) -> None:
        while not self.ending:
            await asyncio.sleep(random.uniform(*_FLAP_S))
            page.leave()

    async def _leave(self) -> None:
        for page in self.pages:
            page.leave()
        self.pages.clear()
        await asyncio.sleep(0.2)  # the server hears of it


if __name__ == "__main__":
    crowd = Crowd()
    serve({"connect": crowd.connect, "settle": crowd.settle, "disconnect": crowd.disconnect})
