"""The dashboard's live stream as it is served: sign-on, filter, resume and eviction in their places."""

import orjson
from starlette.applications import Starlette

from bench.suite.child import serve
from bench.suite.fanning import Fanning
from deptbus.settings import Settings
from services.dashboard.access.guard import open_access
from services.dashboard.live.hub import Hub
from services.dashboard.serving import server_configuration
from services.dashboard.web.app import middleware, streaming

CONCERNED = frozenset(("cdc", "districts", "health", "hospitals", "police", "transport", "urban"))


def main() -> None:
    """Answer until standard input ends."""
    hub = Hub(clients_max=10_000)
    app = Starlette(routes=[streaming(hub)], middleware=middleware(open_access(Settings.load())))

    def publish(number: int, change: str) -> None:
        hub.publish([("incident", CONCERNED, orjson.Fragment(change))])

    fanning = Fanning(server_configuration(app), publish)
    serve(
        {
            "start": fanning.start, "publish": fanning.publish, "memory": fanning.memory,
            "last": lambda: fanning.last,
            "evicted": lambda: hub.evicted, "clients": lambda: len(hub),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
