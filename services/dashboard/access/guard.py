"""The guard before the dashboard: every request passes it, and nothing of the bus is answered to whom it may not be.

``open_access`` makes it from the settings; what stands behind it reads ``request.state.person``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deptbus.clock import Clock, system_clock
from deptbus.errors import SettingsError
from deptbus.logs import logger
from deptbus.settings import Settings
from services.dashboard.access import sentences
from services.dashboard.access.attempts import Attempts
from services.dashboard.access.claims import ClaimNames
from services.dashboard.access.headers import add_headers
from services.dashboard.access.oidc import Provider
from services.dashboard.access.passwords import mark_of
from services.dashboard.access.people import LOCAL, ROLES, Person
from services.dashboard.access.place import Place, is_loopback, place_of
from services.dashboard.access.sentences import AccessRefused
from services.dashboard.access.sessions import Session, Sessions
from services.dashboard.access.signon import BACK, BEGIN, SESSION, Departments, SignOn, refusal
from services.dashboard.access.users import UserFile, users_path

OPEN = frozenset({SESSION, BEGIN, BACK, "/api/ready"})
"""What is answered to whoever is not signed on, besides the page itself, which holds no data."""
TOKEN_HEADER = "x-csrf-token"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What proxies add."""
_log = logger("services.dashboard.access.guard")

Who = Callable[[Session | None], Person | None]
"""Who has a session, as the users and the provider are now."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the server needs: its routes, and the middleware that has to be the outermost of its own."""

    required: bool
    """Whether people sign on; else whoever works on this machine has every role."""
    routes: list[Route]
    middleware: Middleware


class Guard:
    """See the module; plain ASGI. ``scope["state"]`` gets ``person`` and ``session``, either of which may be None."""

    def __init__(self, app: ASGIApp, place: Place, sessions: Sessions, who: Who, *, required: bool) -> None:
        self._app = app
        self._place = place
        self._sessions = sessions
        self._who = who
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "websocket":  # there are none here
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, secure=self._place.secure, api=_is_api(scope))
        try:
            answer.still = self._admit(scope)
            await self._app(scope, receive, answer.send)
        except _Over:
            pass
        except AccessRefused as refused:
            if answer.started:
                raise
            await refusal(refused)(scope, receive, answer.send)

    def _admit(self, scope: Scope) -> Callable[[], bool]:
        """Let a request in, with its person; what is given back tells whether they are still the same."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._place.answers_to(host):
            raise AccessRefused(421, sentences.WRONG_HOST)
        if not self._required and not _direct(scope, headers):
            raise AccessRefused(403, sentences.NOT_LOCAL)
        session = self._sessions.read(Request(scope).cookies)
        person = self._person(session)
        if session is not None and session.way != "none" and person is None:
            session = None
        reads = scope["method"] in _SAFE
        if self._is_foreign_act(headers, host) if not reads else _is_api(scope) and _is_foreign_read(headers):
            _log.warning("a request from another site is refused", origin=headers.get("origin"))
            raise AccessRefused(403, sentences.FOREIGN)
        if person is None and _is_api(scope) and _path(scope) not in OPEN:
            raise AccessRefused(401, sentences.SIGN_ON)
        token = headers.get(TOKEN_HEADER, "")
        if not reads and (session is None or not self._sessions.accepts(session, token)):
            raise AccessRefused(403, sentences.STALE)
        scope.setdefault("state", {}).update(person=person, session=session)
        return lambda: self._person(session) == person

    def _person(self, session: Session | None) -> Person | None:
        if session is not None and session.way != "none" and not self._sessions.holds(session):
            return None
        return self._who(session)

    def _is_foreign_act(self, headers: Headers, host: str) -> bool:
        """Whether another site makes a browser send this; the token is the second guard against it."""
        origin = headers.get("origin")
        if origin is not None and not self._place.owns(origin, host):
            return True
        return headers.get("sec-fetch-site", "same-origin") != "same-origin"


def open_access(settings: Settings, departments: Departments | None = None, clock: Clock = system_clock) -> Access:
    """Everything about access, by the settings. ``departments``: their titles by id, which the page is told.

    ``SettingsError`` where others than this machine would reach a dashboard on which nobody has to sign on, where
    nobody could, or where a part of it is set up wrongly.
    """
    place = place_of(settings.dashboard_host, settings.dashboard_url)
    users = _users(settings)
    provider = _provider(settings, place, clock)
    if users is None and provider is None and place.beyond:
        where = place.url or f"{place.host}:{settings.dashboard_port}"
        raise SettingsError(
            f"Others than this machine reach the dashboard at {where}, and nobody has to sign on. Add a user with "
            "`deptbus-dashboard users add NAME --role viewer --department ID`, or set BUS_OIDC_ISSUER and "
            "BUS_OIDC_CLIENT_ID; or serve this machine alone, with BUS_DASHBOARD_HOST=127.0.0.1 and no "
            "BUS_DASHBOARD_URL."
        )
    if place.beyond and not place.secure:
        _log.warning("passwords and sessions travel in clear; end TLS before the dashboard and set BUS_DASHBOARD_URL")
    sessions = Sessions(
        settings.run_path / "dashboard", settings.world, settings.dashboard_session_h * 3_600_000,
        secure=place.secure, clock=clock,
    )  # fmt: skip
    required = users is not None or provider is not None
    local = None if required else replace(LOCAL, name=settings.operator)

    def who(session: Session | None) -> Person | None:
        return _person(session, users, provider) if local is None else local

    signon = SignOn(place, settings.world, sessions, users, provider, Attempts(clock), departments or {})
    return Access(
        required, signon.routes, Middleware(Guard, place=place, sessions=sessions, who=who, required=required)
    )


def signed_on(request: Request) -> Person:
    """Who makes a request to a route that the guard answers to nobody else."""
    person: Person | None = request.state.person
    if person is None:
        raise AccessRefused(401, sentences.SIGN_ON)
    return person


def _users(settings: Settings) -> UserFile | None:
    path = users_path(settings)
    if not path.exists():
        if settings.dashboard_users is None:
            return None
        raise SettingsError(
            f"BUS_DASHBOARD_USERS names {path}, which is not there: add a user with `deptbus-dashboard users add`."
        )
    users = UserFile(path)
    if not users.users() and settings.oidc_issuer is None:
        raise SettingsError(
            f"Nobody could sign on: {path} names no user. Add one with `deptbus-dashboard users add NAME --role viewer "
            "--department ID`, or remove the file."
        )
    return users


def _provider(settings: Settings, place: Place, clock: Clock) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None:
        raise SettingsError("BUS_OIDC_ISSUER is set and BUS_OIDC_CLIENT_ID is not: it is the name registered there.")
    if place.url is None and not place.loopback:
        raise SettingsError(
            "BUS_DASHBOARD_URL is not set: the identity provider sends people back to it, as https://command.example."
        )
    secret = settings.oidc_client_secret
    names = ClaimNames(settings.oidc_name_claim, settings.oidc_roles_claim, settings.oidc_departments_claim)
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        None if secret is None else secret.get_secret_value(),
        names,
        clock=clock,
    )


def _person(session: Session | None, users: UserFile | None, provider: Provider | None) -> Person | None:
    """Who has a session: a user as the file has them now, or as the provider told when they signed on."""
    if session is None:
        return None
    if session.way == "password" and users is not None:
        user = users.user(session.name)
        return user.person(session.name) if user is not None and mark_of(user.password) == session.mark else None
    if session.way == "oidc" and provider is not None and provider.mark == session.mark:
        roles = frozenset(role for role in ROLES if role in session.roles)
        return Person(session.name, roles, None if session.departments is None else frozenset(session.departments))
    return None


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _is_api(scope: Scope) -> bool:
    return "/api/" in f"{scope['path']}/"  # wherever a proxy puts it: rather too much than too little


def _is_foreign_read(headers: Headers) -> bool:
    """Whether another site's page, and not its person by a link, wants to read."""
    site = headers.get("sec-fetch-site", "none")
    return site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"


def _direct(scope: Scope, headers: Headers) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it."""
    client = scope.get("client")
    return client is not None and is_loopback(client[0]) and not any(name in headers for name in _FORWARDED)


class _Over(Exception):
    """The session of an open stream is over."""


class _Answer:
    """Passes an answer on with the headers; a stream ends when its person is not the same any more."""

    def __init__(self, send: Send, *, secure: bool, api: bool) -> None:
        self._send = send
        self._secure = secure
        self._api = api
        self._streams = False
        self.started = False
        self.still: Callable[[], bool] = lambda: True

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            add_headers(headers, secure=self._secure, api=self._api)
            self._streams = headers.get("content-type", "").startswith("text/event-stream")
        elif self._streams and not self.still():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            raise _Over
        await self._send(message)
