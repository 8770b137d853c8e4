"""Consumer groups as operators see them, and what setting their offsets anew would do. Pure but for the log it asks."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from deptbus.clock import iso
from deptbus.errors import ActRefused, NotFound, SettingsError
from deptbus.operations.points import END, Kind, Point, read_point
from deptbus.operations.stretch import Log, resolve
from deptbus.transport import Partition

_TARGET = re.compile(r"(?P<topic>[^:=\s]+):(?P<partition>\d{1,6})=(?P<point>.+)")
_SHOWN_MAX = 5
_JOBS = "replay-"
JOURNAL_READER = "advance"
"""The group whose place is in its snapshots: offsets that are set from outside would lose entries or do nothing."""


def is_job(name: str) -> bool:
    """Whether a group is only the place of a job, such as a replay's, that ends by itself."""
    return name.startswith(_JOBS)


@dataclass(frozen=True, slots=True)
class Member:
    """One process, or thread, of a group."""

    client_id: str
    instance_id: str | None
    """Its fixed name in the group, if it has one."""
    host: str
    partitions: tuple[Partition, ...]
    """What it reads, by logical topic names."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group, by its logical name."""

    name: str
    state: str
    """As Kafka calls it: stable, empty, preparing_rebalancing, …"""
    kind: str
    """The protocol: classic or consumer."""
    members: tuple[Member, ...]

    @property
    def active(self) -> bool:
        """Whether somebody is in it, or about to be."""
        return bool(self.members) or self.state not in ("empty", "dead")

    def owners(self) -> dict[Partition, str]:
        """Which client reads a partition."""
        return {partition: member.client_id for member in self.members for partition in member.partitions}


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's offset, as it is and as it shall be."""

    topic: str
    partition: int
    old: int | None
    """None where the group has never committed."""
    new: int
    start: int
    end: int

    @property
    def again(self) -> int:
        """How many offsets are read again."""
        return max(0, self._from - self.new)

    @property
    def skipped(self) -> int:
        """How many offsets are passed over and never read."""
        return max(0, self.new - self._from)

    @property
    def _from(self) -> int:
        # Without an offset, or with one that retention has passed, the group would read from the beginning.
        return max(self.start, self.old or 0)


def read_target(text: str) -> tuple[Partition, Point]:
    """``health.cases:2=@500`` as a partition and a point; ``SettingsError``."""
    found = _TARGET.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"--partition is TOPIC:N=POINT, such as health.cases:2=@500, not {text}.")
    option = f"--partition {found['topic']}:{found['partition']}="
    return (found["topic"], int(found["partition"])), read_point(found["point"], option)


def refuse_active(group: Group) -> None:
    """``ActRefused`` naming the members of a group that is in use."""
    if not group.active:
        return
    names = [
        f"{member.client_id}{f' ({member.instance_id})' if member.instance_id else ''} on {member.host.lstrip('/')}"
        for member in group.members[:_SHOWN_MAX]
    ]
    more = f" and {len(group.members) - _SHOWN_MAX} more" if len(group.members) > _SHOWN_MAX else ""
    who = f"{', '.join(names)}{more}" if names else f"it is {group.state.replace('_', ' ')}"
    raise ActRefused(
        f"The group {group.name} is in use: {who}. Stop its members, wait until `deptbus groups describe {group.name}` "
        "shows it empty, then set its offsets."
    )


def plan_reset(
    group: str,
    committed: Mapping[Partition, int],
    log: Log,
    now_ms: int,
    *,
    to: Point | None = None,
    topics: Collection[str] = (),
    targets: Iterable[tuple[Partition, Point]] = (),
) -> list[Move]:
    """What setting a group's offsets would change; what would stay as it is is left out.

    ``to`` holds for every partition of the topics that the group reads, or of ``topics``; ``targets`` for single ones.
    Raises ``ActRefused``, ``SettingsError`` or ``NotFound`` where a point is none.
    """
    if group == JOURNAL_READER:
        raise ActRefused(
            f"The group {JOURNAL_READER} goes by its snapshots, not by its offsets: setting them would lose entries or "
            "do nothing. `deptbus workflows fold` says whether its states are right."
        )
    single = dict(targets)
    read = {topic for topic, _ in committed}
    wanted = {topic for topic, _ in single} | (set(topics) or read if to else set())
    if not wanted:
        raise SettingsError("Say where to: --to POINT for all partitions, --partition TOPIC:N=POINT for single ones.")
    if unknown := sorted(wanted - read):
        known = ", ".join(sorted(read)) or "nothing"
        raise NotFound(f"The group {group} has no offsets in {unknown[0]}; it reads {known}.")
    bounds = {topic: log.bounds(topic) for topic in sorted(wanted)}
    for topic, partition in single:
        if partition not in bounds[topic]:
            raise NotFound(f"{topic} has no partition {partition}; it has {len(bounds[topic])}, counted from 0.")
    everywhere = _by_topic(log, to, [topic for topic in bounds if not topics or topic in topics])
    points = {
        (topic, partition): point
        for topic, found in bounds.items()
        for partition in found
        if (point := single.get((topic, partition), everywhere.get(topic))) is not None
    }
    places = {
        (topic, point): _places(log, topic, point, now_ms)
        for topic, point in dict.fromkeys((topic, point) for (topic, _), point in points.items())
    }
    moves = []
    for (topic, partition), point in points.items():
        start, end = bounds[topic][partition]
        if point.kind is Kind.OFFSET and not start <= point.number <= end:
            raise SettingsError(
                f"{topic}[{partition}] goes from @{start} to @{end}; {point} lies outside. Name an offset within, or "
                "beginning or end."
            )
        move = Move(topic, partition, committed.get((topic, partition)), places[topic, point][partition], start, end)
        if move.new != move.old:
            moves.append(move)
    return moves


def _by_topic(log: Log, to: Point | None, topics: Sequence[str]) -> dict[str, Point]:
    """Where each topic goes: an event stands on one of them, on the others what came no earlier than it counts."""
    if to is None or to.kind is not Kind.EVENT or len(topics) == 1:
        return dict.fromkeys(topics, to) if to else {}
    found = {topic: place for topic in topics if (place := log.find(topic, to.event_id)) is not None}
    if not found:
        raise NotFound(f"There is no event {to.event_id} on {', '.join(topics)}.")
    since = Point(Kind.TIME, min(time_ms for _, _, time_ms in found.values()))
    return {topic: to if topic in found else since for topic in topics}


def _places(log: Log, topic: str, point: Point, now_ms: int) -> dict[int, int]:
    if point.kind is Kind.TIME and point.number > now_ms:
        raise SettingsError(f"{point} lies in the future; it is {iso(now_ms)} now.")
    return {partition: start for partition, (start, _) in resolve(log, topic, point, END, now_ms).ranges.items()}


def not_so(moves: Iterable[Move], found: Mapping[Partition, int]) -> list[str]:
    """What is read back and is not as it was set: a few words for each partition."""
    return [
        f"{move.topic}[{move.partition}] stands at {found.get((move.topic, move.partition), 'nothing')} and not at "
        f"{move.new}"
        for move in moves
        if found.get((move.topic, move.partition)) != move.new
    ]
