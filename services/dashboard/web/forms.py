"""What an event needs to be said, as fields of a form made of its schema; and what was filled in, checked. Pure.

A union with null is optional, an enum a choice, a timestamp a time, an array a list, a record a group. What does not
fit is refused by one sentence that names the path of its field, such as ``sites[0].region``.
"""

import base64
import binascii
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from deptbus.clock import EARLIEST_MS, LATEST_MS, from_iso
from deptbus.schemas.filling import fill, is_time
from deptbus.workflow.said import Said
from services.dashboard.web.refusals import FieldRefused

_KINDS = {
    "string": "text",
    "bytes": "text",
    "fixed": "text",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "enum": "choice",
    "array": "list",
    "map": "map",
    "record": "group",
}
_BITS = {"int": 31, "long": 63}
_OPEN = object()
"""Stands for a value that only the officer knows."""
_SAYINGS = {
    "missing": ("必须填写", "must be filled in"),
    "unknown": ("不是该事件的字段", "is no field of the event"),
    "text": ("应为文本", "must be text"),
    "integer": ("应为整数", "must be a whole number"),
    "number": ("应为数字", "must be a number"),
    "boolean": ("应为是或否", "must be true or false"),
    "range": ("超出范围", "is out of range"),
    "time": (
        "应为带时区的时间，例如 2020-01-20T08:30:00+08:00",
        "must be a time with a zone, such as 2020-01-20T08:30:00+08:00",
    ),
    "base64": ("应为 base64 编码", "must be base64"),
    "list": ("应为列表", "must be a list"),
    "map": ("应为名称与值", "must be names with values"),
    "group": ("应为一组字段", "must be a group of fields"),
}
Field = dict[str, Any]
Named = Mapping[str, Mapping[str, Any]]
"""The named types of a schema."""


class _Type(NamedTuple):
    """A type without the null of its union, and with names looked up."""

    kind: str
    schema: Mapping[str, Any]
    optional: bool


def form(schema: Mapping[str, Any], known: Mapping[str, Any]) -> list[Field]:
    """The fields of an event's record, with what is known by name filled in; times in milliseconds."""
    filled = fill(schema, known, lambda *_: _OPEN)
    return list(_fields(schema, filled, dict(_named(schema))))


def read(schema: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """The datum of what was filled in; ``FieldRefused`` names the first field that does not fit."""
    return _record(schema, data, "", dict(_named(schema)))


def _named(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The types of a schema that have names, each by its full one."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named(branch)
    elif isinstance(schema, Mapping):
        if "name" in schema and schema["type"] in ("record", "enum", "fixed"):
            space = schema.get("namespace", "")
            yield schema["name"] if "." in schema["name"] or not space else f"{space}.{schema['name']}", schema
        for part in ("type", "items", "values", "fields"):
            yield from _named(schema.get(part))


def _fields(schema: Mapping[str, Any], filled: Any, named: Named) -> Iterator[Field]:
    for part in schema["fields"]:
        given = filled.get(part["name"], _OPEN) if isinstance(filled, Mapping) else _OPEN
        yield _field(part["name"], part.get("doc", ""), part["type"], given, named, optional="default" in part)


def _field(name: str, label: str, declared: Any, filled: Any, named: Named, *, optional: bool = False) -> Field:
    found = _type(declared, named)
    field: Field = {
        "name": name,
        "label": label,
        "kind": "time" if is_time(found.schema) else _KINDS[found.kind],
        "optional": found.optional or optional,
    }
    if found.kind == "enum":
        field["choices"] = list(found.schema["symbols"])
    elif found.kind == "record":
        field["fields"] = list(_fields(found.schema, filled, named))
    elif found.kind in ("array", "map"):
        inner = found.schema["items" if found.kind == "array" else "values"]
        first = filled[0] if isinstance(filled, list) and len(filled) == 1 and not _is_whole(filled) else _OPEN
        field["item"] = _field("", "", inner, first, named)
    if found.kind != "record" and filled is not None and _is_whole(filled):
        field["value"] = filled
    return field


def _is_whole(value: Any) -> bool:
    """Whether nothing in a value is still open."""
    if isinstance(value, Mapping):
        return all(_is_whole(part) for part in value.values())
    if isinstance(value, list):
        return all(_is_whole(part) for part in value)
    return value is not _OPEN


def _type(declared: Any, named: Named) -> _Type:
    """What is declared; of several types that a value may have, the first."""
    optional = False
    if isinstance(declared, list):
        optional = "null" in declared
        declared = next(branch for branch in declared if branch != "null")
    if isinstance(declared, str):
        schema = named.get(declared, {"type": declared})
        return _Type(schema["type"], schema, optional)
    if isinstance(declared["type"], str) and declared["type"] in _KINDS:
        return _Type(declared["type"], declared, optional)
    inner = _type(declared["type"], named)
    return inner._replace(optional=optional or inner.optional)


def _record(schema: Mapping[str, Any], data: Any, path: str, named: Named) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise _refused(path, "group")
    parts = {part["name"]: part for part in schema["fields"]}
    for name in data:
        if name not in parts:
            raise _refused(_under(path, str(name)), "unknown")
    return {
        name: _part(part, data[name], _under(path, name), named)
        if name in data
        else _default(part, _under(path, name), named)
        for name, part in parts.items()
    }


def _part(part: Mapping[str, Any], value: Any, path: str, named: Named) -> Any:
    if value is None and "default" in part and not _type(part["type"], named).optional:
        return part["default"]
    return _value(part["type"], value, path, named)


def _default(part: Mapping[str, Any], path: str, named: Named) -> Any:
    if "default" not in part and not _type(part["type"], named).optional:
        raise _refused(path, "missing")
    return part.get("default")


def _value(declared: Any, value: Any, path: str, named: Named) -> Any:
    found = _type(declared, named)
    if value is None or (isinstance(value, str) and not value.strip() and found.kind != "string"):
        if not found.optional:
            raise _refused(path, "missing")
        return None
    if is_time(found.schema):
        return _time(value, path)
    match found.kind:
        case "record":
            return _record(found.schema, value, path, named)
        case "array":
            if not isinstance(value, list):
                raise _refused(path, "list")
            items = found.schema["items"]
            return [_value(items, one, f"{path}[{index}]", named) for index, one in enumerate(value)]
        case "map":
            if not isinstance(value, Mapping):
                raise _refused(path, "map")
            values = found.schema["values"]
            return {str(name): _value(values, one, _under(path, str(name)), named) for name, one in value.items()}
        case "enum":
            return _choice(found.schema["symbols"], value, path)
    return _SCALARS[found.kind](found, value, path)


def _choice(symbols: list[str], value: Any, path: str) -> str:
    if value not in symbols:
        shown = "、".join(symbols), ", ".join(symbols)
        raise FieldRefused(path, Said(f"{path} 应为以下之一：{shown[0]}。", f"{path} must be one of {shown[1]}."))
    return str(value)


def _time(value: Any, path: str) -> int:
    if isinstance(value, str):
        try:
            value = from_iso(value.strip())
        except (ValueError, OverflowError):
            raise _refused(path, "time") from None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refused(path, "time")
    if not EARLIEST_MS <= value <= LATEST_MS:
        raise _refused(path, "range")
    return value


def _text(found: _Type, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _refused(path, "text")
    return value


def _integer(found: _Type, value: Any, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refused(path, "integer")
    if not -(1 << _BITS[found.kind]) <= value < 1 << _BITS[found.kind]:
        raise _refused(path, "range")
    return value


def _number(found: _Type, value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _refused(path, "number")
    try:
        number = float(value)
    except OverflowError:
        raise _refused(path, "range") from None
    if not math.isfinite(number):
        raise _refused(path, "range")
    return number


def _boolean(found: _Type, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _refused(path, "boolean")
    return value


def _bytes(found: _Type, value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_text(found, value, path), validate=True)
    except binascii.Error:
        raise _refused(path, "base64") from None


_SCALARS: Mapping[str, Callable[[_Type, Any, str], Any]] = {
    "string": _text,
    "int": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "bytes": _bytes,
    "fixed": _bytes,
}


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _refused(path: str, what: str) -> FieldRefused:
    zh, en = _SAYINGS[what]
    where = path or "data"
    return FieldRefused(where, Said(f"{where} {zh}。", f"{where} {en}."))
