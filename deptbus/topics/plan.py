"""What would change on the cluster so that it is as ``topics/`` says: a pure comparison.

Nothing is remembered between runs: the files and the cluster's own answer decide.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deptbus.errors import TopicError
from deptbus.topics.model import Topic


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as a cluster has it, or should. ``name`` is the logical name."""

    name: str
    partitions: int
    replication: int
    """-1, only in what should be: the brokers' default."""
    configs: Mapping[str, str]
    """The settings of ``MANAGED``, as Kafka writes them."""


_OURS = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9-]*")
MANAGED = ("cleanup.policy", "max.message.bytes", "message.timestamp.type", "retention.ms")
"""The topic settings that follow from ``topics/``; others stay as they are."""


AUDIT = "bus.audit"
"""Who could take its declaration away must not be able to have it deleted."""


class Action(StrEnum):
    """What is to be done with a topic."""

    CREATE = "create"
    ALTER = "alter"
    DELETE = "delete"
    UNKNOWN = "unknown"
    """It is on the cluster and in no file; it stays unless deletion is allowed."""
    REFUSED = "refused"
    """It differs in a way that is never changed in place."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan."""

    action: Action
    topic: str
    detail: str
    """What changes, for people: ``retention.ms: 604800000 → -1``."""
    target: TopicState | None = None
    """How the topic shall be; None for one that is in no file."""
    setting: str = ""
    """What is altered: ``partitions`` or one of ``MANAGED``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every difference, sorted by topic; empty where files and cluster agree."""

    changes: tuple[Change, ...]

    @property
    def drift(self) -> bool:
        """Whether anything is to be done: a topic that is merely unknown is not."""
        return any(change.action is not Action.UNKNOWN for change in self.changes)

    def of(self, action: Action) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)

    def refuse(self) -> None:
        """``TopicError`` if something differs that is never changed in place."""
        refused = self.of(Action.REFUSED)
        if refused:
            more = f" ({len(refused) - 1} more.)" if len(refused) > 1 else ""
            raise TopicError(f"{refused[0].detail}{more}")


def wanted(topic: Topic, replication: int | None = None) -> TopicState:
    """How a topic of the catalogue shall be; ``replication`` overrides what the file says."""
    return TopicState(
        topic.name,
        topic.partitions,
        topic.replication if replication is None else replication,
        {
            "cleanup.policy": topic.cleanup,
            "max.message.bytes": str(topic.message_bytes_max),
            "message.timestamp.type": topic.timestamp_type,
            "retention.ms": str(topic.retention_ms),
        },
    )


def plan(
    topics: Iterable[Topic],
    present: Iterable[TopicState],
    *,
    allow_delete: bool = False,
    replication: int | None = None,
) -> Plan:
    """Compare the declared topics with those of one namespace on the cluster."""
    on_cluster = {state.name: state for state in present}
    declared = {topic.name: topic for topic in topics}
    changes = []
    for name, topic in declared.items():
        target = wanted(topic, replication)
        if name not in on_cluster:
            changes.append(Change(Action.CREATE, name, _summary(target), target))
        else:
            changes += _differences(topic, target, on_cluster[name])
    for name in on_cluster.keys() - declared.keys():
        # On a cluster that others use too, only what is named as the bus names topics may be ours.
        if not _OURS.fullmatch(name):
            changes.append(Change(Action.UNKNOWN, name, "it is not named as topics of the bus are; it stays"))
        elif name == AUDIT:
            changes.append(Change(Action.UNKNOWN, name, "it is in no file of topics/; the audit is never deleted here"))
        elif allow_delete:
            changes.append(Change(Action.DELETE, name, "it is in no file of topics/"))
        else:
            changes.append(Change(Action.UNKNOWN, name, "it is in no file of topics/; --allow-delete removes it"))
    return Plan(tuple(sorted(changes, key=lambda change: (change.topic, change.action, change.setting))))


def _summary(target: TopicState) -> str:
    replication = "" if target.replication == -1 else f", replication {target.replication}"
    configs = ", ".join(f"{name} {value}" for name, value in sorted(target.configs.items()))
    return f"{target.partitions} partitions{replication}, {configs}"


def _differences(topic: Topic, target: TopicState, present: TopicState) -> list[Change]:
    changes = []
    if present.partitions != target.partitions:
        difference = f"{topic.name} has {present.partitions} partitions, {topic.file} says {target.partitions}"
        if topic.key != "none":
            advice = (
                f"keyed topics keep their number, else a key's history is split: declare "
                f"{present.partitions}, or make a new topic"
            )
            changes.append(Change(Action.REFUSED, topic.name, f"{difference}; {advice}.", target))
        elif present.partitions > target.partitions:
            advice = f"partitions cannot be taken away: declare {present.partitions}, or make a new topic"
            changes.append(Change(Action.REFUSED, topic.name, f"{difference}; {advice}.", target))
        else:
            detail = f"partitions: {present.partitions} → {target.partitions}"
            changes.append(Change(Action.ALTER, topic.name, detail, target, "partitions"))
    if target.replication not in {-1, present.replication}:
        advice = "move the replicas with Kafka's own reassignment tool, or declare what it has"
        detail = f"{topic.name} has replication {present.replication}, wanted is {target.replication}; {advice}."
        changes.append(Change(Action.REFUSED, topic.name, detail, target))
    for name, value in sorted(target.configs.items()):
        before = present.configs.get(name)
        if before is None or _meaning(before) != _meaning(value):
            changes.append(Change(Action.ALTER, topic.name, f"{name}: {before} → {value}", target, name))
    return changes


def _meaning(value: str) -> frozenset[str]:
    # Kafka does not keep the order of a list such as compact,delete.
    return frozenset(value.replace(" ", "").split(","))
