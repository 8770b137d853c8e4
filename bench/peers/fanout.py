"""The fan-out that one writes by hand with Starlette: a queue for each client, one encoding for all, nothing else.

Nobody is let go, nobody comes back, everybody sees everything.
"""

import asyncio
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bench.suite.child import serve
from bench.suite.fanning import Fanning

queues: set["asyncio.Queue[bytes]"] = set()


async def stream(request: Request) -> StreamingResponse:
    """One client."""
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)

    async def events() -> AsyncIterator[bytes]:
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


def publish(number: int, change: str) -> None:
    """Encode once, and have it sent to everybody."""
    data = f"id: {number}\nevent: incident\ndata: {change}\n\n".encode()
    for queue in queues:
        queue.put_nowait(data)


if __name__ == "__main__":
    app = Starlette(routes=[Route("/stream", stream)])
    fanning = Fanning(uvicorn.Config(app, log_config=None, access_log=False, ws="none"), publish)
    serve({"start": fanning.start, "publish": fanning.publish, "memory": fanning.memory, "last": lambda: fanning.last})
