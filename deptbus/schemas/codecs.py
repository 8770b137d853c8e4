"""Schemas as the codec uses them: parsed by fastavro, with timestamps as plain integers (milliseconds)."""

from collections.abc import Mapping
from typing import Any

import fastavro

from deptbus.codec import RegisteredSchema
from deptbus.errors import SchemaError
from deptbus.schemas.store import SchemaStore

SchemaKey = tuple[str, int]
"""An event type and a version of it."""


def codec_schemas(store: SchemaStore, ids: Mapping[SchemaKey, int]) -> list[RegisteredSchema]:
    """Every version in ``store``, with its id from the registry; ``SchemaError`` if one has no id."""
    found = []
    for file in store.all():
        if (file.type, file.version) not in ids:
            raise SchemaError(
                f"The registry does not know {file.type} v{file.version}; run `deptbus schemas register`."
            )
        found.append(codec_schema(file.type, file.version, ids[file.type, file.version], file.schema))
    return found


def codec_schema(event_type: str, version: int, schema_id: int, schema: Mapping[str, Any]) -> RegisteredSchema:
    """One schema version for the codec; ``SchemaError`` if fastavro refuses it."""
    try:
        parsed = fastavro.parse_schema(timestamps_as_int(schema), named_schemas={})
    except Exception as error:  # fastavro raises KeyError and TypeError too for what it cannot parse
        raise SchemaError(f"The schema {event_type} v{version} cannot be used: {error!r}.") from error
    return RegisteredSchema(schema_id, event_type, version, parsed)


def timestamps_as_int(schema: Any) -> Any:
    """A copy without the logical types ``timestamp-*``: the library's times are integers."""
    if isinstance(schema, list):
        return [timestamps_as_int(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    stripped = str(schema.get("logicalType", "")).startswith("timestamp-")
    # A default or a doc is no schema, but nothing in it can look like a logical type of one.
    return {
        key: timestamps_as_int(value) if key in {"type", "items", "values", "fields"} else value
        for key, value in schema.items()
        if not (stripped and key == "logicalType")
    }
