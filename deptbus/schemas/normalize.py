"""Turns one schema as written into one that is self-contained, and reports every rule that it breaks.

Pure. Named types come out with an explicit namespace, references as full names, shared types written out at
their first use; all attributes are kept.
"""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names that the generated pydantic classes use for themselves.
_RESERVED = frozenset({"copy", "dict", "json", "schema", "construct", "validate", "to_data", "from_data"})
_UNDERLYING = {
    "date": "int",
    "time-millis": "int",
    "time-micros": "long",
    "timestamp-millis": "long",
    "timestamp-micros": "long",
    "local-timestamp-millis": "long",
    "local-timestamp-micros": "long",
    "uuid": "string",
    "decimal": "bytes",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule, with where it is."""

    file: str
    field: str
    """The path of the field, such as ``patient.address``; empty for the file as a whole."""
    rule: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}, column {self.column}"
        if self.field:
            where += f", field {self.field}"
        return f"{where}: {self.rule}."


class Normalizer:
    """Walks one file's schema; afterwards ``problems`` holds what is wrong with it."""

    def __init__(self, file: str, shared: Mapping[str, tuple[str, Any]]) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._shared = shared
        self._defined: dict[str, Any] = {}

    def root(self, raw: Mapping[str, Any], full_name: str) -> dict[str, Any]:
        """The self-contained schema; ``full_name`` is what folder and file say that it is called."""
        namespace, _, name = full_name.rpartition(".")
        found = self._full_name(raw, namespace)
        if found != full_name:
            self._report("", f"the full name is {found}, but folder and file say {full_name}")
        done: dict[str, Any] = self._named({**raw, "name": name, "namespace": namespace}, namespace, "")
        return done

    def _report(self, field: str, rule: str) -> None:
        self.problems.append(Problem(self._file, field, rule))

    @staticmethod
    def _full_name(raw: Mapping[str, Any], enclosing: str) -> str:
        name = str(raw.get("name", ""))
        if "." in name:
            return name
        return f"{raw.get('namespace', enclosing)}.{name}"

    def _type(self, raw: Any, namespace: str, path: str) -> Any:  # one return a kind
        if isinstance(raw, str):
            return raw if raw in PRIMITIVES else self._reference(raw, namespace, path)
        if isinstance(raw, list):
            return self._union(raw, namespace, path)
        if not isinstance(raw, dict) or "type" not in raw:
            self._report(path, "a type is a name, a union or an object with a type")
            return "null"
        kind = raw["type"]
        if kind in {"record", "enum", "fixed"}:
            return self._named(raw, namespace, path)
        if kind == "array":
            return {**raw, "items": self._part(raw, "items", namespace, path)}
        if kind == "map":
            return {**raw, "values": self._part(raw, "values", namespace, path)}
        self._check_logical(raw, path)
        inner = self._type(kind, namespace, path)
        if len(raw) == 1:
            return inner
        return {**raw, "type": inner}

    def _part(self, raw: Mapping[str, Any], part: str, namespace: str, path: str) -> Any:
        if part not in raw:
            self._report(path, f"the {raw['type']} has no {part}")
            return "null"
        return self._type(raw[part], namespace, f"{path}[]")

    def _union(self, raw: list[Any], namespace: str, path: str) -> list[Any]:
        branches = [self._type(branch, namespace, path) for branch in raw]
        names = [_branch_name(branch) for branch in branches]
        if any(isinstance(branch, list) for branch in branches):
            self._report(path, "a union holds another union")
        if len(set(names)) != len(names):
            self._report(path, "a union holds one kind of type twice")
        return branches

    def _reference(self, name: str, namespace: str, path: str) -> Any:
        full_name = name if "." in name else f"{namespace}.{name}"
        if full_name in self._defined:
            return full_name
        if full_name not in self._shared:
            self._report(path, f"the type {full_name} is not defined; shared types stand in schemas/common/")
            return "null"
        file, raw = self._shared[full_name]
        if not isinstance(raw, dict):
            return "null"
        outer, self._file = self._file, file
        try:
            shared_namespace, _, short = full_name.rpartition(".")
            return self._named({**raw, "name": short, "namespace": shared_namespace}, shared_namespace, "")
        finally:
            self._file = outer

    def _named(self, raw: Mapping[str, Any], enclosing: str, path: str) -> Any:
        full_name = self._full_name(raw, enclosing)
        namespace, _, name = full_name.rpartition(".")
        if not _PASCAL.fullmatch(name):
            self._report(path, f"the type name {name!r} is not in PascalCase")
        if not _has_doc(raw):
            self._report(path, f"the {raw['type']} {full_name} has no doc")
        if full_name in self._defined:
            if self._defined[full_name] != _without_doc(raw):
                self._report(path, f"the type {full_name} is defined twice and differently")
            return full_name
        self._defined[full_name] = _without_doc(raw)
        done = {"type": raw["type"], "name": name, "namespace": namespace}
        done |= {key: value for key, value in raw.items() if key not in done}
        if raw["type"] == "record":
            done["fields"] = self._fields(raw, namespace, path)
        elif raw["type"] == "enum":
            self._check_enum(raw, full_name, path)
        elif not isinstance(raw.get("size"), int) or raw["size"] <= 0:
            self._report(path, f"the fixed {full_name} has no positive size")
        return done

    def _fields(self, raw: Mapping[str, Any], namespace: str, path: str) -> list[dict[str, Any]]:
        fields = raw.get("fields")
        if not isinstance(fields, list):
            self._report(path, "the record has no list of fields")
            return []
        done, seen = [], set()
        for field in fields:
            if not isinstance(field, dict) or not isinstance(field.get("name"), str) or "type" not in field:
                self._report(path, "a field is an object with a name, a type and a doc")
                continue
            name = field["name"]
            here = f"{path}.{name}" if path else name
            if not _SNAKE.fullmatch(name):
                self._report(here, "a field's name is in snake_case")
            if keyword.iskeyword(name) or name in _RESERVED or name.startswith("model_"):
                self._report(here, "this name is reserved in Python or pydantic; choose another")
            if name in seen:
                self._report(here, "the record has two fields of this name")
            seen.add(name)
            if not _has_doc(field):
                self._report(here, "the field has no doc")
            if "personal" in field and not isinstance(field["personal"], bool):
                self._report(here, "personal is true or false")
            done.append({**field, "type": self._type(field["type"], namespace, here)})
            self._check_default(done[-1], here)
        return done

    def _check_enum(self, raw: Mapping[str, Any], full_name: str, path: str) -> None:
        symbols = raw.get("symbols")
        if not isinstance(symbols, list) or not symbols or not all(isinstance(symbol, str) for symbol in symbols):
            self._report(path, f"the enum {full_name} has no list of symbols")
            return
        for symbol in symbols:
            if not _SYMBOL.fullmatch(symbol):
                self._report(path, f"the symbol {symbol!r} of {full_name} is not letters, digits and underscores")
        if len(set(symbols)) != len(symbols):
            self._report(path, f"the enum {full_name} holds a symbol twice")
        if "default" in raw and raw["default"] not in symbols:
            self._report(path, f"the default {raw['default']!r} of {full_name} is none of its symbols")

    def _check_logical(self, raw: Mapping[str, Any], path: str) -> None:
        logical = raw.get("logicalType")
        if logical is None:
            return
        expected = _UNDERLYING.get(logical)
        if expected is None:
            self._report(path, f"the logical type {logical!r} is not one that Avro defines")
        elif raw["type"] != expected:
            self._report(path, f"the logical type {logical} stands on {expected}, not on {raw['type']}")
        elif logical == "decimal":
            precision, scale = raw.get("precision"), raw.get("scale", 0)
            if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision:
                self._report(path, "a decimal has a precision and a scale between 0 and it")

    def _check_default(self, field: Mapping[str, Any], path: str) -> None:
        if "default" not in field:
            return
        branch = field["type"]
        if isinstance(branch, list):
            branch = branch[0] if branch else "null"
        if not _fits(field["default"], branch):
            self._report(
                path,
                f"the default {field['default']!r} does not fit {_branch_name(branch)}, its (first) type",
            )


def _has_doc(raw: Mapping[str, Any]) -> bool:
    doc = raw.get("doc")
    return isinstance(doc, str) and bool(doc.strip())


def _without_doc(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in {"doc", "namespace"}}


def _branch_name(branch: Any) -> str:
    if isinstance(branch, str):
        return branch
    if isinstance(branch, list):
        return "union"
    kind = branch["type"]
    if kind in {"record", "enum", "fixed"}:
        return f"{branch['namespace']}.{branch['name']}"
    return kind if isinstance(kind, str) else _branch_name(kind)


_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "int": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "bytes": str,
    "fixed": str,
    "string": str,
    "enum": str,
    "array": list,
    "map": dict,
    "record": dict,
}


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON default is of a type's kind (Avro 1.12, "default")."""
    definition: Mapping[str, Any] = kind if isinstance(kind, dict) else {}
    name = definition.get("type", kind)
    if isinstance(name, dict):
        return _fits(value, name)
    if name == "null":
        return value is None
    expected = _JSON_TYPES.get(name)
    if expected is None:  # a reference to a named type defined above: encoding will say
        return True
    if not isinstance(value, expected) or (isinstance(value, bool) and name != "boolean"):
        return False
    return value in definition["symbols"] if name == "enum" and "symbols" in definition else True
