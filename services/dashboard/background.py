"""The dashboard as a process that outlives the command that started it, one for each run directory."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from deptbus.errors import StackError
from deptbus.settings import Settings, process_environment
from deptbus.stack.process import DetachedProcess
from deptbus.stack.tail import last_lines

_POLL_S = 0.1
_LINES = 20
_PUBLIC = "/api/session"
"""What answers without sign-on."""


def start(settings: Settings, report: Callable[[str], None] = lambda text: None) -> str:
    """Have it run in the world of the settings, and answer its address; ``StackError`` with what it said last.

    One that runs already is left alone where it serves this world, and replaced where it serves another.
    """
    process, url = _process(settings), address(settings)
    if process.pid() is not None and _world(url) == settings.namespace:
        return url
    process.stop(settings.stop_timeout_s)
    report("starting the dashboard")
    arguments = ["-m", "services.dashboard.cli", "serve"]
    environment = process_environment({**settings.environment(), "PYTHONPATH": str(settings.root.absolute())})
    process.start(Path(sys.executable), arguments, settings.dashboard_port, environment)
    limit = time.monotonic() + settings.start_timeout_s
    while _world(url) != settings.namespace:
        if process.pid() is None or time.monotonic() > limit:
            said = "\n".join(last_lines(process.log_path, _LINES))
            process.stop(settings.stop_timeout_s)
            raise StackError(f"The dashboard does not answer at {url}; it said last:\n{said}")
        time.sleep(_POLL_S)
    return url


def stop(settings: Settings) -> bool:
    """Have it end; whether it ran."""
    process = _process(settings)
    ran = process.pid() is not None
    process.stop(settings.stop_timeout_s)
    return ran


def address(settings: Settings) -> str:
    """Where it answers on this machine."""
    host = settings.dashboard_host
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{settings.dashboard_port}"


def _process(settings: Settings) -> DetachedProcess:
    return DetachedProcess("dashboard", settings.run_path, "-X")


def _world(url: str) -> str | None:
    """The namespace that whoever answers there serves; None where nobody does."""
    try:
        return str(httpx.get(url + _PUBLIC, timeout=2).json()["world"]["namespace"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
