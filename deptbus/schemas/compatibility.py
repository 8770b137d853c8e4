"""Whether one schema version can read what another wrote, strictly: also what Avro's own rules let pass.

Pure. Beyond Avro 1.12 ("Schema Resolution") it refuses what changes meaning without changing bytes: another
logical type, another decimal scale, a name that only an alias bridges (registries differ on whether aliases
count across several versions), a default that is taken away. So it does bytes that are to be read as text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deptbus.schemas.store import SchemaFile

BACKWARD = "BACKWARD_TRANSITIVE"
FULL = "FULL_TRANSITIVE"
NONE = "NONE"
_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
}
"""By the writer's type, what a reader may have. Not text of bytes, which Avro allows: bytes need not be UTF-8."""
Finding = tuple[str, str]
"""A field path and the rule that is broken there."""


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why a version breaks a reader."""

    newer: SchemaFile
    older: SchemaFile
    reader: SchemaFile
    """Which of the two cannot read what the other wrote."""
    field: str
    rule: str
    level: str

    def sentence(self, file: str, readers: tuple[str, ...]) -> str:
        """For people; ``readers`` are the departments that read the topic."""
        writer = self.older if self.reader is self.newer else self.newer
        where = f"{file}, field {self.field}" if self.field else file
        who = ", ".join(readers)
        return (
            f"{where}: {self.rule}. A reader with v{self.reader.version} cannot use what "
            f"v{writer.version} wrote ({self.level}); this breaks {who}. Undo it, or make a new event type."
        )


def compare(versions: tuple[SchemaFile, ...], level: str) -> list[Incompatibility]:
    """Every reason why the versions of one type do not hold to ``level``, each pair compared once."""
    if level == NONE:
        return []
    found = []
    for index, newer in enumerate(versions):
        for older in versions[:index]:
            pairs = [(newer, older)] + ([(older, newer)] if level == FULL else [])
            for reader, writer in pairs:
                found += [
                    Incompatibility(newer, older, reader, field, rule, level)
                    for field, rule in cannot_read(reader.schema, writer.schema)
                ]
            found += [
                Incompatibility(newer, older, newer, field, rule, level)
                for field, rule in _lost_defaults(newer.schema, older.schema)
            ]
    return found


def cannot_read(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[Finding]:
    """Why data of ``writer`` cannot be read as ``reader``; empty if it can."""
    found = list(dict.fromkeys(_Resolution(reader, writer).differences()))
    if not found and (messages := _second_opinion(reader, writer)):
        found = [("", f"Avro's own checker refuses it: {message}") for message in messages]
    return found


class _Resolution:
    """One walk through a reader's and a writer's schema side by side."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._reader, self._writer = reader, writer
        self._reader_names = dict(_names(reader))
        self._writer_names = dict(_names(writer))
        self._under_way: set[tuple[str, str]] = set()

    def differences(self) -> Iterator[Finding]:
        return self._type(self._reader, self._writer, "")

    def _type(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        reader, writer = _resolve(reader, self._reader_names), _resolve(writer, self._writer_names)
        if isinstance(writer, list):
            for branch in writer:
                yield from self._branch(reader, branch, path)
        elif isinstance(reader, list):
            yield from self._branch(reader, writer, path)
        else:
            yield from self._single(reader, writer, path)

    def _branch(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        """What one writer branch may meet: a reader branch of its kind, or the reader itself."""
        if not isinstance(reader, list):
            yield from self._type(reader, writer, path)
            return
        writer = _resolve(writer, self._writer_names)
        branches = [_resolve(branch, self._reader_names) for branch in reader]
        same = [branch for branch in branches if _label(branch) == _label(writer)]
        for branch in same or branches:
            findings = list(self._type(branch, writer, path))
            if same or not findings:
                yield from findings
                return
        yield path, f"the union has no branch for {_label(writer)}"

    def _single(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        kind, wrote = _kind(reader), _kind(writer)
        if kind != wrote:
            if kind not in _PROMOTIONS.get(wrote, ()):
                yield (
                    path,
                    f"the type {_label(writer)} became {_label(reader)}" if path else "the type changed",
                )
                return
        elif kind == "record":
            yield from self._record(reader, writer, path)
        elif kind == "enum":
            yield from self._enum(reader, writer, path)
        elif kind == "fixed":
            yield from self._renamed(reader, writer, path)
            if reader["size"] != writer["size"]:
                yield path, f"the size changed between {writer['size']} and {reader['size']}"
        elif kind in {"array", "map"}:
            part = "items" if kind == "array" else "values"
            yield from self._type(reader[part], writer[part], f"{path}[]")
        yield from _logical(reader, writer, path)

    def _record(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        pair = (_label(reader), _label(writer))
        if pair in self._under_way:  # a record within itself
            return
        self._under_way.add(pair)
        yield from self._renamed(reader, writer, path)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            here = f"{path}.{field['name']}" if path else field["name"]
            if field["name"] in written:
                yield from self._type(field["type"], written[field["name"]]["type"], here)
            elif aliased := [alias for alias in field.get("aliases", ()) if alias in written]:
                yield (
                    here,
                    f"the field was renamed from {aliased[0]} by an alias, which not every reader follows",
                )
            elif "default" not in field:
                yield here, "the field is not in the other version and has no default"
        self._under_way.discard(pair)

    @staticmethod
    def _renamed(reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        if _label(reader) != _label(writer):
            by_alias = " by an alias, which not every reader follows" if reader.get("aliases") else ""
            yield path, f"the type {_label(writer)} was renamed to {_label(reader)}{by_alias}"

    def _enum(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        yield from self._renamed(reader, writer, path)
        missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
        if missing and "default" not in reader:
            yield path, f"the enum {_label(reader)} lacks {', '.join(missing)} and has no default"


def _logical(reader: Any, writer: Any, path: str) -> Iterator[Finding]:
    now = reader.get("logicalType") if isinstance(reader, dict) else None
    before = writer.get("logicalType") if isinstance(writer, dict) else None
    if now != before:
        yield path, f"the logical type {before or 'none'} became {now or 'none'}"
    elif now == "decimal":
        for attribute, unset in (("precision", None), ("scale", 0)):
            wrote, reads = writer.get(attribute, unset), reader.get(attribute, unset)
            if wrote != reads:
                yield path, f"the decimal's {attribute} {wrote} became {reads}"


def _lost_defaults(newer: Mapping[str, Any], older: Mapping[str, Any]) -> Iterator[Finding]:
    """Fields and enums that had a default and no longer have one: an older version may be without them."""
    before, now = dict(_names(older)), dict(_names(newer))
    for name in sorted(before.keys() & now.keys()):
        was, is_ = before[name], now[name]
        if was["type"] == "enum" and "default" in was and "default" not in is_:
            yield "", f"the enum {name} lost its default"
        if was["type"] == "record" and is_["type"] == "record":
            fields = {field["name"]: field for field in is_["fields"]}
            for field in was["fields"]:
                if "default" in field and field["name"] in fields and "default" not in fields[field["name"]]:
                    owner = "" if is_ is newer else f"{name}."
                    yield f"{owner}{field['name']}", "the field lost its default"


def _names(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every named type that is written out in a self-contained schema."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _names(branch)
    elif isinstance(schema, Mapping):
        kind = schema["type"]
        if kind in {"record", "enum", "fixed"}:
            yield f"{schema['namespace']}.{schema['name']}", schema
            for field in schema.get("fields", ()):
                yield from _names(field["type"])
        elif kind in {"array", "map"}:
            yield from _names(schema["items" if kind == "array" else "values"])
        elif not isinstance(kind, str):
            yield from _names(kind)


def _resolve(schema: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(schema, str):
        return names.get(schema, schema)
    if isinstance(schema, Mapping) and not isinstance(schema["type"], str):
        return _resolve(schema["type"], names)
    return schema


def _kind(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _label(schema: Any) -> str:
    """What a union knows a branch by: the full name of a named type, else its kind."""
    kind = _kind(schema)
    return f"{schema['namespace']}.{schema['name']}" if kind in {"record", "enum", "fixed"} else kind


def _second_opinion(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[str]:
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType  # noqa: PLC0415  # as below
    from avro.schema import make_avsc_object  # noqa: PLC0415  # slow to import, and only checks need it

    result = ReaderWriterCompatibilityChecker().get_compatibility(
        make_avsc_object(dict(reader)), make_avsc_object(dict(writer))
    )
    if result.compatibility is SchemaCompatibilityType.incompatible:
        return sorted(result.messages)
    return []
