"""The catalogue: every department, topic, event type and grant, read from the files and checked together.

``load_catalogue`` is how everything else learns what exists, who owns it and who may read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from deptbus.errors import CatalogueError, SchemaError, TopicError
from deptbus.schemas.store import SchemaStore, load_schemas
from deptbus.topics.files import DepartmentFile, GrantPart, TopicFile, TopicPart, last_ms
from deptbus.topics.yamlfile import Lines, read_yaml

BUS_OWNERS = ("workflow", "bus")
"""Owners of topics that are not departments: the bus's own processes."""
RESERVED = frozenset({*BUS_OWNERS, "ns", "common"})
TASKS = "workflow.tasks"
"""The topic that every department reads without a grant."""


@dataclass(frozen=True, slots=True)
class Department:
    """One organisation."""

    id: str
    org_code: str
    level: str
    """``district``, ``city``, ``province`` or ``nation``."""
    region: str
    """GB/T 2260, six digits."""
    titles: Mapping[str, str]
    """Its name in ``zh`` and ``en``."""
    has_database: bool
    """Whether handled event ids live in its database's transactions; if not, effects may repeat after a crash."""
    elements: tuple[str, ...] = ()
    """Data elements whose one source it is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A department's right to read a topic."""

    department: str
    purpose: str
    legal_basis: str
    until: str | None = None
    """ISO date of the last day on which it holds, in China Standard Time."""
    fields: tuple[str, ...] | None = None
    """Field paths that may be read; None is all."""
    lapses_ms: int | None = None
    """The first moment at which it no longer holds."""

    def holds(self, at_ms: int) -> bool:
        """Whether it is in force at a time."""
        return self.lapses_ms is None or at_ms < self.lapses_ms


@dataclass(frozen=True, slots=True)
class Topic:
    """A named, owned, keyed log of one owner's events."""

    name: str
    owner: str
    key: str
    """What the key is: ``subject``, ``instance``, …; ``none`` for a topic without keys."""
    partitions: int
    replication: int
    """-1 is the brokers' default."""
    retention_ms: int
    """-1 is for ever."""
    cleanup: str
    message_bytes_max: int
    timestamp_type: str
    event_types: tuple[str, ...]
    compatibility: str
    classification: str
    sharing: str
    grants: tuple[Grant, ...] = ()
    file: str = ""
    """Where it is declared: file and line, for messages."""


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
        """By what right a department (or ``workflow``, ``bus``) may read a topic at a time; None if it may not."""
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
    ``at_ms`` is no error here, for it lapses by itself: it stands in ``lapsed``, and ``may_read`` does not count it.
    """
    departments, sources = _read_departments(root)
    _refuse_two_sources(departments.values(), sources)
    schemas = load_schemas(root)
    topics, topic_of = _read_topics(root, departments)
    _check_event_types(schemas, topic_of, departments)
    lapsed = tuple(
        f"{topic.file}: the grant of {topic.name} to {grant.department} lapsed after {grant.until}; "
        "renew it with a new date or remove it."
        for topic in topics.values()
        for grant in topic.grants
        if not grant.holds(at_ms)
    )
    return Catalogue(MappingProxyType(departments), MappingProxyType(topics), schemas, lapsed, topic_of)


def refuse_lapsed(catalogue: Catalogue) -> None:
    """``TopicError`` if a grant has lapsed: before topics are planned or applied, the files must say what holds."""
    if catalogue.lapsed:
        more = f" ({len(catalogue.lapsed) - 1} more.)" if len(catalogue.lapsed) > 1 else ""
        raise TopicError(catalogue.lapsed[0] + more)


def _read_departments(root: Path) -> tuple[dict[str, Department], dict[str, tuple[str, Lines]]]:
    found: dict[str, Department] = {}
    sources: dict[str, tuple[str, Lines]] = {}
    org_codes: dict[str, str] = {}
    for path in sorted((root / "services").glob("*/department.yaml")):
        shown = str(path.relative_to(root))
        file, lines = read_yaml(path, shown, DepartmentFile, CatalogueError)
        if file.id in RESERVED:
            raise CatalogueError(
                f"{shown}, line {lines.of('id')}: the id {file.id} is reserved for the bus; choose another."
            )
        if file.id != path.parent.name:
            raise CatalogueError(
                f"{shown}, line {lines.of('id')}: the id {file.id} differs from the folder {path.parent.name}; "
                "they must be the same."
            )
        if file.org_code in org_codes:
            raise CatalogueError(
                f"{shown}, line {lines.of('org_code')}: {org_codes[file.org_code]} has the same org_code; "
                "each department has its own."
            )
        org_codes[file.org_code] = file.id
        sources[file.id] = (shown, lines)
        found[file.id] = Department(
            file.id,
            file.org_code,
            file.level,
            file.region,
            {"zh": file.titles.zh, "en": file.titles.en},
            file.inbox == "database",
            file.elements,
        )
    return found, sources


def _refuse_two_sources(departments: Iterable[Department], sources: Mapping[str, tuple[str, Lines]]) -> None:
    source_of: dict[str, str] = {}
    for department in departments:
        shown, lines = sources[department.id]
        for index, element in enumerate(department.elements):
            if element in source_of:
                raise CatalogueError(
                    f"{shown}, line {lines.of('elements', index)}: the data element {element} already has its source, "
                    f"{source_of[element]}; one data element has one source (一数一源)."
                )
            source_of[element] = department.id


def _read_topics(
    root: Path, departments: Mapping[str, Department]
) -> tuple[dict[str, Topic], dict[str, Topic]]:
    topics: dict[str, Topic] = {}
    topic_of: dict[str, Topic] = {}
    for path in sorted((root / "topics").glob("*.yaml")):
        shown = str(path.relative_to(root))
        file, lines = read_yaml(path, shown, TopicFile, TopicError)
        _check_owner(file.owner, path, f"{shown}, line {lines.of('owner')}", departments)
        for index, part in enumerate(file.topics):
            where = f"{shown}, line {lines.of('topics', index)}"
            if part.name.partition(".")[0] != file.owner:
                raise TopicError(f"{where}: the topic {part.name} must begin with its owner, {file.owner}.")
            if part.name in topics:
                raise TopicError(
                    f"{where}: the topic {part.name} is declared twice, also in {topics[part.name].file}."
                )
            grants = tuple(
                _grant(
                    grant,
                    part,
                    file.owner,
                    f"{shown}, line {lines.of('topics', index, 'grants', number)}",
                    departments,
                )
                for number, grant in enumerate(part.grants)
            )
            _check_sharing(part, where)
            topic = Topic(
                part.name, file.owner, part.key, part.partitions, part.replication, part.retention, part.cleanup,
                part.message_bytes_max, part.timestamp, part.events, part.compatibility, part.classification,
                part.sharing, grants, where,
            )  # fmt: skip
            topics[topic.name] = topic
            for number, event_type in enumerate(part.events):
                line = f"{shown}, line {lines.of('topics', index, 'events', number)}"
                if event_type in topic_of:
                    raise TopicError(
                        f"{line}: {event_type} is already on {topic_of[event_type].name}; "
                        "an event type has exactly one topic."
                    )
                if event_type.partition(".")[0] != file.owner:
                    raise TopicError(
                        f"{line}: {event_type} is not an event of {file.owner}, the topic's owner."
                    )
                topic_of[event_type] = topic
    return topics, topic_of


def _check_owner(owner: str, path: Path, where: str, departments: Mapping[str, Department]) -> None:
    if owner != path.stem:
        raise TopicError(f"{where}: the owner {owner} differs from the file's name; they must be the same.")
    if owner not in departments and owner not in BUS_OWNERS:
        raise TopicError(
            f"{where}: the owner {owner} is neither a department nor workflow or bus; "
            f"add services/{owner}/department.yaml."
        )


def _check_sharing(part: TopicPart, where: str) -> None:
    if part.sharing == "none" and part.grants:
        raise TopicError(
            f"{where}: {part.name} is not shared (sharing: none) but has grants; change one of them."
        )
    if part.compatibility == "NONE" and part.grants:
        raise TopicError(
            f"{where}: {part.name} is read by {', '.join(grant.department for grant in part.grants)}, so its "
            "compatibility cannot be NONE."
        )
    if part.cleanup == "compact" and part.key == "none":
        raise TopicError(f"{where}: {part.name} is compacted and has no keys; give it a key.")


def _grant(
    part: GrantPart, topic: TopicPart, owner: str, where: str, departments: Mapping[str, Department]
) -> Grant:
    if part.department not in departments:
        raise TopicError(
            f"{where}: {topic.name} is granted to {part.department}, which is no department; "
            f"correct the name or add services/{part.department}/department.yaml."
        )
    if part.department == owner:
        raise TopicError(f"{where}: {owner} needs no grant to read its own topic; remove it.")
    until = part.until
    return Grant(
        part.department,
        part.purpose,
        part.legal_basis,
        until.isoformat() if until else None,
        part.fields,
        last_ms(until) if until else None,
    )


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
    for event_type in schemas.types():
        file = schemas.newest(event_type)
        owner = file.owner
        if owner not in departments and owner not in BUS_OWNERS:
            raise SchemaError(
                f"schemas/{owner}/: {owner} is neither a department nor workflow or bus; "
                f"add services/{owner}/department.yaml."
            )
        if event_type not in topic_of:
            raise TopicError(
                f"schemas/{owner}/{file.name}: no topic carries {event_type}; name it under `events` of a topic "
                f"in topics/{owner}.yaml."
            )
