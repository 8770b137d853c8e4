"""Reads ``services/*/department.yaml`` and ``topics/*.yaml`` and checks what they say of each other."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from deptbus.errors import CatalogueError, TopicError
from deptbus.topics.files import DepartmentFile, GrantPart, TopicFile, TopicPart, last_ms
from deptbus.topics.model import BUS_OWNERS, RESERVED, Department, Grant, Topic
from deptbus.topics.yamlfile import Lines, read_yaml


def read_departments(root: Path) -> tuple[dict[str, Department], dict[str, tuple[str, Lines]]]:
    """The departments by id, and where each is declared; ``CatalogueError``.

    A folder of ``services/`` without ``department.yaml`` is no department.
    """
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
                f"{shown}, line {lines.of('id')}: the id {file.id} differs from the folder "
                f"{path.parent.name}; they must be the same."
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


def refuse_two_sources(departments: Iterable[Department], sources: Mapping[str, tuple[str, Lines]]) -> None:
    source_of: dict[str, str] = {}
    for department in departments:
        shown, lines = sources[department.id]
        for index, element in enumerate(department.elements):
            if element in source_of:
                raise CatalogueError(
                    f"{shown}, line {lines.of('elements', index)}: the data element {element} already has its "
                    f"source, {source_of[element]}; one data element has one source (一数一源)."
                )
            source_of[element] = department.id


def read_topics(root: Path, departments: Mapping[str, Department]) -> tuple[dict[str, Topic], dict[str, Topic]]:
    """The topics by name, and the one topic of each event type; ``TopicError``."""
    topics: dict[str, Topic] = {}
    topic_of: dict[str, Topic] = {}
    for path in sorted((root / "topics").glob("*.yaml")):
        shown = str(path.relative_to(root))
        file, lines = read_yaml(path, shown, TopicFile, TopicError)
        _check_owner(file.owner, path, f"{shown}, line {lines.of('owner')}", departments)
        for index, part in enumerate(file.topics):
            topic = _topic(part, file.owner, shown, lines, index, departments)
            if topic.name in topics:
                raise TopicError(
                    f"{topic.file}: the topic {topic.name} is declared twice, also in {topics[topic.name].file}."
                )
            topics[topic.name] = topic
            for number, event_type in enumerate(part.events):
                where = f"{shown}, line {lines.of('topics', index, 'events', number)}"
                _claim(event_type, topic, where, topic_of)
    return topics, topic_of


def _topic(
    part: TopicPart,
    owner: str,
    shown: str,
    lines: Lines,
    index: int,
    departments: Mapping[str, Department],
) -> Topic:
    where = f"{shown}, line {lines.of('topics', index)}"
    if part.name.partition(".")[0] != owner:
        raise TopicError(f"{where}: the topic {part.name} must begin with its owner, {owner}.")
    _check_sharing(part, where)
    grants = []
    for number, grant in enumerate(part.grants):
        line = lines.of("topics", index, "grants", number)
        grants.append(_grant(grant, part, owner, f"{shown}, line {line}", departments))
    return Topic(
        name=part.name,
        owner=owner,
        key=part.key,
        partitions=part.partitions,
        replication=part.replication,
        retention_ms=part.retention,
        cleanup=part.cleanup,
        message_bytes_max=part.message_bytes_max,
        timestamp_type=part.timestamp,
        event_types=part.events,
        compatibility=part.compatibility,
        classification=part.classification,
        sharing=part.sharing,
        grants=tuple(grants),
        file=where,
    )


def _claim(event_type: str, topic: Topic, where: str, topic_of: dict[str, Topic]) -> None:
    if event_type in topic_of:
        raise TopicError(
            f"{where}: {event_type} is already on {topic_of[event_type].name}; an event type has exactly one topic."
        )
    if event_type.partition(".")[0] != topic.owner:
        raise TopicError(f"{where}: {event_type} is not an event of {topic.owner}, the topic's owner.")
    topic_of[event_type] = topic


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
        raise TopicError(f"{where}: {part.name} is not shared (sharing: none) but has grants; change one of them.")
    if part.compatibility == "NONE" and part.grants:
        raise TopicError(
            f"{where}: {part.name} is read by {', '.join(grant.department for grant in part.grants)}, so its "
            "compatibility cannot be NONE."
        )
    if part.cleanup == "compact" and part.key == "none":
        raise TopicError(f"{where}: {part.name} is compacted and has no keys; give it a key.")


def _grant(part: GrantPart, topic: TopicPart, owner: str, where: str, departments: Mapping[str, Department]) -> Grant:
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
