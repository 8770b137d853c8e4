"""A webhook's receiver on this machine: keeps what it gets, answers what it is told to."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Answer:
    """What the receiver says to one call."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless_s: float | None = None
    """If it never ends: how long it pauses after each piece."""


@dataclass(frozen=True)
class Call:
    """One call that was received."""

    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> Any:
        return orjson.loads(self.body)


class Receiver:
    """Answers with ``answers`` one after the other, then always with ``otherwise``."""

    def __init__(self, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.answers: list[Answer] = []
        self.otherwise = Answer()
        self.gone = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.calls.append(Call(headers, body, time.monotonic()))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.otherwise
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.endless_s is None:
                    self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                while answer.endless_s is not None and not receiver.gone.wait(answer.endless_s):
                    self.wfile.write(b"." * 1_000)
                    self.wfile.flush()

            def handle(self) -> None:
                try:
                    super().handle()
                except (BrokenPipeError, ConnectionResetError):
                    return  # whoever called has heard enough

            def log_message(self, *_: object) -> None:
                """The test speaks."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [call.id for call in self.calls]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver for as long as the context lasts."""
    receiver = Receiver(port)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gone.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
