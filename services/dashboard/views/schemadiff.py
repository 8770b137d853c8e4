"""What changed from one version of an event's schema to the next: by field path, in words. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import orjson

from deptbus.workflow.said import Said

Kind = Literal["added", "removed", "changed"]
_ATTRIBUTES = {
    "type": Said("类型", "type"),
    "default": Said("默认值", "default"),
    "doc": Said("说明", "description"),
    "symbols": Said("取值", "choices"),
    "personal": Said("个人信息标记", "mark as personal"),
    "aliases": Said("别名", "aliases"),
}
"""What may differ of one field, and what it is called."""


class Part(NamedTuple):
    """A field, an item of a list or a value of a map: what may differ of it, as text."""

    attributes: Mapping[str, str]


class Change(NamedTuple):
    """One difference."""

    kind: Kind
    path: str
    """Such as ``infos[].areas[].circles[].radius_km``; of what lies in lists and maps ``[]``; empty for the event."""
    what: str
    """The attribute that differs; ``type`` for a field that was added or removed."""
    before: str | None
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """The difference for a page."""
        return {
            "kind": self.kind, "path": self.path, "what": self.what, "from": self.before, "to": self.after,
            "says": self.says._asdict(),
        }  # fmt: skip

    @property
    def says(self) -> Said:
        """The difference in words."""
        where = Said(self.path or "事件", self.path or "the event")
        if self.kind == "added":
            return Said(f"新增字段 {where.zh}（{self.after}）", f"{where.en} was added ({self.after})")
        if self.kind == "removed":
            return Said(f"删除字段 {where.zh}（{self.before}）", f"{where.en} was removed ({self.before})")
        name = _ATTRIBUTES[self.what]
        before, after = self.before, self.after
        if before is None:
            return Said(f"{where.zh} 增加{name.zh}：{after}", f"{where.en} got the {name.en} {after}")
        if after is None:
            return Said(f"{where.zh} 去掉{name.zh}：{before}", f"{where.en} lost the {name.en} {before}")
        return Said(
            f"{where.zh} 的{name.zh}由“{before}”改为“{after}”",
            f"the {name.en} of {where.en} changed from “{before}” to “{after}”",
        )


def differences(older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[Change]:
    """What the newer schema says otherwise, in its order of fields; what was removed comes last."""
    before, after = dict(parts(older)), dict(parts(newer))
    found: list[Change] = []
    for path, part in after.items():
        if path in before:
            found += _changed(path, before[path], part)
        elif _parent(path, before):
            found.append(Change("added", path, "type", None, _shown(part)))
    found += [
        Change("removed", path, "type", _shown(part), None)
        for path, part in before.items()
        if path not in after and _parent(path, after)
    ]
    return found


def parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Part]]:
    """Every field of a schema by its path, those of records in it included; first the event itself."""
    yield "", Part({"doc": schema.get("doc", "")})
    yield from _fields(schema, "", {})


def type_text(declared: Any) -> str:
    """A type in few words: ``string?``, ``list of AlertInfo``, ``timestamp-millis``."""
    if isinstance(declared, list):
        branches = [type_text(branch) for branch in declared if branch != "null"]
        return " or ".join(branches) + ("?" if "null" in declared else "")
    if isinstance(declared, str):
        return declared
    match declared["type"]:
        case "array":
            return f"list of {type_text(declared['items'])}"
        case "map":
            return f"map of {type_text(declared['values'])}"
        case "record" | "enum" | "fixed":
            return str(declared["name"]).rpartition(".")[2]
    inner = declared["type"]
    return str(declared.get("logicalType") or (inner if isinstance(inner, str) else type_text(inner)))


def _fields(schema: Mapping[str, Any], path: str, named: dict[str, Any]) -> Iterator[tuple[str, Part]]:
    for field in schema["fields"]:
        here = f"{path}.{field['name']}" if path else str(field["name"])
        attributes = {"type": type_text(field["type"])}
        attributes |= {name: _text(field[name]) for name in ("default", "doc", "personal", "aliases") if name in field}
        yield from _within(field["type"], here, attributes, named)


def _within(
    declared: Any, path: str, attributes: Mapping[str, str], named: dict[str, Any]
) -> Iterator[tuple[str, Part]]:
    """A field, and what lies in it."""
    if isinstance(declared, list):
        declared = next((branch for branch in declared if branch != "null"), "null")
    if isinstance(declared, str):
        declared = named.get(declared, declared)
    if isinstance(declared, str):
        yield path, Part(attributes)
        return
    if "name" in declared:
        space = declared.get("namespace", "")
        named[declared["name"] if "." in declared["name"] or not space else f"{space}.{declared['name']}"] = declared
    kind = declared["type"]
    yield path, Part({**attributes, "symbols": ", ".join(declared["symbols"])} if kind == "enum" else attributes)
    if kind == "record":
        yield from _fields(declared, path, named)
    elif kind in ("array", "map"):
        inner = declared["items" if kind == "array" else "values"]
        yield from _within(inner, f"{path}[]", {"type": type_text(inner)}, named)


def _changed(path: str, before: Part, after: Part) -> Iterator[Change]:
    for name in _ATTRIBUTES:
        old, new = before.attributes.get(name), after.attributes.get(name)
        if old != new:
            yield Change("changed", path, name, old, new)


def _parent(path: str, others: Mapping[str, Part]) -> bool:
    """Whether the other version has what a path lies in: else that is told instead."""
    above = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
    return above in others


def _shown(part: Part) -> str:
    return part.attributes.get("symbols") or part.attributes["type"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value else orjson.dumps(value).decode()
