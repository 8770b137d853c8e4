"""A web server in a thread that sends changes to all pages at a rate: what is the same for both sides."""

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

_TEXT = "突发公共卫生事件（传染病疫情）"
_LINE = {
    "instance": "epidemic/440100/1", "workflow": "epidemic", "kind": "incident",
    "titles": {"zh": _TEXT, "en": "Public-health emergency (epidemic)"}, "region": "440100", "level": "II",
    "status": "open", "opened_at": 1_579_449_600_000, "changed_at": 1_579_449_600_000,
    "departments": ["cdc", "districts", "health", "hospitals", "police", "transport", "urban"], "open": 4,
    "dues": [["health", 1_579_449_600_000], ["police", 1_579_449_600_000]], "paused": 0,
}  # fmt: skip
_REST = json.dumps(_LINE, ensure_ascii=False)[1:]


def change(number: int, meant_ns: int) -> str:
    """The JSON of a change of about half a kilobyte; its number and when it is meant to be published come first."""
    return f'{{"n":{number},"t":{meant_ns},{_REST}'


class Fanning:
    """Serves an application and publishes changes; ``publish`` is called in its loop with each change's JSON."""

    def __init__(self, configuration: uvicorn.Config, publish: Callable[[int, str], None]) -> None:
        self._publish = publish
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(configuration)
        self.last = 0
        """The number of the last change."""
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(2048)

    def start(self) -> int:
        """Begin; the port."""

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._server.serve([self._listening]))

        threading.Thread(target=run, daemon=True).start()
        while not self._server.started:
            time.sleep(0.01)
        return int(self._listening.getsockname()[1])

    def publish(self, rate: float, seconds: float) -> dict[str, Any]:
        """Publish at a rate for so long; the last number, and by how much the slowest came late itself."""
        return asyncio.run_coroutine_threadsafe(self._publishing(rate, seconds), self._loop).result()

    def memory(self) -> float:
        """Resident memory, in kilobytes."""
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024

    async def _publishing(self, rate: float, seconds: float) -> dict[str, Any]:
        began, late = time.time_ns(), 0
        for index in range(round(rate * seconds)):
            meant = began + round(index / rate * 1e9)
            if (wait := meant - time.time_ns()) > 0:
                await asyncio.sleep(wait / 1e9)
            else:
                await asyncio.sleep(0)
            late = max(late, time.time_ns() - meant)
            self.last += 1
            self._publish(self.last, change(self.last, meant))
        return {"last": self.last, "late_ms": late / 1e6}
