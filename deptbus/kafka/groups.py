"""Consumer groups on a cluster: where one begins, who is in it, what it has committed, and setting that anew."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from deptbus.errors import ActRefused, ClusterUnreachable
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.ends import watermarks
from deptbus.namespace import Namespace
from deptbus.operations.groups import Group, Member
from deptbus.transport import Partition

T = TypeVar("T")

_REPLY_S = 10.0
"""How long the group's coordinator may take to answer, in seconds."""
_AGAIN_S = 0.1
_MOVING = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._WAIT_COORD,
    }
)
"""The group's coordinator is just starting, or another broker takes over: asked again, it answers."""
_IN_USE = frozenset(
    {
        KafkaError.NON_EMPTY_GROUP,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.STALE_MEMBER_EPOCH,
    }
)


def begin_at_end(configuration: Configuration, topics: Iterable[str]) -> None:
    """Commit the present ends of physical topics for a group, wherever it has no offset yet.

    Only then does the group lose nothing that comes after its first start, whatever happens to its first members.
    ``configuration`` names the group. Raises ``NotFound`` for a topic that is not there, ``ClusterUnreachable``.
    """
    consumer = Consumer(configuration)
    try:
        ends = {
            (topic, partition): high for topic in topics for partition, (_, high) in watermarks(consumer, topic).items()
        }
        known = consumer.committed([TopicPartition(*where) for where in ends], _REPLY_S)
        fresh = [
            TopicPartition(part.topic, part.partition, ends[part.topic, part.partition])
            for part in known
            if part.offset == OFFSET_INVALID
        ]
        if fresh:
            consumer.commit(offsets=fresh, asynchronous=False)
    except KafkaException as error:
        raise ClusterUnreachable(
            f"The group {configuration['group.id']} cannot be told where to begin ({error.args[0].str()}); "
            "start the broker, or stop what else runs under that group while new topics are added to it."
        ) from error
    finally:
        consumer.close()


class Groups:
    """The consumer groups of one namespace. ``configuration``: that of ``client_configuration``.

    Names of groups and topics are logical. Every method raises ``ClusterUnreachable`` when no answer comes.
    """

    def __init__(self, configuration: Configuration, namespace: Namespace) -> None:
        self._client = AdminClient(configuration)
        self._namespace = namespace

    def names(self) -> list[str]:
        """Every group that has members or offsets."""
        listed = _ask(
            lambda: self._client.list_consumer_groups(request_timeout=_REPLY_S).result(2 * _REPLY_S),
            "list the consumer groups",
        )
        owned = [group.group_id for group in listed.valid if self._namespace.owns(group.group_id)]
        return sorted(map(self._namespace.logical, owned))

    def describe(self, names: Iterable[str]) -> list[Group]:
        """Groups with their members; one that does not exist is dead and has none."""
        names = [self._namespace.physical(name) for name in names]

        def ask() -> list[Group]:
            asked = self._client.describe_consumer_groups(names, request_timeout=_REPLY_S)
            return [self._group(name, asked[name].result(2 * _REPLY_S)) for name in names]

        return _ask(ask, "describe the consumer groups") if names else []

    def committed(self, names: Iterable[str]) -> dict[str, dict[Partition, int]]:
        """The offsets that groups have committed, in every topic of the namespace; asked of all at once."""
        names = list(names)

        def ask() -> dict[str, dict[Partition, int]]:
            asked = {
                name: self._client.list_consumer_group_offsets(
                    [ConsumerGroupTopicPartitions(self._namespace.physical(name))], request_timeout=_REPLY_S
                )
                for name in names
            }
            return {name: self._offsets(futures) for name, futures in asked.items()}

        return _ask(ask, "tell the offsets of groups")

    def commit(self, name: str, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        """Set offsets of a group that is not in use, and answer what it then has in these partitions.

        ``ActRefused`` where the broker says that somebody is in it.
        """
        physical = self._namespace.physical
        parts = [TopicPartition(physical(topic), number, offset) for (topic, number), offset in offsets.items()]

        def ask() -> None:
            wanted = ConsumerGroupTopicPartitions(physical(name), parts)
            self._offsets(self._client.alter_consumer_group_offsets([wanted], request_timeout=_REPLY_S))

        _ask(ask, f"set the offsets of {name}")
        after = self.committed([name])[name]
        return {partition: after[partition] for partition in offsets if partition in after}

    def _offsets(self, futures: Mapping[str, Any]) -> dict[Partition, int]:
        """Of one group; ``KafkaException`` for the first partition that is refused."""
        (future,) = futures.values()
        found = {}
        for part in future.result(2 * _REPLY_S).topic_partitions:
            if part.error is not None:
                raise KafkaException(part.error)
            if part.offset >= 0 and self._namespace.owns(part.topic):
                found[self._namespace.logical(part.topic), part.partition] = part.offset
        return found

    def _group(self, physical: str, found: Any) -> Group:
        logical = self._namespace.logical
        members = [
            Member(
                member.client_id,
                member.group_instance_id,
                member.host,
                tuple(sorted((logical(part.topic), part.partition) for part in member.assignment.topic_partitions)),
            )
            for member in found.members
        ]
        members.sort(key=lambda member: (member.client_id, member.partitions))
        return Group(logical(physical), found.state.name.lower(), found.type.name.lower(), tuple(members))


def _ask(ask: Callable[[], T], act: str) -> T:
    """What a coordinator answers; asked again for a while where it is just starting."""
    limit = time.monotonic() + _REPLY_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            refused = error.args[0]
            if refused.code() in _IN_USE:
                raise ActRefused(
                    f"The cluster refuses to {act}: somebody is in the group now. Stop its members first."
                ) from None
            if refused.code() not in _MOVING or time.monotonic() > limit:
                raise ClusterUnreachable(
                    f"The cluster does not {act} ({refused.str()}); see whether it runs, and try again."
                ) from None
        except TimeoutError:
            raise ClusterUnreachable(
                f"The cluster does not {act} within {2 * _REPLY_S:.0f} s; see whether it runs, and try again."
            ) from None
        time.sleep(_AGAIN_S)
