"""The registry client: against a real registry, and against one that misbehaves."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest

from deptbus.codec import Codec
from deptbus.errors import RegistryError, SchemaError, SchemaIncompatible
from deptbus.registry import Registry, connect_registry
from deptbus.schemas import SchemaStore, codec_schemas, load_schemas
from deptbus.schemas.registration import register_schemas, resolve_ids
from deptbus.settings import Settings
from tests.catalogue.files import case_reported, field, record, write_schema


@contextmanager
def _answering(status: int, body: bytes = b"{}") -> Iterator[str]:
    """The address of a server that always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        requests: ClassVar[list[str]] = []

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815  # the names that http.server calls

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, b'{"message": "database is gone"}', "answers GET /subjects with 500: database is gone; see its logs"),
        (503, b"<html>", "answers GET /subjects with 503: <html>"),
        (404, b"not here", "refuses GET /subjects (404: not here); check BUS_SCHEMA_REGISTRY_URL"),
        (401, b"{}", "does not let us in (401); set BUS_SCHEMA_REGISTRY_USER"),
        (200, b"<html>welcome</html>", "is no schema registry (no JSON came)"),
    ],
)
def test_a_registry_that_answers_with_an_error_is_one_sentence(status: int, body: bytes, expected: str) -> None:
    with _answering(status, body) as url, Registry(url) as registry:
        with pytest.raises(RegistryError) as raised:
            registry.subjects()
        assert expected in str(raised.value)
        assert url in str(raised.value)
        assert "\n" not in str(raised.value)


def test_an_answer_without_an_id_is_refused() -> None:
    with (
        _answering(200, b"{}") as url,
        Registry(url) as registry,
        pytest.raises(RegistryError, match="without a schema id"),
    ):
        registry.register("health.CaseReported", case_reported())


def test_a_registry_without_compatibility_settings_is_none_to_fail_on() -> None:
    with _answering(404) as url, Registry(url) as registry:
        assert registry.set_compatibility("health.CaseReported", "FULL_TRANSITIVE") is False


def test_a_refused_version_says_what_to_do() -> None:
    with (
        _answering(409, b'{"message": "incompatible"}') as url,
        Registry(url) as registry,
        pytest.raises(SchemaIncompatible, match=r"a version of health\.CaseReported: incompatible\. Run `deptbus"),
    ):
        registry.register("health.CaseReported", case_reported())


def test_a_registry_that_is_not_there_is_one_sentence() -> None:
    with Registry("http://127.0.0.1:1") as registry, pytest.raises(RegistryError, match="start it with `deptbus up`"):
        registry.subjects()


def test_a_broken_address_is_one_sentence() -> None:
    with Registry("http://[") as registry, pytest.raises(RegistryError, match="cannot be reached"):
        registry.subjects()


@pytest.fixture
def owner() -> str:
    """An owner of this test's own, for the registry is shared."""
    return f"t{uuid4().hex[:10]}"


def _store(root: Path, owner: str, *versions: dict[str, object]) -> SchemaStore:
    for number, schema in enumerate(versions, start=1):
        write_schema(root, f"{owner}.Happened", schema, number)
    return load_schemas(root)


@pytest.mark.kafka
def test_registering_is_idempotent_and_ids_stay(settings: Settings, tmp_path: Path, owner: str) -> None:
    first = record("Happened", field("number", "string"), namespace=owner)
    second = record("Happened", field("number", "string"), field("count", "int", default=1), namespace=owner)
    store = _store(tmp_path, owner, first, second)
    steps: list[int] = []
    with connect_registry(settings) as registry:
        done = register_schemas(registry, store, {f"{owner}.Happened": "BACKWARD_TRANSITIVE"}, steps.append)
        again = register_schemas(registry, store, {f"{owner}.Happened": "BACKWARD_TRANSITIVE"})
    assert [one.new for one in done] == [True, True]
    assert [one.new for one in again] == [False, False]
    assert [one.id for one in done] == [one.id for one in again]
    assert sum(steps) == 2
    with connect_registry(settings) as fresh:
        ids = resolve_ids(fresh, store)
        assert ids == {(f"{owner}.Happened", one.version): one.id for one in done}
        found = fresh.schema_by_id(done[1].id)
        assert found is not None
        assert found["fields"][1]["default"] == 1
        assert fresh.schema_by_id(2_000_000_000) is None
    codec = Codec(codec_schemas(store, ids))
    assert codec.schema_id(codec.encode(f"{owner}.Happened", {"number": "1", "count": 2})) == done[1].id


@pytest.mark.kafka
def test_what_is_not_registered_says_to_register_it(settings: Settings, tmp_path: Path, owner: str) -> None:
    store = _store(tmp_path, owner, record("Happened", field("number", "string"), namespace=owner))
    with connect_registry(settings) as registry, pytest.raises(SchemaError, match="run `deptbus schemas register`"):
        resolve_ids(registry, store)


@pytest.mark.kafka
def test_the_registry_holds_a_subject_to_its_level(settings: Settings, tmp_path: Path, owner: str) -> None:
    first = record("Happened", field("number", "string"), namespace=owner)
    with connect_registry(settings) as registry:
        register_schemas(registry, _store(tmp_path, owner, first), {f"{owner}.Happened": "BACKWARD_TRANSITIVE"})
        broken = record("Happened", field("number", "int"), namespace=owner)
        with pytest.raises(SchemaIncompatible, match=f"a version of {owner}.Happened"):
            registry.register(f"{owner}.Happened", broken)


@pytest.mark.kafka
def test_a_changed_level_holds_from_the_next_version_on(settings: Settings, tmp_path: Path, owner: str) -> None:
    first = record("Happened", field("number", "string"), namespace=owner)
    broken = record("Happened", field("number", "int"), namespace=owner)
    with connect_registry(settings) as registry:
        register_schemas(registry, _store(tmp_path, owner, first), {f"{owner}.Happened": "FULL_TRANSITIVE"})
        done = register_schemas(registry, _store(tmp_path, owner, first, broken), {f"{owner}.Happened": "NONE"})
    assert [one.new for one in done] == [False, True]


@pytest.mark.kafka
def test_what_is_registered_stands_alone(settings: Settings, root: Path, owner: str) -> None:
    schema = case_reported() | {"namespace": owner}
    write_schema(root, f"{owner}.CaseReported", schema)
    store = SchemaStore([file for file in load_schemas(root).all() if file.owner == owner])
    with connect_registry(settings) as registry:
        (done,) = register_schemas(registry, store, {})
        assert json.dumps(registry.schema_by_id(done.id)) == json.dumps(store.newest(f"{owner}.CaseReported").schema)
