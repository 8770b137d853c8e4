"""The lock of released schema versions, ``schemas/released.json``: what is in it may never change again.

A version's fingerprint covers all that reaches data: names, types, defaults, logical types, attributes. Docs
are left out, so that a description can be put right.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from deptbus.errors import SchemaError
from deptbus.schemas.store import SchemaStore

Lock = dict[str, dict[str, str]]
"""Event type to version to fingerprint."""


def fingerprint(schema: Any) -> str:
    """SHA-256 of a self-contained schema without its docs, in hex."""
    text = json.dumps(_without_docs(schema), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_docs(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_docs(part) for part in schema]
    if isinstance(schema, dict):
        return {key: _without_docs(value) for key, value in schema.items() if key != "doc"}
    return schema


def read_lock(root: Path) -> Lock:
    """The lock; empty if nothing was released yet. ``SchemaError`` if the file is broken."""
    path = root / "schemas" / "released.json"
    if not path.exists():
        return {}
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(f"schemas/released.json: this is not valid JSON: {error}; restore it from git.") from None
    if not isinstance(lock, dict) or not all(isinstance(versions, dict) for versions in lock.values()):
        raise SchemaError("schemas/released.json: it must map event types to versions; restore it from git.")
    return lock


def edited(store: SchemaStore, lock: Lock) -> list[str]:
    """One sentence for each released version that was edited or removed."""
    found = []
    for event_type, versions in sorted(lock.items()):
        present = {}
        if event_type in store.types():
            present = {str(file.version): file for file in store.versions(event_type)}
        for version, expected in sorted(versions.items()):
            file = f"schemas/{event_type.replace('.', '/')}/v{version}.avsc"
            if version not in present:
                found.append(f"{file}: the version is released and was removed; restore it from git.")
            elif fingerprint(present[version].schema) != expected:
                found.append(
                    f"{file}: the version is released and it, or a shared type in it, was edited; restore it "
                    f"and write v{int(version) + 1}.avsc (a changed shared type is written out in the new one)."
                )
    return found


def release(root: Path, store: SchemaStore) -> list[str]:
    """Lock every version that is not yet; answers their names. ``SchemaError`` if a locked one was edited."""
    lock = read_lock(root)
    changed = edited(store, lock)
    if changed:
        raise SchemaError(changed[0])
    new = []
    for file in store.all():
        if str(file.version) not in lock.setdefault(file.type, {}):
            lock[file.type][str(file.version)] = fingerprint(file.schema)
            new.append(f"{file.type} v{file.version}")
    if new:
        text = json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (root / "schemas" / "released.json").write_text(text, encoding="utf-8")
    return new
