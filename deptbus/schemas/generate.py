"""Writes the typed event classes of each owner from its newest schemas, as Python source.

Pure and deterministic: the same schemas give the same text, formatted as ruff would.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deptbus.catalogue import BUS_OWNERS
from deptbus.errors import SchemaError
from deptbus.schemas.store import SchemaFile, SchemaStore

WIDTH = 110
_PLAIN = {
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
    "null": "None",
}
# Logical type to (the name used, the module it comes from).
_LOGICAL = {
    "timestamp-millis": ("Timestamp", "deptbus.schemas.events"),
    "timestamp-micros": ("TimestampMicros", "deptbus.schemas.events"),
    "local-timestamp-millis": ("datetime", "datetime"),
    "local-timestamp-micros": ("datetime", "datetime"),
    "date": ("date", "datetime"),
    "time-millis": ("time", "datetime"),
    "time-micros": ("time", "datetime"),
    "decimal": ("Decimal", "decimal"),
    "uuid": ("UUID", "uuid"),
}


@dataclass(slots=True)
class _Module:
    """One owner's source as it grows; definitions come before their use."""

    owner: str
    definitions: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """Full name to its schema (to notice two that differ) and its source."""
    imports: dict[str, set[str]] = field(default_factory=dict)

    def need(self, module: str, name: str) -> str:
        self.imports.setdefault(module, set()).add(name)
        return name


def target(root: Path, owner: str) -> Path | None:
    """Where an owner's classes belong; None where ``root`` has no place for them."""
    if owner in BUS_OWNERS:
        folder = root / "deptbus" / "schemas" / "generated"
        return folder / f"{owner}.py" if folder.is_dir() else None
    folder = root / "services" / owner
    return folder / "events.py" if (folder / "department.yaml").exists() else None


def generate(root: Path, store: SchemaStore) -> dict[Path, str]:
    """File and source of every owner; ``SchemaError`` if a name means two things in one owner's events."""
    sources = {}
    for owner in sorted({event_type.partition(".")[0] for event_type in store.types()}):
        path = target(root, owner)
        if path is not None:
            newest = [store.newest(name) for name in store.types() if name.startswith(f"{owner}.")]
            sources[path] = source(owner, newest)
    return sources


def write(root: Path, store: SchemaStore) -> list[Path]:
    """Write what ``generate`` answers where it differs; answers the files that were written."""
    written = []
    for path, text in generate(root, store).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def stale(root: Path, store: SchemaStore) -> list[str]:
    """One sentence for each file that does not hold what ``generate`` would write."""
    found = []
    for path, text in generate(root, store).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            file = path.relative_to(root)
            found.append(f"{file}: the file is not as the schemas say; run `deptbus schemas generate`.")
    return found


def source(owner: str, files: list[SchemaFile]) -> str:
    """The Python source of an owner's event classes."""
    module = _Module(owner)
    for file in sorted(files, key=lambda file: file.type):
        _define(module, file.schema, file)
    head = [
        f'"""The events of {owner}, typed.',
        "",
        f"Written by `deptbus schemas generate` from schemas/{owner}/; change those, not this file.",
        '"""',
        "",
    ]
    body = [text for _, text in module.definitions.values()]
    head += _imports(module)
    # One empty line between aliases and after imports, two around classes, as ruff has it.
    text = "\n".join(head)
    previous_class = False
    for part in body:
        is_class = part.startswith("class ")
        text += ("\n\n\n" if is_class or previous_class else "\n\n") + part
        previous_class = is_class
    return text + "\n"


def _imports(module: _Module) -> list[str]:
    local = sorted(name for name in module.imports if name.startswith("deptbus"))
    standard = sorted(name for name in module.imports if name not in local and name != "pydantic")
    groups = [standard, ["pydantic"] if "pydantic" in module.imports else [], local]
    lines: list[str] = []
    for group in groups:
        if group and lines:
            lines.append("")
        lines += [f"from {name} import {', '.join(sorted(module.imports[name]))}" for name in group]
    return lines


def _define(module: _Module, schema: Mapping[str, Any], file: SchemaFile, event: bool = True) -> str:
    """Add a named type unless it is there; answers the name that stands for it."""
    full_name, name = f"{schema['namespace']}.{schema['name']}", str(schema["name"])
    known = next((entry for entry in module.definitions if entry.rpartition(".")[2] == name), None)
    if known is not None:
        if known != full_name or module.definitions[known][0] != schema:
            raise SchemaError(
                f"schemas/{file.type.replace('.', '/')}/v{file.version}.avsc: the name {name} means something "
                f"else in another event of {module.owner}; choose another, or share one definition in "
                "schemas/common/."
            )
        return name
    if schema["type"] == "enum":
        module.definitions[full_name] = (schema, _alias(module, schema))
    elif schema["type"] == "fixed":
        module.definitions[full_name] = (schema, f"{name} = bytes\n{_doc(schema['doc'], '')}")
    else:
        text = _class(module, schema, file, event)
        module.definitions[full_name] = (schema, text)
    return name


def _alias(module: _Module, schema: Mapping[str, Any]) -> str:
    module.need("typing", "Literal")
    module.need("typing", "TypeAlias")
    symbols = [json.dumps(symbol) for symbol in schema["symbols"]]
    line = f"{schema['name']}: TypeAlias = Literal[{', '.join(symbols)}]"
    if _width(line) > WIDTH:
        line = f"{schema['name']}: TypeAlias = Literal[\n" + "".join(f"    {symbol},\n" for symbol in symbols) + "]"
    return f"{line}\n{_doc(schema['doc'], '')}"


def _class(module: _Module, schema: Mapping[str, Any], file: SchemaFile, event: bool) -> str:
    base = module.need("deptbus.schemas.events", "EventData" if event else "RecordData")
    lines = [f"class {schema['name']}({base}, frozen=True):", _doc(schema["doc"], "    ")]
    if event:
        module.need("typing", "ClassVar")
        lines += [
            "",
            f'    EVENT_TYPE: ClassVar[str] = "{file.type}"',
            f"    VERSION: ClassVar[int] = {file.version}",
        ]
    if schema["fields"]:
        lines.append("")
    for part in schema["fields"]:
        annotation = _annotation(module, part["type"], file)
        default = _default(module, part)
        lines.append(f"    {part['name']}: {annotation}{default}")
        doc = part["doc"]
        if part.get("personal"):
            doc = f"{doc.rstrip()} Personal data."
        lines.append(_doc(doc, "    "))
    return "\n".join(lines)


def _annotation(module: _Module, schema: Any, file: SchemaFile) -> str:  # one return a kind
    if isinstance(schema, str):
        return _PLAIN.get(schema) or schema.rpartition(".")[2]
    if isinstance(schema, list):
        branches = list(dict.fromkeys(_annotation(module, branch, file) for branch in schema))
        # None last, as people write it.
        return " | ".join(sorted(branches, key=lambda branch: branch == "None"))
    logical = schema.get("logicalType")
    if logical in _LOGICAL:
        name, origin = _LOGICAL[logical]
        return module.need(origin, name)
    kind = schema["type"]
    if kind in {"record", "enum", "fixed"}:
        return _define(module, schema, file, event=False)
    if kind == "array":
        return f"tuple[{_annotation(module, schema['items'], file)}, ...]"
    if kind == "map":
        module.need("collections.abc", "Mapping")
        return f"Mapping[str, {_annotation(module, schema['values'], file)}]"
    return _annotation(module, kind, file)


def _default(module: _Module, part: Mapping[str, Any]) -> str:  # one return a kind
    if "default" not in part:
        return ""
    value = part["default"]
    first = part["type"][0] if isinstance(part["type"], list) else part["type"]
    kind = first["type"] if isinstance(first, dict) else first
    if value is None:
        return " = None"
    if isinstance(first, dict) and str(first.get("logicalType", "")).startswith("timestamp-"):
        convert = module.need(
            "deptbus.schemas.events", "from_ms" if first["logicalType"] == "timestamp-millis" else "from_us"
        )
        return f" = {convert}({value})"
    if kind == "array" and value == []:
        return " = ()"
    if kind == "map" and value == {}:
        module.need("pydantic", "Field")
        return " = Field(default_factory=dict)"
    if isinstance(value, list | dict) or (isinstance(first, dict) and first.get("logicalType")):
        raise SchemaError(
            f"The field {part['name']} has the default {json.dumps(value, ensure_ascii=False)}; typed "
            "classes know only simple defaults: use null, [], {} or a plain value."
        )
    if kind in {"bytes", "fixed"}:
        return f" = {_quoted_bytes(value)}"
    if isinstance(value, str):
        return f" = {json.dumps(value, ensure_ascii=False)}"
    return f" = {float(value) if kind in {'float', 'double'} else value!r}"


def _quoted_bytes(value: str) -> str:
    text = repr(value.encode("latin-1"))
    return 'b"' + text[2:-1].replace('"', '\\"') + '"' if '"' not in text else text


def _doc(doc: str, indent: str) -> str:
    """A docstring, wrapped; Chinese characters are two columns wide."""
    text = " ".join(doc.split()).replace("\\", "\\\\").replace('"""', "'''")
    # ruff adds a space where a quote would touch the closing ones.
    closing = ' """' if text.endswith('"') else '"""'
    opening = '""" ' if text.startswith('"') else '"""'
    single = f"{indent}{opening}{text}{closing}"
    if _width(single) <= WIDTH:
        return single
    return "\n".join([*_wrap(f"{opening}{text}", indent), f'{indent}"""'])


def _wrap(text: str, indent: str) -> list[str]:
    lines, line = [], indent
    for word in text.split(" "):
        piece = word if line == indent else f" {word}"
        if _width(line + piece) > WIDTH and line != indent:
            lines.append(line)
            line, piece = indent, word
        # A run of Chinese has no spaces: it is cut where the line is full.
        while _width(line + piece) > WIDTH:
            cut = len(piece)
            while _width(line + piece[:cut]) > WIDTH:
                cut -= 1
            lines.append(line + piece[:cut])
            line, piece = indent, piece[cut:]
        line += piece
    return [*lines, line]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
