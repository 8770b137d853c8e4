"""What expressions may read of an event: its fields as dotted paths with CEL types. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from deptbus.schemas.store import SchemaStore
from deptbus.workflow.definition import Definition

_CEL = {
    "int": "int",
    "long": "int",
    "float": "double",
    "double": "double",
    "string": "string",
    "enum": "string",
    "boolean": "bool",
    "bytes": "bytes",
    "fixed": "bytes",
}


def event_types(definition: Definition) -> tuple[str, ...]:
    """Every event type that a definition names, sorted."""
    named = {rule.on for rule in definition.rules}
    for step in definition.steps:
        named.update(step.completed_by, step.declined_by)
        named.update(event_type for stop in step.stops for event_type in (stop.from_, stop.until))
        if step.gate:
            named.update((step.gate.approved_by, step.gate.rejected_by))
    if definition.directives:
        named.add(definition.directives)
    return tuple(sorted(named))


def fields_of(definition: Definition, schemas: SchemaStore) -> dict[str, dict[str, str]]:
    """The fields of every event type that a definition names and that has a schema, by the newest version."""
    known = set(schemas.types())
    return {
        event_type: fields_of_schema(schemas.newest(event_type).schema)
        for event_type in event_types(definition)
        if event_type in known
    }


def fields_of_schema(schema: Mapping[str, Any]) -> dict[str, str]:
    """Dotted path to CEL type: records flattened; nullable fields, arrays and maps ``dyn``; times ``int``."""
    return dict(_fields(schema, "", {}))


def symbols_of(definition: Definition, schemas: SchemaStore) -> dict[str, dict[str, tuple[str, ...]]]:
    """By event type that a definition names, the fields that are enums, with their symbols; nullable ones are not."""
    known = set(schemas.types())
    return {
        event_type: dict(_symbols(schemas.newest(event_type).schema, "", {}))
        for event_type in event_types(definition)
        if event_type in known
    }


def _symbols(
    record: Mapping[str, Any], prefix: str, named: dict[str, Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    named[f"{record.get('namespace', '')}.{record['name']}"] = record
    for field in record["fields"]:
        kind, path = field["type"], f"{prefix}{field['name']}"
        kind = named.get(kind, {"type": kind}) if isinstance(kind, str) else kind
        if isinstance(kind, Mapping) and kind["type"] == "enum":
            yield path, tuple(kind["symbols"])
        elif isinstance(kind, Mapping) and kind["type"] == "record":
            yield from _symbols(kind, f"{path}.", named)
        _remember(kind, named)


def _fields(record: Mapping[str, Any], prefix: str, named: dict[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    named[f"{record.get('namespace', '')}.{record['name']}"] = record
    for field in record["fields"]:
        yield from _field(field["type"], f"{prefix}{field['name']}", named)


def _field(kind: Any, path: str, named: dict[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if isinstance(kind, str):
        kind = named.get(kind, {"type": kind})
    if isinstance(kind, list):
        _remember(kind, named)
        yield path, "dyn"
    elif kind["type"] == "record":
        yield from _fields(kind, f"{path}.", named)
    elif not str(kind.get("logicalType", "timestamp")).startswith(("timestamp", "local-timestamp")):
        # Decoded into Python's own dates, decimals and uuids, which CEL does not know.
        yield path, "dyn"
    elif isinstance(kind["type"], str):
        _remember(kind, named)
        yield path, _CEL.get(kind["type"], "dyn")
    else:
        yield from _field(kind["type"], path, named)


def _remember(kind: Any, named: dict[str, Mapping[str, Any]]) -> None:
    """Note the named types that are defined inside a type that is not flattened."""
    if isinstance(kind, list):
        for branch in kind:
            _remember(branch, named)
    elif isinstance(kind, Mapping):
        if "name" in kind:
            named[f"{kind.get('namespace', '')}.{kind['name']}"] = kind
        for part in ("items", "values", "type"):
            if not isinstance(kind.get(part), str | None):
                _remember(kind[part], named)
        for field in kind.get("fields", ()):
            _remember(field["type"], named)
