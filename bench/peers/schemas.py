"""The project's schemas as fastavro takes them, for peers that know nothing of the library."""

import json
from pathlib import Path
from typing import Any

import fastavro

SCHEMAS = Path("schemas")


def parsed(event_type: str) -> Any:
    """The schema of an event type's first version, with the common types that it names put in."""
    named: dict[str, Any] = {}
    for path in sorted((SCHEMAS / "common").glob("*.avsc")):
        schema = json.loads(path.read_text())
        named[f"{schema['namespace']}.{schema['name']}"] = schema
    text = json.loads((SCHEMAS / event_type.replace(".", "/") / "v1.avsc").read_text())
    return fastavro.parse_schema(_whole(text, named, set()))


def _whole(schema: Any, named: dict[str, Any], seen: set[str]) -> Any:
    """The schema with what it names put in where it is named first."""
    if isinstance(schema, str) and schema in named and schema not in seen:
        seen.add(schema)
        return _whole(named[schema], named, seen)
    if isinstance(schema, list):
        return [_whole(one, named, seen) for one in schema]
    if isinstance(schema, dict):
        return {name: _whole(one, named, seen) if name in ("type", "items", "values", "fields") else one
                for name, one in schema.items()}  # fmt: skip
    return schema
