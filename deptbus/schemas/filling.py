"""Data of an event filled in along its schema: what is known, where it fits, then the schema's defaults. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

Named = dict[str, Any]
"""The named types of a schema that were met so far."""

Open = Callable[[str, Any, str], Any]
"""What stands for a value that nobody knows: from the field's name, its type (a scalar's name, or the mapping of an
enum or a logical type) and its doc."""

_NUMBERS = {"int": int, "long": int, "float": float, "double": float}
_BOOLEANS = {"true": True, "false": False}


def fill(schema: Mapping[str, Any], known: Mapping[str, Any], still_open: Open) -> dict[str, Any]:
    """The data of a record: fields of that name from ``known``, converted; else defaults; else ``still_open``."""
    named: Named = {}
    return {field["name"]: _value(field, known, named, still_open) for field in schema["fields"]}


def _value(field: Mapping[str, Any], known: Mapping[str, Any], named: Named, still_open: Open) -> Any:
    kind, name = field["type"], field["name"]
    _remember(kind, named)
    if name in known:
        fitted = _fitted(kind, known[name], named)
        if fitted is not _UNFIT:
            return fitted
    return field["default"] if "default" in field else _open(name, kind, field.get("doc", ""), named, still_open)


_UNFIT = object()
"""What is known does not fit the field's type."""


def _fitted(kind: Any, value: Any, named: Named) -> Any:
    """What is known, where it fits the field's type; texts become numbers, booleans and lists."""
    if isinstance(kind, str) and kind in named:
        return _fitted(named[kind], value, named)
    if isinstance(kind, list):
        branches = [branch for branch in kind if branch != "null"]
        return _fitted(branches[0], value, named) if branches else _UNFIT
    if isinstance(kind, Mapping):
        return _fitted_named(kind, value, named)
    if kind == "string":
        return value
    if kind == "boolean":
        return _BOOLEANS.get(str(value).lower(), _UNFIT)
    number = _NUMBERS.get(kind)
    try:
        return number(value) if number else _UNFIT
    except (TypeError, ValueError):
        return _UNFIT


def _fitted_named(kind: Mapping[str, Any], value: Any, named: Named) -> Any:
    match kind["type"]:
        case "enum":
            return value if value in kind["symbols"] else _UNFIT
        case "array" if kind["items"] == "string" and isinstance(value, str):
            return value.split()
        case "record" | "array" | "map":
            return _UNFIT
    return _fitted(kind["type"], value, named)


def _open(name: str, kind: Any, doc: str, named: Named, still_open: Open) -> Any:
    """What stands for a value of a type that is not known."""
    if isinstance(kind, list):
        return None if "null" in kind else _open(name, kind[0], doc, named, still_open)
    if isinstance(kind, str):
        return _open(name, named[kind], doc, named, still_open) if kind in named else still_open(name, kind, doc)
    match kind["type"]:
        case "record":
            return {field["name"]: _value(field, {}, named, still_open) for field in kind["fields"]}
        case "array":
            return [_open(name, kind["items"], doc, named, still_open)]
        case "map":
            return {}
        case "enum":
            return still_open(name, kind, doc)
    if "logicalType" in kind:
        return still_open(name, kind, doc)
    return _open(name, kind["type"], doc, named, still_open)


def _remember(kind: Any, named: Named) -> None:
    """Note a named type where it is written out; later it is only named. Those of a record's fields come with them."""
    if isinstance(kind, list):
        for branch in kind:
            _remember(branch, named)
    elif isinstance(kind, Mapping):
        if "name" in kind:
            full = kind["name"] if "." in kind["name"] else f"{kind.get('namespace', '')}.{kind['name']}".lstrip(".")
            named[full] = kind
        for part in ("items", "values", "type"):
            _remember(kind.get(part), named)


def is_time(kind: Any) -> bool:
    """Whether values of a type are times, milliseconds since the epoch."""
    return isinstance(kind, Mapping) and str(kind.get("logicalType", "")).startswith("timestamp")
