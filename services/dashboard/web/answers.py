"""How requests are answered: JSON of what a view gives, in a thread; errors of the bus as a status and a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from deptbus.desk.refused import Refusal, Refused
from deptbus.errors import (
    ActRefused,
    BusError,
    ClusterUnreachable,
    CodecError,
    NotFound,
    NotGranted,
    PublishFailed,
    PublishUnknown,
    RegistryError,
)
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person
from services.dashboard.web.refusals import FieldRefused, NotEntitled

View = Callable[[Person, Request], Any]
"""Answers JSON-able data, bytes of JSON, or a ``Response``; may block."""
Act = Callable[[Person, Mapping[str, Any]], Any]
"""Does what the body of a request says; may block."""

BODY_BYTES_MAX = 256 * 1024
_STATUS: tuple[tuple[type[BusError], int], ...] = (
    (FieldRefused, 422),
    (NotEntitled, 403),
    (NotFound, 404),
    (NotGranted, 403),
    (CodecError, 422),
    (ActRefused, 409),
    (PublishFailed, 502),
    (PublishUnknown, 504),
    (ClusterUnreachable, 503),
    (RegistryError, 503),
)


def json_response(data: Any, status: int = 200) -> Response:
    """JSON that is kept nowhere on the way."""
    body = data if isinstance(data, bytes) else orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, {"cache-control": "no-store"}, "application/json")


def refusal(error: BusError) -> Response:
    """An error of the bus, in its own words, a refusal in both languages.

    ``field`` names what is wrong with what was sent, where that is known.
    """
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
    told: dict[str, Any] = {"error": error.said._asdict() if isinstance(error, Refusal) else str(error)}
    if isinstance(error, FieldRefused):
        told["field"] = error.field
    return json_response(told, status)


def viewing(view: View) -> Callable[[Request], Any]:
    """An endpoint that shows something."""

    async def endpoint(request: Request) -> Response:
        try:
            found = await anyio.to_thread.run_sync(view, request.state.person, request)
        except BusError as error:
            return refusal(error)
        return found if isinstance(found, Response) else json_response(found)

    return endpoint


def acting(act: Act) -> Callable[[Request], Any]:
    """An endpoint that does something and says so only when it is done."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await body_of(request)
            return json_response(await anyio.to_thread.run_sync(act, request.state.person, body), 202)
        except BusError as error:
            return refusal(error)

    return endpoint


async def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request; ``Refused``."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > BODY_BYTES_MAX:
            raise Refused(
                Said(
                    f"请求超过 {BODY_BYTES_MAX} 字节。",
                    f"A request may have {BODY_BYTES_MAX} bytes; this one has more.",
                )
            )
    try:
        body = orjson.loads(bytes(parts))
    except orjson.JSONDecodeError as error:
        raise Refused(Said(f"请求不是 JSON：{error}。", f"The request is no JSON: {error}.")) from None
    if not isinstance(body, dict):
        raise Refused(Said("请求不是 JSON 对象。", "The request is no JSON object."))
    return body


def wanted(request: Request, name: str) -> str:
    """A parameter that must be given; ``Refused``."""
    value = request.query_params.get(name, "")
    if not value:
        raise Refused(Said(f"缺少参数 {name}。", f"The parameter {name} is missing."))
    return value


def required(body: Mapping[str, Any], name: str) -> str:
    """A text that a body must hold; ``Refused``."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(Said(f"请求缺少 {name}。", f"The request names no {name}."))
    return value


def moment(request: Request, name: str) -> int | None:
    """A time in milliseconds since the epoch, if given; ``Refused``."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isdigit() or len(text) > 15:
        raise Refused(
            Said(
                f"参数 {name} 应为 1970 年以来的毫秒数，不是“{text}”。",
                f"The parameter {name} is a time in milliseconds since 1970, not {text}.",
            )
        )
    return int(text)


def one_of(request: Request, name: str, choices: tuple[str, ...], default: str) -> str:
    """One of some words; ``Refused``."""
    value = request.query_params.get(name) or default
    if value not in choices:
        raise Refused(
            Said(
                f"参数 {name} 应为 {'、'.join(choices)} 之一，不是“{value}”。",
                f"The parameter {name} is {', '.join(choices)}, not {value}.",
            )
        )
    return value
