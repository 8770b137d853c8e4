"""The catalogue: every department, topic, event type and grant, read from the files and checked together.

``load_catalogue`` is how everything else learns what exists, who owns it and who may read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from deptbus.errors import CatalogueError, SchemaError, TopicError
from deptbus.schemas.store import SchemaStore, load_schemas
from deptbus.topics.declared import read_departments, read_topics, refuse_two_sources
from deptbus.topics.model import BUS_OWNERS, RESERVED, TASKS, Department, Grant, Topic

__all__ = [
    "BUS_OWNERS",
    "RESERVED",
    "TASKS",
    "Catalogue",
    "Department",
    "Grant",
    "Topic",
    "load_catalogue",
    "refuse_lapsed",
]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What exists. Immutable; read anew when files change."""

    departments: Mapping[str, Department]
    topics: Mapping[str, Topic]
    schemas: SchemaStore
    lapsed: tuple[str, ...] = ()
    """One sentence for each grant that had lapsed when the files were read."""
    _topic_of: Mapping[str, Topic] = field(default_factory=dict)

    def topic_of(self, event_type: str) -> Topic:
        """The one topic that carries an event type; ``CatalogueError`` if there is none."""
        try:
            return self._topic_of[event_type]
        except KeyError:
            owner = event_type.partition(".")[0]
            raise CatalogueError(
                f"No topic carries {event_type}; name it under `events` of a topic in topics/{owner}.yaml."
            ) from None

    def topic(self, name: str) -> Topic:
        """A topic by its logical name; ``CatalogueError`` if there is none."""
        try:
            return self.topics[name]
        except KeyError:
            raise CatalogueError(
                f"There is no topic {name}; `deptbus topics list` shows those that are declared."
            ) from None

    def may_read(self, department: str, topic_name: str, at_ms: int) -> Grant | None:
        """By what right a department (or ``workflow``, ``bus``) may read a topic; None if it may not."""
        topic = self.topic(topic_name)
        if topic.owner == department:
            return Grant(department, "its own topic", "owner")
        if department in BUS_OWNERS:
            return Grant(department, "the bus's own processes", "bus")
        if topic_name == TASKS:
            return Grant(department, "tasks asked of departments", "bus")
        for grant in topic.grants:
            if grant.department == department and grant.holds(at_ms):
                return grant
        return None

    def readers(self, topic: Topic) -> tuple[str, ...]:
        """The departments besides the owner that a topic is granted to, in force or not."""
        return tuple(dict.fromkeys(grant.department for grant in topic.grants))


def load_catalogue(root: Path, at_ms: int) -> Catalogue:
    """Everything below ``root``, checked together.

    ``CatalogueError`` (``SchemaError``, ``TopicError``) names file, line and rule. A grant that has lapsed at
    ``at_ms`` is no error here, for it lapses by itself: it stands in ``lapsed``, and ``may_read`` does not count
    it.
    """
    departments, sources = read_departments(root)
    refuse_two_sources(departments.values(), sources)
    schemas = load_schemas(root)
    topics, topic_of = read_topics(root, departments)
    _check_event_types(schemas, topic_of, departments)
    _check_granted_fields(schemas, topics)
    lapsed = tuple(
        f"{topic.file}: the grant of {topic.name} to {grant.department} lapsed after {grant.until}; "
        "renew it with a new date or remove it."
        for topic in topics.values()
        for grant in topic.grants
        if not grant.holds(at_ms)
    )
    return Catalogue(MappingProxyType(departments), MappingProxyType(topics), schemas, lapsed, topic_of)


def refuse_lapsed(catalogue: Catalogue) -> None:
    """``TopicError`` if a grant has lapsed: topics are planned and applied from files that hold."""
    if catalogue.lapsed:
        more = f" ({len(catalogue.lapsed) - 1} more.)" if len(catalogue.lapsed) > 1 else ""
        raise TopicError(catalogue.lapsed[0] + more)


def _check_event_types(
    schemas: SchemaStore, topic_of: Mapping[str, Topic], departments: Mapping[str, Department]
) -> None:
    known = set(schemas.types())
    for event_type, topic in topic_of.items():
        if event_type not in known:
            raise TopicError(
                f"{topic.file}: {topic.name} names the event type {event_type}, which has no schema; "
                f"add schemas/{event_type.replace('.', '/')}/v1.avsc."
            )
    missing = [event_type for event_type in schemas.types() if event_type not in topic_of]
    for event_type in schemas.types():
        file = schemas.newest(event_type)
        owner = file.owner
        if owner not in departments and owner not in BUS_OWNERS:
            raise SchemaError(
                f"schemas/{owner}/: {owner} is neither a department nor workflow or bus; "
                f"add services/{owner}/department.yaml."
            )
        if event_type in missing:
            more = f" (The same goes for {', '.join(missing[1:])}.)" if len(missing) > 1 else ""
            raise TopicError(
                f"schemas/{owner}/{file.name}: no topic carries {event_type}; name it under `events` of "
                f"a topic in topics/{owner}.yaml.{more}"
            )


def _check_granted_fields(schemas: SchemaStore, topics: Mapping[str, Topic]) -> None:
    for topic in topics.values():
        known = {
            field["name"]
            for event_type in topic.event_types
            for file in schemas.versions(event_type)
            for field in file.schema["fields"]
        }
        for grant in topic.grants:
            for name in grant.fields or ():
                if name.partition(".")[0] not in known:
                    raise TopicError(
                        f"{topic.file}: the grant of {topic.name} to {grant.department} names the field {name}, "
                        "which no event of the topic has; correct it."
                    )
