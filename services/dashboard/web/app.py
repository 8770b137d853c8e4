"""The routes: what a page asks for, and what it has done. Everything under ``/api`` is JSON or events."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from deptbus.desk.answering import DISPOSITIONS
from services.dashboard.access.guard import Access
from services.dashboard.access.people import Person
from services.dashboard.live.hub import Hub, HubFull
from services.dashboard.live.stream import Stream
from services.dashboard.look import Look
from services.dashboard.projection.following import Follower
from services.dashboard.views.afteraction import FORMS, Form, after_action
from services.dashboard.views.catalogue import catalogue, event_type
from services.dashboard.views.chapters import Lang
from services.dashboard.views.department import department
from services.dashboard.views.health import health
from services.dashboard.views.incident import incident
from services.dashboard.views.incidents import KINDS, STATUSES, incidents
from services.dashboard.views.lineage import lineage
from services.dashboard.views.map import incident_map
from services.dashboard.views.performance import performance
from services.dashboard.views.sampling import Sampler
from services.dashboard.web.acts import Desk
from services.dashboard.web.answers import Act, View, acting, json_response, moment, one_of, required, viewing, wanted

STATIC = Path(__file__).parent.parent / "static"
"""The built page."""
STREAM = "/api/stream"
TIME_S = 5.0
"""How often everybody is told what time it is."""
_GZIP_FROM = 4_096
_NOT_BUILT = "The page is not built: run `make page`. The answers under /api are there."


class Pages:
    """What the routes have at hand."""

    def __init__(self, look: Look, follower: Follower, hub: Hub, desk: Desk, sampler: Sampler) -> None:
        self.look, self.follower, self.hub = look, follower, hub
        self._desk, self._sampler = desk, sampler

    def routes(self) -> list[BaseRoute]:
        """All of ``/api`` but signing on."""
        look = self.look
        views: Mapping[str, View] = {
            "incident": lambda person, asked: incident(look, person, wanted(asked, "id"), moment(asked, "at")),
            "incident/map": lambda person, asked: incident_map(look, person, wanted(asked, "id")),
            "lineage": lambda person, asked: lineage(look, person, wanted(asked, "id")),
            "department": lambda person, asked: department(look, person, wanted(asked, "id")),
            "task/form": lambda person, asked: self._desk.form(
                person, wanted(asked, "task"), asked.query_params.get("type") or None
            ),
            "catalogue": lambda person, asked: catalogue(look, self._sampler.latest.traffic),
            "catalogue/type": lambda person, asked: event_type(look, wanted(asked, "type")),
            "health": lambda person, asked: health(look, person, self._sampler.latest),
            "performance": lambda person, asked: performance(look, person, moment(asked, "from"), moment(asked, "to")),
            "afteraction": self._after_action,
        }
        return [
            Route("/api/incidents", self._incidents),
            streaming(self.hub),
            Route("/api/ready", self._ready),
            *(Route(f"/api/{path}", viewing(view)) for path, view in views.items()),
            *(Route(f"/api/task/{act}", acting(self._answering(act)), methods=["POST"]) for act in DISPOSITIONS),
            Route("/api/order", acting(self._desk.order), methods=["POST"]),
        ]

    async def tell_time(self) -> None:
        """Tell everybody what time it is, now and then."""
        while True:
            self.hub.tell("now", {"now": self.look.now().at_ms, "standing": self.follower.standing.state})
            await asyncio.sleep(TIME_S)

    async def _ready(self, _: Request) -> Response:
        """Whether what is shown is what stands on the topics; asked without sign-on, so it names nothing."""
        standing = self.follower.standing
        told = {"state": standing.state, "read": standing.read, "total": standing.total}
        return json_response(told, 200 if standing.state == "following" else 503)

    def _answering(self, act: str) -> Act:
        return lambda person, body: self._desk.answer(person, required(body, "task"), act, body)

    async def _incidents(self, request: Request) -> Response:
        position = self.hub.position  # before the lines are read, so that nothing lies between the two
        view = viewing(
            lambda person, asked: incidents(
                self.look, person, position,
                one_of(asked, "status", STATUSES, "all"), one_of(asked, "kind", KINDS, "all"),
            )
        )  # fmt: skip
        response: Response = await view(request)
        return response

    def _after_action(self, person: Person, request: Request) -> Response:
        form = cast("Form", one_of(request, "format", FORMS, "json"))
        lang = cast("Lang", one_of(request, "lang", ("zh", "en"), "zh"))
        file = after_action(self.look, person, wanted(request, "id"), form, lang)
        headers = {"cache-control": "no-store"}
        if file.name is not None:
            headers["content-disposition"] = f'attachment; filename="{file.name}"'
        if file.policy is not None:
            headers["content-security-policy"] = file.policy
        return Response(file.content, 200, headers, file.media_type)


def streaming(hub: Hub) -> Route:
    """Where a page follows what changes."""

    async def stream(request: Request) -> Any:
        after = request.headers.get("last-event-id") or request.query_params.get("from")
        try:
            return Stream(hub, hub.join(request.state.person, after))
        except HubFull:
            sentence = "As many pages follow live as this server takes (BUS_DASHBOARD_CLIENTS_MAX)."
            return json_response({"error": sentence}, 503)

    return Route(STREAM, stream)


def make_app(pages: Pages, access: Access) -> Starlette:
    """The whole application."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            telling = asyncio.create_task(pages.tell_time())
            stack.callback(telling.cancel)
            stack.callback(pages.hub.close)
            yield

    return Starlette(
        routes=[
            *access.routes,
            *pages.routes(),
            Route("/api/{rest:path}", _unknown, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
            Mount("/assets", StaticFiles(directory=STATIC / "assets", check_dir=False)),
            Route("/{rest:path}", _page),
        ],
        middleware=middleware(access),
        lifespan=lifespan,
    )


def middleware(access: Access) -> list[Middleware]:
    """What every request goes through."""
    return [access.middleware, Middleware(_Compressing, minimum_size=_GZIP_FROM, compresslevel=1)]


class _Compressing(GZipMiddleware):
    """Compresses answers; past it go streams, whose every part it would look at and leave as it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == STREAM:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _unknown(request: Request) -> Response:
    return json_response({"error": f"There is no {request.url.path}."}, 404)


async def _page(request: Request) -> Response:
    """The page; whatever the address, for the browser decides what it shows. Files of its own beside it."""
    name = request.path_params["rest"]
    found = STATIC / name
    if name and "/" not in name and not name.startswith(".") and found.is_file():
        return FileResponse(found)
    index = STATIC / "index.html"
    if not index.is_file():
        return json_response({"error": _NOT_BUILT}, 503)
    return FileResponse(index, headers={"cache-control": "no-cache"})
