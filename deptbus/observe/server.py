"""The HTTP server of a process: ``/metrics``, ``/health/live`` and ``/health/ready``; nothing else, and no input."""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from deptbus.errors import SettingsError

REQUEST_S = 5.0
"""How long a client may take to say what it wants, in seconds."""

Answer = tuple[HTTPStatus, str, bytes]
"""Status, content type and body."""
Path = Callable[[str], Answer]
"""What is answered at a path; given the request's header ``Accept``."""


class Server:
    """Answers in threads of its own until it is closed. ``port`` 0 takes any that is free.

    Raises ``SettingsError`` where the port cannot be had.
    """

    def __init__(self, host: str, port: int, paths: dict[str, Path]) -> None:
        handler = type("Handler", (_Handler,), {"paths": paths})
        kind = type("HTTP", (_HTTP,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
        try:
            self._http = kind((host, port), handler)
        except OSError as error:
            raise SettingsError(
                f"BUS_METRICS_PORT: {host}:{port} cannot be listened on ({error.strerror or error}). Each process on a "
                "machine needs a port of its own; 0 takes any that is free."
            ) from None
        self.port: int = self._http.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        threading.Thread(target=self._http.serve_forever, args=(0.5,), name="metrics", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._http.shutdown()
        self._http.server_close()


def told(problems: Iterable[str], **more: Any) -> Answer:
    """The answer of a health check: 200 where there is no problem, else 503, with the problems as JSON."""
    problems = list(problems)
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    body = {"ok": not problems, "problems": problems, **more}
    return status, "application/json", json.dumps(body, ensure_ascii=False).encode() + b"\n"


class _HTTP(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no matter of ours."""


class _Handler(BaseHTTPRequestHandler):
    paths: ClassVar[dict[str, Path]]
    timeout = REQUEST_S
    server_version, sys_version = "deptbus", ""

    def do_GET(self) -> None:  # http.server's name
        """Answer a known path."""
        self._answer(body_too=True)

    def do_HEAD(self) -> None:  # http.server's name
        """As GET, without the body."""
        self._answer(body_too=False)

    def _answer(self, *, body_too: bool) -> None:
        path = self.paths.get(self.path.partition("?")[0])
        if path is None:
            known = ", ".join(self.paths)
            status, kind, body = HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", f"There is {known}.\n".encode()
        else:
            status, kind, body = path(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body_too:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """A line for every scrape would be most of the log."""
