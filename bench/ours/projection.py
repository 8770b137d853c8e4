"""Our side of ``projection``: the dashboard's database filled from the topics."""

import time
from contextlib import closing
from typing import Any

from bench.suite.child import serve
from deptbus import garbage
from deptbus.settings import Settings
from services.dashboard.look import Look
from services.dashboard.projection.following import Follower
from services.dashboard.projection.store import Store


def fill(namespace: str, url: str) -> dict[str, Any]:
    """Fill a database."""
    store = Store(url)
    with closing(store), closing(Look(Settings.load(namespace=namespace), store)) as look:
        began = time.perf_counter()
        standing = Follower(look).fill()
        return {"seconds": time.perf_counter() - began, "read": standing.read, "kept": store.count()}


if __name__ == "__main__":
    garbage.look_seldom()  # as the dashboard does
    serve({"fill": fill})
