"""Reads ``schemas/`` into a ``SchemaStore``: every version of every event type, self-contained.

``schemas/<owner>/<Event>/v<N>.avsc`` holds the events, ``schemas/common/<Name>.avsc`` the records and enums
that they share by full name. A shared type is written out at its first use, so that what is registered needs
nothing else.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deptbus.errors import SchemaError
from deptbus.schemas.normalize import Normalizer, Problem

COMMON = "common"
_VERSION = re.compile(r"v([1-9][0-9]*)\.avsc")
_OWNER = re.compile(r"[a-z][a-z0-9]{1,29}")
_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One version of one event type."""

    type: str
    """The Avro full name: ``health.CasesConfirmed``."""
    version: int
    path: Path
    schema: dict[str, Any]
    """Self-contained, with logical types and attributes, as it is registered. Not to be changed."""

    @property
    def owner(self) -> str:
        """The department, or ``workflow`` or ``bus``."""
        return self.type.partition(".")[0]

    @property
    def name(self) -> str:
        """The event's name without its owner."""
        return self.type.partition(".")[2]


class SchemaStore:
    """Every schema version on disk, by event type and in order of version."""

    def __init__(self, files: Iterable[SchemaFile]) -> None:
        by_type: dict[str, list[SchemaFile]] = {}
        for file in sorted(files, key=lambda file: (file.type, file.version)):
            by_type.setdefault(file.type, []).append(file)
        self._versions = {event_type: tuple(found) for event_type, found in by_type.items()}

    def types(self) -> tuple[str, ...]:
        """Every event type, sorted."""
        return tuple(self._versions)

    def versions(self, event_type: str) -> tuple[SchemaFile, ...]:
        """The versions of a type, oldest first; ``SchemaError`` if there is none."""
        try:
            return self._versions[event_type]
        except KeyError:
            raise SchemaError(
                f"There is no event type {event_type}; add schemas/{event_type.replace('.', '/')}/v1.avsc."
            ) from None

    def newest(self, event_type: str) -> SchemaFile:
        """The version that writes."""
        return self.versions(event_type)[-1]

    def all(self) -> tuple[SchemaFile, ...]:
        """Every version of every type, types sorted, oldest version first."""
        return tuple(file for found in self._versions.values() for file in found)


def load_schemas(root: Path) -> SchemaStore:
    """The schemas below ``root/schemas``; ``SchemaError`` names file, field and rule of what is broken."""
    store, problems = read_schemas(root)
    if problems:
        more = f" ({len(problems) - 1} more: run `deptbus schemas check`.)" if len(problems) > 1 else ""
        raise SchemaError(f"{problems[0]}{more}")
    return store


def read_schemas(root: Path) -> tuple[SchemaStore, list[Problem]]:
    """What could be read, and every broken file or rule."""
    folder = root / "schemas"
    problems: list[Problem] = []
    shared = _read_shared(folder / COMMON, root, problems)
    files = []
    for owner in sorted(_folders(folder)):
        if owner.name == COMMON:
            continue
        if not _OWNER.fullmatch(owner.name):
            problems.append(
                Problem(_shown(owner, root), "", "a folder is an owner's id: lower-case letters and digits")
            )
            continue
        for event in sorted(_folders(owner)):
            files += _read_event(event, root, shared, problems)
    return SchemaStore(files), problems


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_"))]


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _read_shared(folder: Path, root: Path, problems: list[Problem]) -> dict[str, tuple[str, Any]]:
    """Full name to (file, raw definition) of the shared types, each checked by itself."""
    shared: dict[str, tuple[str, Any]] = {}
    for path in sorted(folder.glob("*.avsc")):
        file = _shown(path, root)
        raw = _parse(path, file, problems)
        if raw is not None:
            shared[f"{COMMON}.{path.stem}"] = (file, raw)
    for full_name, (file, raw) in shared.items():
        if not isinstance(raw, dict) or raw.get("type") not in {"record", "enum", "fixed"}:
            problems.append(Problem(file, "", "a shared type is a record, an enum or a fixed"))
            continue
        normalizer = Normalizer(file, shared)
        normalizer.root(raw, full_name)
        # What lies in another shared file is reported there.
        problems += [problem for problem in normalizer.problems if problem.file == file]
    return shared


def _read_event(
    folder: Path, root: Path, shared: Mapping[str, tuple[str, Any]], problems: list[Problem]
) -> list[SchemaFile]:
    event_type = f"{folder.parent.name}.{folder.name}"
    if not _PASCAL.fullmatch(folder.name):
        problems.append(Problem(_shown(folder, root), "", "an event's name is in PascalCase, such as CaseReported"))
    files = []
    for path in sorted(folder.glob("*.avsc")):
        file = _shown(path, root)
        match = _VERSION.fullmatch(path.name)
        if match is None:
            problems.append(Problem(file, "", "a version's file is named v1.avsc, v2.avsc and so on"))
            continue
        raw = _parse(path, file, problems)
        if raw is None:
            continue
        if not isinstance(raw, dict) or raw.get("type") != "record":
            problems.append(Problem(file, "", "an event is a record"))
            continue
        normalizer = Normalizer(file, shared)
        schema = normalizer.root(raw, event_type)
        # A shared type's own faults were reported at its own file.
        own = [problem for problem in normalizer.problems if problem.file == file]
        problems += own
        if not normalizer.problems:
            files.append(SchemaFile(event_type, int(match[1]), path, schema))
    versions = sorted(int(match[1]) for path in folder.glob("*.avsc") if (match := _VERSION.fullmatch(path.name)))
    if versions != list(range(1, len(versions) + 1)):
        problems.append(Problem(_shown(folder, root), "", f"versions must be v1, v2, … without a gap, not {versions}"))
    if not versions:
        problems.append(Problem(_shown(folder, root), "", "the folder of an event holds at least v1.avsc"))
    return files


def _parse(path: Path, file: str, problems: list[Problem]) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_duplicates)
    except json.JSONDecodeError as error:
        problems.append(
            Problem(file, "", f"this is not valid JSON: {error.msg}", line=error.lineno, column=error.colno)
        )
    except (ValueError, OSError) as error:
        problems.append(Problem(file, "", f"this cannot be read: {error}"))
    return None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found
