"""Everything that ``deptbus schemas check`` holds schemas to, as sentences."""

from dataclasses import dataclass
from pathlib import Path

from deptbus.catalogue import TASKS, Catalogue, load_catalogue
from deptbus.errors import BusError, SchemaError
from deptbus.schemas.codecs import codec_schema
from deptbus.schemas.compatibility import NONE, compare
from deptbus.schemas.generate import stale
from deptbus.schemas.released import edited, read_lock
from deptbus.schemas.store import read_schemas


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what is wrong: one sentence each."""

    types: int
    versions: int
    problems: tuple[str, ...]


def check_schemas(root: Path, at_ms: int) -> CheckReport:
    """Parse, naming, docs, topics, compatibility, released versions, typed classes."""
    store, broken = read_schemas(root)
    problems = [str(problem) for problem in broken]
    for file in store.all():
        try:
            codec_schema(file.type, file.version, 0, file.schema)
        except SchemaError as error:
            problems.append(str(error))
    # What follows compares and generates; with a broken file it would only repeat what is said already.
    if not problems:
        try:
            problems += edited(store, read_lock(root))
            problems += incompatible(load_catalogue(root, at_ms))
            problems += stale(root, store)
        except BusError as error:
            problems.append(str(error))
    return CheckReport(len(store.types()), len(store.all()), tuple(problems))


def incompatible(catalogue: Catalogue) -> list[str]:
    """One sentence for each way in which a version breaks a reader of its topic."""
    found = []
    for event_type in catalogue.schemas.types():
        topic = catalogue.topic_of(event_type)
        if topic.compatibility == NONE and topic.name == TASKS:
            found.append(f"{topic.file}: every department reads {TASKS}, so its compatibility cannot be NONE.")
        readers = (topic.owner, *catalogue.readers(topic))
        if topic.name == TASKS:
            readers = (topic.owner, "every department")
        for reason in compare(catalogue.schemas.versions(event_type), topic.compatibility):
            file = f"schemas/{event_type.replace('.', '/')}/v{reason.newer.version}.avsc"
            found.append(reason.sentence(file, readers))
    return found
