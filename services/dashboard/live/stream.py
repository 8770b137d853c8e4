"""The answer that does not end: server-sent events to one page, over plain ASGI.

Everything that waits goes out in one piece. A page that takes nothing more is let go by the hub, and its connection is
cut rather than closed: closing waits for what is still to be sent. The hub's time, told every few seconds, keeps silent
connections open.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from services.dashboard.live.hub import Client, Hub

RETRY_MS = 1_000
"""How soon a page comes back."""
CUT = "deptbus.cut"
"""The name under which the server's protocol gives a request what cuts its connection."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Stream:
    """See the module: an ASGI application for one request."""

    def __init__(self, hub: Hub, client: Client) -> None:
        self._hub = hub
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the page is closed or the hub lets it go."""
        client, sending = self._client, asyncio.current_task()
        assert sending is not None
        cut: Callable[[], object] = scope.get("extensions", {}).get(CUT, lambda: None)
        watching = asyncio.ensure_future(_closed(receive))
        watching.add_done_callback(lambda _: client.end())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send(_part(b"retry: %d\n\n" % RETRY_MS))
            client.stop = cut
            while not client.gone:
                data = await client.take()
                if not client.gone:
                    await send(_part(data))
            client.stop = lambda: None
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hub.leave(client)
            watching.cancel()


async def _closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}
