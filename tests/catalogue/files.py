"""A small catalogue on disk, and ways to spoil it."""

import json
from pathlib import Path
from typing import Any

DEPARTMENTS = {"health": "11100000MB9001001R", "cdc": "11100000MB90020011"}

TOPICS = """\
owner: health
topics:
  - name: health.cases
    events: [health.CaseReported]
    grants:
      - department: cdc
        purpose: verify reported cases
        legal_basis: Law, art. 33
        until: 2030-06-30
        fields: [number, level]
"""

LEVEL = {"type": "enum", "name": "Level", "namespace": "common", "doc": "How bad.", "symbols": ["LOW", "HIGH"]}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """A field with its doc."""
    return {"name": name, "type": kind, "doc": f"The {name}.", **more}


def record(name: str, *fields: dict[str, Any], namespace: str = "health", **more: Any) -> dict[str, Any]:
    """A record with its doc."""
    return {
        "type": "record",
        "name": name,
        "namespace": namespace,
        "doc": f"What {name} says.",
        "fields": list(fields),
        **more,
    }


def case_reported() -> dict[str, Any]:
    """The event of the small catalogue, as it is written in its file."""
    return record(
        "CaseReported",
        field("number", "string"),
        field("level", "common.Level"),
        field("before", ["null", "common.Level"], default=None),
        field("reported_at", {"type": "long", "logicalType": "timestamp-millis"}),
        field("patient", ["null", record("Patient", field("name", "string", personal=True))], default=None),
        field("tags", {"type": "array", "items": "string"}, default=[]),
    )


def write_schema(root: Path, event_type: str, schema: Any, version: int = 1) -> Path:
    """Write one version; ``event_type`` in ``common`` has none."""
    owner, _, name = event_type.partition(".")
    path = root / "schemas" / owner
    path = path / f"{name}.avsc" if owner == "common" else path / name / f"v{version}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema, indent=2), encoding="utf-8")
    return path


def write_topics(root: Path, owner: str, text: str) -> None:
    """Write ``topics/<owner>.yaml``."""
    (root / "topics").mkdir(exist_ok=True)
    (root / "topics" / f"{owner}.yaml").write_text(text, encoding="utf-8")


def write_department(root: Path, name: str, **changes: Any) -> None:
    """Write ``services/<name>/department.yaml``."""
    content = {
        "id": name,
        "org_code": DEPARTMENTS.get(name, "91350100M000100Y43"),
        "level": "city",
        "region": "440100",
        "titles": {"zh": "部门", "en": name},
    } | changes
    folder = root / "services" / name
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (folder / "department.yaml").write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def write_catalogue(root: Path) -> Path:
    """Two departments, one topic, one event type with a shared type."""
    for name in DEPARTMENTS:
        write_department(root, name)
    write_schema(root, "common.Level", LEVEL)
    write_schema(root, "health.CaseReported", case_reported())
    write_topics(root, "health", TOPICS)
    return root
