"""A client of any Confluent-compatible schema registry (tested with Apicurio Registry 3.3.3, ccompat v7).

Thread-safe: several schemas may be registered or looked up at once.
"""

import json
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from deptbus.errors import RegistryError, SchemaIncompatible
from deptbus.settings import Settings

CONNECTIONS_MAX = 8
"""Requests to the registry at once."""
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
_NOT_FOUND = 404
_CONFLICT = 409
_UNPROCESSABLE = 422
_ATTEMPTS_MAX = 3
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class Registry:
    """One registry. ``url`` is its Confluent-compatible API; ``timeout_s`` bounds one request.

    Every method raises ``RegistryError`` when the registry does not answer or answers with an error.
    """

    def __init__(self, url: str, user: str | None = None, password: str | None = None, timeout_s: float = 10) -> None:
        self._url = url.rstrip("/")
        self._ids: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._client = httpx.Client(
            auth=(user, password or "") if user else None,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 5)),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            headers={"Content-Type": _CONTENT_TYPE, "Accept": f"{_CONTENT_TYPE}, application/json"},
            trust_env=False,
        )

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def subjects(self) -> list[str]:
        """Every subject; also the way to ask whether the registry is there."""
        found: list[str] = self._json(self._request("GET", "/subjects"))
        return found

    def register(self, subject: str, schema: Mapping[str, Any]) -> int:
        """The id of a schema, registered if it was not; ``SchemaIncompatible`` if the registry refuses it."""
        body = {"schema": canonical(schema)}
        answer = self._request("POST", f"/subjects/{quote(subject)}/versions", body)
        if answer.status_code in {_CONFLICT, _UNPROCESSABLE}:
            raise SchemaIncompatible(
                f"The registry at {self._url} refuses a version of {subject}: {_message(answer)}. Run "
                "`deptbus schemas check` to see which field breaks which reader; if that finds nothing, a version "
                "was edited after it was registered: restore it, or write it as the next version."
            )
        return self._id(answer)

    def id_of(self, subject: str, schema: Mapping[str, Any]) -> int | None:
        """The id of a schema that is registered under ``subject``, or None. Asked once, then remembered."""
        text = canonical(schema)
        with self._lock:
            known = self._ids.get((subject, text))
        if known is not None:
            return known
        answer = self._request("POST", f"/subjects/{quote(subject)}", {"schema": text})
        if answer.status_code == _NOT_FOUND:
            return None
        found = self._id(answer)
        with self._lock:
            self._ids[subject, text] = found
        return found

    def schema_by_id(self, schema_id: int) -> dict[str, Any] | None:
        """The schema that an id stands for, or None if there is no such id."""
        answer = self._request("GET", f"/schemas/ids/{schema_id}")
        if answer.status_code == _NOT_FOUND:
            return None
        try:
            schema = json.loads(self._json(answer)["schema"])
        except (KeyError, TypeError, ValueError):
            raise RegistryError(
                f"The registry at {self._url} answers for the schema id {schema_id} with what is no Avro "
                "schema; see its logs."
            ) from None
        return schema if isinstance(schema, dict) else {"type": schema}

    def set_compatibility(self, subject: str, level: str) -> bool:
        """Have the registry hold a subject to ``level``; False where it has no such setting."""
        answer = self._request("PUT", f"/config/{quote(subject)}", {"compatibility": level})
        if answer.status_code in {_NOT_FOUND, 405, 501}:
            return False
        self._json(answer)
        return True

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        answer: httpx.Response | None = None
        for _ in range(_ATTEMPTS_MAX):
            try:
                answer = self._client.request(method, self._url + path, json=body)
            except httpx.TimeoutException:
                raise RegistryError(
                    f"The schema registry at {self._url} does not answer in time; see whether it is "
                    "overloaded, or set BUS_SCHEMA_REGISTRY_URL to another."
                ) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RegistryError(
                    f"The schema registry at {self._url} cannot be reached ({error}); start it with "
                    "`deptbus up`, or set BUS_SCHEMA_REGISTRY_URL."
                ) from None
            # A registry that has just started, or is asked for one subject twice at once, may fail once.
            if answer.status_code not in _TRY_AGAIN:
                break
        assert answer is not None
        if answer.status_code in {401, 403}:
            raise RegistryError(
                f"The schema registry at {self._url} does not let us in ({answer.status_code}); set "
                "BUS_SCHEMA_REGISTRY_USER and BUS_SCHEMA_REGISTRY_PASSWORD."
            )
        if answer.status_code >= 500 and answer.status_code != 501:
            raise RegistryError(
                f"The schema registry at {self._url} answers {method} {path} with {answer.status_code}: "
                f"{_message(answer)}; see its logs (`deptbus logs registry`) and try again."
            )
        return answer

    def _json(self, answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            raise RegistryError(
                f"The schema registry at {self._url} refuses {answer.request.method} "
                f"{answer.request.url.path} ({answer.status_code}: {_message(answer)}); check BUS_SCHEMA_REGISTRY_URL."
            )
        try:
            return answer.json()
        except ValueError:
            raise RegistryError(
                f"What answers at {self._url} is no schema registry (no JSON came); set "
                "BUS_SCHEMA_REGISTRY_URL to its Confluent-compatible API."
            ) from None

    def _id(self, answer: httpx.Response) -> int:
        content = self._json(answer)
        if not isinstance(content, dict) or not isinstance(content.get("id"), int):
            raise RegistryError(f"The schema registry at {self._url} answers without a schema id; see its logs.")
        return int(content["id"])


def connect_registry(settings: Settings) -> Registry:
    """The registry that the settings name; nothing is asked yet."""
    password = settings.schema_registry_password
    return Registry(
        settings.schema_registry_url,
        settings.schema_registry_user,
        password.get_secret_value() if password else None,
    )


def canonical(schema: Mapping[str, Any]) -> str:
    """The text under which a schema is registered: compact, and the same for the same schema."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _message(answer: httpx.Response) -> str:
    try:
        content = answer.json()
        text = content.get("message") or content.get("title") or content.get("detail")
    except (ValueError, AttributeError):
        text = None
    return " ".join(str(text or answer.text or answer.reason_phrase).split())[:300].rstrip(".")
