"""The catalogue as a page shows it: departments, topics, grants, event types, data elements, versions of schemas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from deptbus.catalogue import Catalogue, Department, Grant, Topic
from deptbus.desk.refused import Missing
from deptbus.schemas.store import SchemaFile
from deptbus.workflow.said import Said
from services.dashboard.look import Look
from services.dashboard.views.schemadiff import differences, type_text


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is seen on topics now; empty where nobody has looked yet."""

    rates: Mapping[str, float] = field(default_factory=dict)
    """Events a second, by topic."""
    readers: Mapping[str, list[str]] = field(default_factory=dict)
    """The groups that read each topic."""


def catalogue(look: Look, traffic: Traffic) -> dict[str, Any]:
    """Everything that is declared. Whoever may see anything may see it: it says what exists, and no more."""
    files, now_ms = look.catalogue, look.clock()
    return {
        "departments": [_department(one) for one in files.departments.values()],
        "topics": [_topic(one, traffic, now_ms) for one in files.topics.values()],
        "types": [_type(files, kind) for kind in files.schemas.types()],
        "elements": [
            {"id": element, "owner": one.id, "titles": dict(one.titles)}
            for one in files.departments.values()
            for element in one.elements
        ],
    }


def event_type(look: Look, name: str) -> dict[str, Any]:
    """The versions of an event type, oldest first, each with what it changed; ``Missing``."""
    schemas = look.catalogue.schemas
    if name not in schemas.types():
        raise Missing(Said(f"没有事件类型 {name}。", f"There is no event type {name}."))
    files = schemas.versions(name)
    changes = [[], *(differences(older.schema, newer.schema) for older, newer in pairwise(files))]
    return {
        "type": name,
        "topic": look.catalogue.topic_of(name).name,
        "versions": [
            {"version": file.version, "schema": file.schema, "changes": [change.to_json() for change in changed]}
            for file, changed in zip(files, changes, strict=True)
        ],
    }


def _department(one: Department) -> dict[str, Any]:
    return {
        "id": one.id, "titles": dict(one.titles), "level": one.level, "region": one.region, "org_code": one.org_code,
    }  # fmt: skip


def _topic(topic: Topic, traffic: Traffic, now_ms: int) -> dict[str, Any]:
    return {
        "name": topic.name,
        "owner": topic.owner,
        "key": topic.key,
        "partitions": topic.partitions,
        "retention": None if topic.retention_ms < 0 else topic.retention_ms,
        "cleanup": topic.cleanup,
        "classification": topic.classification,
        "sharing": topic.sharing,
        "types": list(topic.event_types),
        "grants": [_grant(grant, now_ms) for grant in topic.grants],
        "rate": traffic.rates.get(topic.name),
        "readers": traffic.readers.get(topic.name, []),
    }


def _grant(grant: Grant, now_ms: int) -> dict[str, Any]:
    return {
        "department": grant.department,
        "purpose": grant.purpose,
        "legal_basis": grant.legal_basis,
        "fields": None if grant.fields is None else list(grant.fields),
        "until": grant.until,
        "in_force": grant.holds(now_ms),
    }


def _type(files: Catalogue, kind: str) -> dict[str, Any]:
    found = files.schemas.versions(kind)
    newest: SchemaFile = found[-1]
    return {
        "type": kind,
        "owner": newest.owner,
        "topic": files.topic_of(kind).name,
        "doc": newest.schema.get("doc", ""),
        "versions": [file.version for file in found],
        "fields": [
            {"name": part["name"], "type": type_text(part["type"]), "doc": part.get("doc", "")}
            for part in newest.schema["fields"]
        ],
    }
