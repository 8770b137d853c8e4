"""What stands around the work of a process so that it can be observed: its server, its pulse, whether it is ready.

with observing(settings, "advance-0", ready=...) as observed:
    ...
    observed.beat()      # now and then, from the loop that must not stand still
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version

import structlog

from deptbus.health import STALE_S
from deptbus.kafka.reach import Reach
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Measure
from deptbus.observe.server import Answer, Server, told
from deptbus.settings import Settings

Problems = Callable[[], Iterable[str]]
"""Why a process is not ready, a sentence each; none when it is."""

_log = structlog.get_logger("deptbus.observe")


class Observed:
    """How a process is, as far as it says so itself."""

    def __init__(self, settings: Settings, worker: str, ready: Problems) -> None:
        self.url: str | None = None
        """Where it answers, if it does."""
        self._settings = settings
        self._worker = worker
        self._unready = ready
        self._reach = Reach(settings)
        self._beat = time.monotonic()

    def beat(self) -> None:
        """The loop turns."""
        self._beat = time.monotonic()

    def live(self) -> list[str]:
        """Why it is not alive."""
        silent_s = time.monotonic() - self._beat
        return [] if silent_s < STALE_S else [f"{self._worker} has stood still for {silent_s:.0f} s"]

    def ready(self) -> list[str]:
        """Why nothing can be expected of it now."""
        problems = [*self.live(), *self._unready()]
        if (away := self._reach.away()) is not None:
            problems.append(away)
        return problems

    def measures(self) -> Iterator[Measure]:
        """What is known of the process as such."""
        yield Measure(names.WORKER, (self._worker, self._settings.namespace, _version()), 1)
        yield Measure(names.READY, (), not self.ready())

    def close(self) -> None:
        """Let go of the broker."""
        self._reach.close()


@contextmanager
def observing(settings: Settings, worker: str, ready: Problems = tuple) -> Iterator[Observed]:
    """Serve metrics and health of this process where a port is set; ``SettingsError`` where it cannot be had.

    ``worker`` names the process: ``advance-0``. ``ready`` is asked from other threads.
    """
    observed = Observed(settings, worker, ready)
    if settings.metrics_port is None:
        yield observed
        return
    from deptbus.observe.exposing import Exposed  # noqa: PLC0415  # only who serves metrics needs Prometheus's library

    exposed = Exposed(PROCESS)

    def metrics(accept: str) -> Answer:
        body, content_type = exposed.text(accept)
        return HTTPStatus.OK, content_type, body

    server = Server(
        settings.metrics_host,
        settings.metrics_port,
        {
            "/metrics": metrics,
            "/health/live": lambda _: told(observed.live(), worker=worker),
            "/health/ready": lambda _: told(observed.ready(), worker=worker),
        },
    )
    observed.url = server.url
    forget = PROCESS.ask(observed.measures)
    _log.info("observed", worker=worker, url=server.url)
    try:
        yield observed
    finally:
        server.close()
        forget()
        observed.close()


@cache
def _version() -> str:
    try:
        return version("deptbus")
    except PackageNotFoundError:  # run from its folder, as in a container
        return ""
