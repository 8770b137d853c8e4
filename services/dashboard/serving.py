"""Wires the dashboard up and serves it: one process with a follower, a sampler, a hub and a web server."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deptbus import garbage
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import SettingsError
from deptbus.observe.process import Observed, observing
from deptbus.settings import Settings
from services.dashboard.access.guard import open_access
from services.dashboard.live.hub import Hub
from services.dashboard.live.stream import CUT
from services.dashboard.look import Look
from services.dashboard.projection.following import Follower
from services.dashboard.projection.store import Store
from services.dashboard.projection.taking import Change
from services.dashboard.views.sampling import EVERY_S, Sampler
from services.dashboard.web.acts import Desk
from services.dashboard.web.app import Pages, make_app

NAME = "dashboard"
BEAT_S = 0.5
_END_S = 5

_log = structlog.get_logger("services.dashboard.serving")


def database_url(settings: Settings) -> str:
    """Where the projection is kept."""
    if settings.dashboard_database:
        return settings.dashboard_database
    folder = settings.run_path / "dashboard"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{folder / (settings.namespace or 'actual')}.db"


@contextlib.contextmanager
def looking(settings: Settings, catalogue: Catalogue | None = None) -> Iterator[Look]:
    """The database and what reads it."""
    store = Store(database_url(settings))
    try:
        look = Look(settings, store, catalogue=catalogue)
        with contextlib.closing(look):
            yield look
    finally:
        store.close()


def serve(settings: Settings, told: Callable[[str], None]) -> None:
    """Serve until a signal. ``told`` gets the address once it answers. ``SettingsError`` where it may not."""
    _on_signals(lambda: sys.exit(0))
    garbage.look_seldom()
    catalogue = load_catalogue(settings.root, system_clock())
    titles = {department.id: dict(department.titles) for department in catalogue.departments.values()}
    access = open_access(settings, titles)
    listening = _listen(settings)
    host, port = listening.getsockname()[:2]
    url = settings.dashboard_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with looking(settings, catalogue) as look, contextlib.closing(Desk(look)) as desk:
        hub = Hub(settings.dashboard_clients_max)
        loop = asyncio.new_event_loop()

        def changed(changes: list[Change] | None) -> None:
            loop.call_soon_threadsafe(_tell, hub, changes)

        follower = Follower(look, changed)
        sampler = Sampler(look)
        app = make_app(Pages(look, follower, hub, desk, sampler), access)
        server = uvicorn.Server(server_configuration(app))
        with observing(settings, NAME, lambda: _unready(follower)) as observed, _sampling(sampler):
            follower.start()
            # uvicorn takes signals itself, and once it has ended by one raises it again
            _on_signals(lambda: setattr(server, "should_exit", True))
            try:
                asyncio.set_event_loop(loop)
                loop.run_until_complete(_run(server, hub, listening, follower, observed, lambda: told(url)))
            finally:
                follower.close()
                loop.close()
    if follower.failed is not None:
        raise follower.failed


async def _run(
    server: uvicorn.Server,
    hub: Hub,
    listening: socket.socket,
    follower: Follower,
    observed: Observed,
    told: Callable[[], None],
) -> None:
    serving = asyncio.ensure_future(server.serve([listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)  # the server has nothing to wait for
    if server.started:
        told()
    while not serving.done():
        observed.beat()
        if follower.failed is not None:
            server.should_exit = True
        if server.should_exit:
            hub.close()  # what pages follow never ends by itself
        await asyncio.wait([serving], timeout=BEAT_S)
    await serving


def _on_signals(do: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: do())


def _tell(hub: Hub, changes: list[Change] | None) -> None:
    if changes is None:
        hub.reset()
    else:
        hub.publish((change.kind, change.departments, change.data) for change in changes)


def _unready(follower: Follower) -> list[str]:
    standing = follower.standing
    if standing.state == "following":
        return []
    if standing.state == "filling":
        return [f"the projection is being filled: {standing.read} of {standing.total} records"]
    return [standing.problem or "the bus is waited for"]


@contextlib.contextmanager
def _sampling(sampler: Sampler) -> Iterator[None]:
    """Take figures now and then, in a thread of its own."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(EVERY_S):
            try:
                sampler.sample()
            except Exception as error:
                _log.warning("no_figures", reason=str(error))

    thread = threading.Thread(target=run, name="sampling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_S)
        sampler.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.dashboard_host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.dashboard_host, settings.dashboard_port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"{settings.dashboard_host}:{settings.dashboard_port} is not to be had: {os.strerror(error.errno or 0)}. "
            "Choose another BUS_DASHBOARD_PORT (0 takes any free one) or BUS_DASHBOARD_HOST."
        ) from None
    listening.listen(1024)
    return listening


class _Protocol(HttpToolsProtocol):
    """Gives each request what cuts its connection: for pages that take nothing more."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # its extensions are whoever's
        scope.setdefault("extensions", {})[CUT] = self.transport.abort


def server_configuration(app: Any) -> uvicorn.Config:
    """How the web server is set up."""
    return uvicorn.Config(
        app, http=_Protocol, ws="none", log_config=None, access_log=False, server_header=False, date_header=False,
        timeout_graceful_shutdown=_END_S, proxy_headers=False,
    )  # fmt: skip
