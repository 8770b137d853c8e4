"""The session's own routes: who is signed on, signing on with a password or at the provider, and signing out."""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deptbus.logs import logger
from deptbus.namespace import Namespace
from services.dashboard.access import sentences
from services.dashboard.access.attempts import Attempts
from services.dashboard.access.claims import person_of
from services.dashboard.access.oidc import PENDING_MS, Pending, Provider
from services.dashboard.access.passwords import LENGTH_MAX, is_right, mark_of
from services.dashboard.access.people import ROLES, Person
from services.dashboard.access.place import Place, local_path
from services.dashboard.access.sentences import AccessRefused
from services.dashboard.access.sessions import Session, Sessions
from services.dashboard.access.users import NAME_MAX, UserFile, same_name

SESSION = "/api/session"
BEGIN = "/api/session/oidc"
BACK = "/api/session/oidc/back"
"""Where the provider sends browsers; it has to be registered there, after the dashboard's address."""

BODY_BYTES_MAX = 8_192
JUDGED_MAX = 2
"""Passwords judged at once: each takes 64 MiB."""
WAITING_MAX = 32
"""Sign-ons that wait for that at most."""

Departments = Mapping[str, Mapping[str, str]]
"""Titles by id."""

_log = logger("services.dashboard.access.signon")


class SignOn:
    """See the module. ``users`` or ``provider`` is None where that way is not set up; with neither nobody signs on."""

    def __init__(
        self, place: Place, world: Namespace, sessions: Sessions, users: UserFile | None, provider: Provider | None,
        attempts: Attempts, departments: Departments,
    ) -> None:  # fmt: skip
        self._place = place
        self._world = world
        self._sessions = sessions
        self._users = users
        self._provider = provider
        self._attempts = attempts
        self._departments = departments
        self._judging = asyncio.Semaphore(JUDGED_MAX)
        self._waiting = 0
        self.ways = [way for way, there in (("password", users), ("oidc", provider)) if there is not None]
        self.routes = [
            Route(SESSION, self.show, methods=["GET"]),
            Route(SESSION, self.sign_on, methods=["POST"]),
            Route(SESSION, self.sign_out, methods=["DELETE"]),
            Route(BEGIN, self.begin, methods=["GET"]),
            Route(BACK, self.back, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Who is signed on, how one signs on, and the token that every act carries."""
        session: Session | None = request.state.session
        person: Person | None = request.state.person
        fresh = None
        if session is None:
            session = fresh = self._sessions.begin()
        answer = JSONResponse(
            {
                "person": None if person is None else _told(person),
                "required": bool(self.ways),
                "ways": self.ways,
                "csrf": self._sessions.token(session),
                "world": {"namespace": self._world.name, "mode": self._world.mode},
                "departments": {one: dict(titles) for one, titles in self._departments.items()},
                "version": _version(),
            }
        )
        if fresh is not None:
            self._set(answer, fresh)
        return answer

    async def sign_on(self, request: Request) -> Response:
        """Sign on with name and password."""
        if self._users is None:
            raise AccessRefused(404, sentences.NO_PASSWORDS)
        name, password = await _name_and_password(request)
        address = self._address(request)
        wait_ms = self._attempts.take(name, address)
        if wait_ms:
            _log.warning("too many attempts to sign on", name=name, address=address)
            raise AccessRefused(429, sentences.SLOWER, math.ceil(wait_ms / 1000))
        user = self._users.user(name)
        kept = None if user is None else user.password
        if not await self._judge(kept, password) or user is None:
            _log.warning("a sign-on failed", name=name, address=address)
            raise AccessRefused(401, sentences.WRONG)
        self._attempts.succeeded(name, address)
        session = replace(self._sessions.begin(), way="password", name=name, mark=mark_of(user.password))
        answer = Response(status_code=204)
        await self._signed_on(request, answer, session, address)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, in this browser and for whoever has a copy of its cookie."""
        session: Session | None = request.state.session
        if session is not None:
            await run_in_threadpool(self._sessions.end, session)
            _log.info("signed out", name=session.name)
        answer = Response(status_code=204)
        self._drop(answer, self._sessions.cookie)
        return answer

    async def begin(self, request: Request) -> Response:
        """Go to the provider; ``next`` is the page that is shown in the end."""
        then = local_path(request.query_params.get("next", "/"))
        if then is None:
            return _page(AccessRefused(400, sentences.ELSEWHERE))
        if self._provider is None:
            return _page(AccessRefused(404, sentences.NO_PROVIDER))
        try:
            url, pending = await self._provider.begin(self._place.origin(request.headers.get("host", "")) + BACK, then)
        except AccessRefused as refused:
            return _page(refused)
        answer = RedirectResponse(url, status_code=302)
        self._set_cookie(
            answer, self._sessions.pending_cookie, self._sessions.write_pending(asdict(pending)), PENDING_MS // 1000
        )
        return answer

    async def back(self, request: Request) -> Response:
        """Come back from the provider. What began the sign-on is used up, whatever comes of it."""
        try:
            answer = await self._finish(request)
        except AccessRefused as refused:
            answer = _page(refused)
        self._drop(answer, self._sessions.pending_cookie)
        return answer

    async def _finish(self, request: Request) -> Response:
        if self._provider is None:
            raise AccessRefused(404, sentences.NO_PROVIDER)
        held = self._sessions.read_pending(request.cookies)
        if held is None:
            raise AccessRefused(400, sentences.AGAIN)
        try:
            pending = Pending(**held)
        except TypeError:  # signed by another version
            raise AccessRefused(400, sentences.AGAIN) from None
        claims = await self._provider.finish(pending, request.query_params)
        person = person_of(claims, self._provider.names)
        session = replace(
            self._sessions.begin(),
            way="oidc",
            name=person.name,
            mark=self._provider.mark,
            roles=tuple(sorted(person.roles)),
            departments=None if person.departments is None else tuple(sorted(person.departments)),
        )
        answer = RedirectResponse(pending.then, status_code=303)
        await self._signed_on(request, answer, session, self._address(request), str(claims["sub"]))
        return answer

    def _address(self, request: Request) -> str:
        """Where somebody comes from: behind a proxy on this machine, what the proxy says of it.

        Only the last of ``X-Forwarded-For`` is the proxy's own word; what stands before it may be anybody's.
        """
        said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if said and self._place.loopback and self._place.url is not None:
            return said
        return request.client.host if request.client else ""

    async def _judge(self, kept: str | None, password: str) -> bool:
        if self._waiting >= WAITING_MAX:
            raise AccessRefused(503, sentences.BUSY, 2)
        self._waiting += 1
        try:
            async with self._judging:
                return await run_in_threadpool(is_right, kept, password)
        finally:
            self._waiting -= 1

    async def _signed_on(
        self, request: Request, answer: Response, session: Session, address: str, subject: str | None = None
    ) -> None:
        try:
            self._set(answer, session)
        except ValueError:
            raise AccessRefused(403, sentences.TOO_MANY) from None
        before: Session | None = request.state.session
        if before is not None:
            await run_in_threadpool(self._sessions.end, before)
        _log.info("signed on", name=session.name, way=session.way, subject=subject, address=address)

    def _set(self, answer: Response, session: Session) -> None:
        # A session in which nobody is signed on holds as long as the browser is open: it grants nothing.
        length_s = None if session.way == "none" else self._sessions.length_ms // 1000
        self._set_cookie(answer, self._sessions.cookie, self._sessions.write(session), length_s)

    def _set_cookie(self, answer: Response, name: str, value: str, length_s: int | None) -> None:
        answer.set_cookie(
            name, value, max_age=length_s, path="/", secure=self._sessions.secure, httponly=True, samesite="lax"
        )

    def _drop(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, path="/", secure=self._sessions.secure, httponly=True, samesite="lax")


def _told(person: Person) -> dict[str, Any]:
    """A person as the page learns of them, with every role that theirs include."""
    return {
        "name": person.name,
        "roles": [role for role in ROLES if person.has(role)],
        "departments": None if person.departments is None else sorted(person.departments),
    }


async def _name_and_password(request: Request) -> tuple[str, str]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise AccessRefused(413, sentences.MALFORMED)
    try:
        value = json.loads(bytes(body))
        name, password = same_name(value["name"]), str(value["password"])
        (name + password).encode()  # JSON can hold halves of characters
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise AccessRefused(400, sentences.MALFORMED) from None
    if not name or len(name) > NAME_MAX or len(password) > LENGTH_MAX:
        raise AccessRefused(400, sentences.MALFORMED)
    return name, password


def _page(refused: AccessRefused) -> HTMLResponse:
    """A refusal to a browser that was on its way to a page: constant text, and a link back."""
    return HTMLResponse(_PAGE.format(zh=refused.sentence.zh, en=refused.sentence.en), refused.status)


_PAGE = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>登录 Sign on</title>
<main><p>{zh}</p><p lang="en">{en}</p><p><a href="/">返回 Back</a></p></main></html>
"""


def refusal(refused: AccessRefused) -> JSONResponse:
    """A refusal as the API answers it."""
    headers = {} if refused.wait_s is None else {"Retry-After": str(refused.wait_s)}
    return JSONResponse(refused.sentence.to_json(), refused.status, headers)


@cache
def _version() -> str:
    try:
        return version("deptbus")
    except PackageNotFoundError:  # run from its folder, as in a container
        return ""
