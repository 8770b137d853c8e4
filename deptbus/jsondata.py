"""Avro data as JSON for people: times as ISO 8601, bytes as base64; everything else as it is."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from deptbus.clock import from_iso, iso

Schema = Any
"""A self-contained Avro schema with its logical types, as a ``SchemaFile`` holds it."""


def to_json(schema: Schema, data: Any) -> Any:
    """The JSON of an Avro datum."""
    return _walk(schema, data, {}, _shown)


def from_json(schema: Schema, data: Any) -> Any:
    """The Avro datum of its JSON. What does not fit is left as it is, for the codec to refuse."""
    return _walk(schema, data, {}, _read)


def _shown(kind: str, logical: str, value: Any) -> Any:
    if logical == "timestamp-millis" and isinstance(value, int):
        return iso(value) if -62_135_596_800_000 <= value < 253_402_300_800_000 else value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _read(kind: str, logical: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if logical == "timestamp-millis":
            return from_iso(value)
        if kind in {"bytes", "fixed"}:
            return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return value
    return value


def _walk(schema: Schema, value: Any, named: dict[str, Schema], leaf: Callable[[str, str, Any], Any]) -> Any:
    if isinstance(schema, list):
        return value if value is None else _walk(_branch(schema, value, named), value, named, leaf)
    if isinstance(schema, str):
        if schema in named:
            return _walk(named[schema], value, named, leaf)
        return leaf(schema, "", value)
    kind = schema["type"]
    if kind in {"record", "enum", "fixed"}:
        name = schema["name"]
        namespace = schema.get("namespace", "")
        named[name if "." in name or not namespace else f"{namespace}.{name}"] = schema
    if kind == "record" and isinstance(value, dict):
        types = {field["name"]: field["type"] for field in schema["fields"]}
        return {name: _walk(types[name], part, named, leaf) if name in types else part for name, part in value.items()}
    if kind == "array" and isinstance(value, list):
        return [_walk(schema["items"], part, named, leaf) for part in value]
    if kind == "map" and isinstance(value, dict):
        return {name: _walk(schema["values"], part, named, leaf) for name, part in value.items()}
    if isinstance(kind, (dict, list)):
        return _walk(kind, value, named, leaf)
    return leaf(kind, schema.get("logicalType", ""), value)


def _branch(union: list[Schema], value: Any, named: dict[str, Schema]) -> Schema:
    """The branch that a value most likely belongs to: a record for a dict, an array for a list, else the first."""
    branches = [branch for branch in union if branch != "null"]
    wanted = ("record", "map") if isinstance(value, dict) else ("array",) if isinstance(value, list) else None
    for branch in branches:
        resolved = named.get(branch, branch) if isinstance(branch, str) else branch
        kind = resolved["type"] if isinstance(resolved, dict) else resolved
        if wanted is None or kind in wanted:
            return branch
    return branches[0] if branches else "null"
