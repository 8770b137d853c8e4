"""What an archive is to hold, by what a person asks for: topics with their settings, from where to where."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from deptbus.clock import iso
from deptbus.errors import NotFound, SettingsError
from deptbus.operations.archive.manifest import ArchivedTopic, Manifest, Part
from deptbus.operations.points import Point
from deptbus.operations.stretch import Log, resolve
from deptbus.topics.plan import TopicState
from deptbus.transport import Partition

OWN_GROUPS = "restore-"
"""How the groups of restores begin."""


def choose(
    present: Iterable[TopicState], topics: Collection[str], departments: Collection[str], *, everything: bool
) -> list[TopicState]:
    """The topics that are meant, among those that there are. ``NotFound``, ``SettingsError``."""
    by_name = {state.name: state for state in present}
    if everything == bool(topics or departments):
        raise SettingsError("Say what is meant: --topic, --department, or --all and neither of them.")
    for name in topics:
        if name not in by_name:
            raise NotFound(f"There is no topic {name} on the cluster; `deptbus topics list` says what there should be.")
    owners = {name.partition(".")[0] for name in by_name}
    for owner in departments:
        if owner not in owners:
            raise NotFound(f"{owner} has no topic on the cluster; those who have: {', '.join(sorted(owners))}.")
    return [
        state
        for name, state in sorted(by_name.items())
        if everything or name in topics or name.partition(".")[0] in departments
    ]


def plan(
    log: Log,
    chosen: Iterable[TopicState],
    start: Point,
    end: Point,
    *,
    archive_id: str,
    cluster: str,
    namespace: str,
    request: Mapping[str, Any],
    codec: str,
    groups: Mapping[str, Mapping[Partition, int]],
    now_ms: int,
) -> Manifest:
    """The plan of an archive: both ends of every partition are fixed. Raises as ``resolve``."""
    topics = {}
    for state in chosen:
        ranges = resolve(log, state.name, start, end, now_ms).ranges
        parts = {number: Part(*between) for number, between in sorted(ranges.items())}
        topics[state.name] = ArchivedTopic(state.partitions, dict(state.configs), parts)
    positions: dict[str, dict[str, dict[int, int]]] = {}
    for group, committed in groups.items():
        for (topic, number), offset in committed.items():
            if topic in topics and not group.startswith(OWN_GROUPS):
                positions.setdefault(group, {}).setdefault(topic, {})[number] = offset
    return Manifest(archive_id, iso(now_ms), cluster, namespace, request, codec, topics, groups=positions)
