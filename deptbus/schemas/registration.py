"""Brings the schemas on disk to the registry, and their ids back."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deptbus.errors import SchemaError
from deptbus.registry import CONNECTIONS_MAX, Registry
from deptbus.schemas.codecs import SchemaKey
from deptbus.schemas.store import SchemaStore


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of one schema version."""

    type: str
    version: int
    id: int
    new: bool
    """Whether the registry did not have it before."""


def register_schemas(
    registry: Registry,
    store: SchemaStore,
    compatibility: Mapping[str, str],
    progress: Callable[[int], None] = lambda done: None,
) -> list[Registration]:
    """Register every version, each type's in order, several types at once; doing it again changes nothing.

    ``compatibility`` holds the level of each event type; ``progress`` is told how many were just done.
    ``RegistryError``, ``SchemaIncompatible``.
    """

    def register_type(event_type: str) -> list[Registration]:
        done = []
        for file in store.versions(event_type):
            schema_id = registry.id_of(event_type, file.schema)
            new = schema_id is None
            if schema_id is None:
                schema_id = registry.register(event_type, file.schema)
            done.append(Registration(event_type, file.version, schema_id, new))
            # A subject must exist before it can have a level, and have its level before a second version comes.
            if len(done) == 1 and event_type in compatibility:
                registry.set_compatibility(event_type, compatibility[event_type])
            progress(1)
        return done

    with ThreadPoolExecutor(CONNECTIONS_MAX) as pool:
        return [registration for done in pool.map(register_type, store.types()) for registration in done]


def resolve_ids(registry: Registry, store: SchemaStore) -> dict[SchemaKey, int]:
    """The id of every schema version, asked all at once before the first message.

    ``SchemaError`` if the registry lacks one; ``RegistryError``.
    """
    found = _ids(registry, store)
    missing = [key for key, schema_id in found.items() if schema_id is None]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        event_type, version = missing[0]
        raise SchemaError(f"The registry does not know {event_type} v{version}{more}; run `deptbus schemas register`.")
    return {key: schema_id for key, schema_id in found.items() if schema_id}


def unregistered(registry: Registry, store: SchemaStore) -> list[SchemaKey]:
    """The schema versions that the registry lacks; ``RegistryError``."""
    return [key for key, schema_id in _ids(registry, store).items() if schema_id is None]


def _ids(registry: Registry, store: SchemaStore) -> dict[SchemaKey, int | None]:
    files = store.all()
    with ThreadPoolExecutor(CONNECTIONS_MAX) as pool:
        found = list(pool.map(lambda file: registry.id_of(file.type, file.schema), files))
    return {(file.type, file.version): schema_id for file, schema_id in zip(files, found, strict=True)}
