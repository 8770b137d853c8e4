"""A web server with the guard before it and a little behind it, and a browser that comes to it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from deptbus.clock import Clock, system_clock
from deptbus.settings import Settings
from services.dashboard.access.guard import open_access, signed_on
from services.dashboard.access.passwords import hash_password
from services.dashboard.access.users import User, change_users, users_path
from tests.waiting import wait_until

PASSWORD = "correct horse battery"
TITLES = {"health": {"zh": "卫生健康委", "en": "Health Commission"}}


class Time:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.ms = system_clock()

    def __call__(self) -> int:
        return self.ms


def local_settings(folder: Path, **more: Any) -> Settings:
    """Settings of a dashboard whose files are below ``folder``."""
    return Settings.load(root=folder, run_dir=folder, operator="Zhang San", **more)


@cache
def _hashed(password: str) -> str:
    return hash_password(password)


def put_user(settings: Settings, name: str, *roles: str, departments: Any = "all", password: str = PASSWORD) -> None:
    """Write a user into the file, in the place of one of that name."""
    user = User.model_validate({"roles": roles, "departments": departments, "password": _hashed(password)})
    change_users(users_path(settings), lambda users: users.update({name: user}))


def drop_user(settings: Settings, name: str) -> None:
    """Take a user out of the file."""
    change_users(users_path(settings), lambda users: users.__delitem__(name))


async def _who(request: Request) -> Response:
    person = signed_on(request)
    departments = None if person.departments is None else sorted(person.departments)
    return JSONResponse({"name": person.name, "roles": sorted(person.roles), "departments": departments})


async def _act(request: Request) -> Response:
    return JSONResponse({"by": signed_on(request).name}, 202)


async def _stream(request: Request) -> Response:
    async def lines() -> Any:
        while True:
            yield b": still\n\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def _document(_: Request) -> Response:
    return PlainTextResponse("x", headers={"content-security-policy": "default-src 'none'"})


async def _page(_: Request) -> Response:
    return PlainTextResponse("page")


BEHIND = [
    Route("/api/who", _who),
    Route("/api/act", _act, methods=["POST", "PUT", "DELETE"]),
    Route("/api/stream", _stream),
    Route("/api/document", _document),
    Route("/", _page),
]


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of this machine; gives its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, "127.0.0.1", 0, log_config=None, proxy_headers=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def served(settings: Settings, clock: Clock = system_clock) -> Iterator[str]:
    """The guard and its routes as the settings say, with ``BEHIND`` behind; gives the address."""
    access = open_access(settings, TITLES, clock)
    with running(Starlette(routes=[*access.routes, *BEHIND], middleware=[access.middleware])) as url:
        yield url


class Browser:
    """Keeps cookies, and the token that the session gives."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=10)

    def session(self) -> dict[str, Any]:
        """What the page learns when it is opened."""
        return dict(self.http.get("/api/session").json())

    def act(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """An act as the page does it."""
        given = {"X-CSRF-Token": self.session()["csrf"]} | headers
        return self.http.request(method, path, json=body, headers=given)

    def sign_on(self, name: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
        """Sign on with a password."""
        return self.act("POST", "/api/session", {"name": name, "password": password}, **headers)

    def person(self) -> dict[str, Any] | None:
        """Who is signed on."""
        found: dict[str, Any] | None = self.session()["person"]
        return found

    def is_signed_on(self) -> bool:
        """Whether what lies behind the guard is answered."""
        return self.http.get("/api/who").status_code == httpx.codes.OK
