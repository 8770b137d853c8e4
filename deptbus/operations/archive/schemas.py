"""The schemas that an archive holds: learnt while it is made, given to another registry when it is restored."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import fastavro.schema

from deptbus.codec import Codec, RegisteredSchema
from deptbus.registry import CONNECTIONS_MAX
from deptbus.schemas.codecs import codec_schema
from deptbus.schemas.store import SchemaStore

FRAME_BYTES = 5


class Registry(Protocol):
    """What is asked of a registry."""

    def schema_by_id(self, schema_id: int) -> dict[str, Any] | None:
        """The schema that an id stands for, or None."""

    def id_of(self, subject: str, schema: Mapping[str, Any]) -> int | None:
        """The id of a schema under a subject, or None."""

    def register(self, subject: str, schema: Mapping[str, Any]) -> int:
        """The id of a schema, registered if it was not."""


@dataclass(frozen=True)
class HeldSchema:
    """A schema and the id by which frames name it."""

    id: int
    schema: Mapping[str, Any]

    @cached_property
    def type(self) -> str:
        """Its full name: the event type, and the subject in a registry."""
        return f"{self.schema.get('namespace', '')}.{self.schema['name']}".lstrip(".")

    @cached_property
    def fingerprint(self) -> str:
        """CRC-64-AVRO of its canonical form, in hexadecimal."""
        return fingerprint(self.schema)


def fingerprint(schema: Mapping[str, Any]) -> str:
    """CRC-64-AVRO of a schema's canonical form, in hexadecimal."""
    canonical = fastavro.schema.to_parsing_canonical_form(dict(schema))
    return str(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


class SchemaBook:
    """The schemas met so far. ``find`` asks a registry for one by its id."""

    def __init__(self, find: Callable[[int], Mapping[str, Any] | None]) -> None:
        self._find = find
        self._held: dict[int, HeldSchema] = {}
        self._by_frame: dict[bytes, str | None] = {}
        self.unknown: set[int] = set()
        """Ids in frames that the registry does not know."""

    def hold(self, schemas: Iterable[HeldSchema]) -> None:
        """Have these, though no value may name them by its own frame: others lie within values."""
        self._held |= {schema.id: schema for schema in schemas}

    def fingerprint(self, value: bytes | None) -> str | None:
        """That of the schema that wrote a value; None where it is not framed, or its id not known."""
        if value is None or len(value) < FRAME_BYTES or value[0] != 0:
            return None
        frame = value[:FRAME_BYTES]
        try:
            return self._by_frame[frame]
        except KeyError:
            found = self._by_frame[frame] = self._learn(int.from_bytes(frame[1:]))
            return found

    def learn(self, ids: Iterable[int]) -> None:
        """Have these, as far as the registry knows them."""
        for schema_id in ids:
            self._learn(schema_id)

    def _learn(self, schema_id: int) -> str | None:
        if schema_id in self.unknown:
            return None
        if schema_id not in self._held:
            schema = self._find(schema_id)
            if schema is None or "name" not in schema:
                self.unknown.add(schema_id)
                return None
            self._held[schema_id] = HeldSchema(schema_id, schema)
        return self._held[schema_id].fingerprint

    def schemas(self) -> list[HeldSchema]:
        """All of them, by id."""
        return [self._held[number] for number in sorted(self._held)]


def codec_of(schemas: Iterable[HeldSchema], value_bytes_max: int) -> Codec:
    """A codec that reads what an archive holds, without any registry."""
    held: list[RegisteredSchema] = []
    for versions in by_type(schemas).values():
        for number, schema in enumerate(versions, 1):
            held.append(codec_schema(schema.type, number, schema.id, schema.schema))
    return Codec(held, value_bytes_max)


def by_type(schemas: Iterable[HeldSchema]) -> dict[str, list[HeldSchema]]:
    """The versions of each event type, older ones first, as registries number them."""
    found: dict[str, list[HeldSchema]] = {}
    for schema in sorted(schemas, key=lambda schema: schema.id):
        found.setdefault(schema.type, []).append(schema)
    return found


def declared(registry: Registry, store: SchemaStore) -> list[HeldSchema]:
    """The schemas on disk that a registry has."""
    files = store.all()
    with ThreadPoolExecutor(CONNECTIONS_MAX) as pool:
        ids = list(pool.map(lambda file: registry.id_of(file.type, file.schema), files))
    return [HeldSchema(number, file.schema) for file, number in zip(files, ids, strict=True) if number is not None]


def register(registry: Registry, schemas: Iterable[HeldSchema]) -> dict[int, int]:
    """Have a registry know every schema, older ones first; answers its id by the archived one."""
    return {
        schema.id: known if (known := registry.id_of(schema.type, schema.schema)) is not None
        else registry.register(schema.type, schema.schema)
        for schema in sorted(schemas, key=lambda schema: schema.id)
    }  # fmt: skip
