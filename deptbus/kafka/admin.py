"""What is done to topics and groups of a cluster, over librdkafka's admin client.

Names that come in and go out are logical; the namespace makes them Kafka's. Every call has a limit in time.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from deptbus.catalogue import Topic
from deptbus.errors import BusError, ClusterUnreachable, TopicError
from deptbus.namespace import Namespace
from deptbus.topics.plan import MANAGED, TopicState, wanted

_log = logging.getLogger("deptbus.kafka")
_POLL_S = 0.02
_LATE_S = 5.0
"""How long after a time-out librdkafka, which looks for it once a second, must have told of it."""
_GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND})
_NOT_YET = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._NOENT,  # librdkafka's word for partitions without leaders
    }
)
_NO_ANSWER = frozenset(
    {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}
)
Result = TypeVar("Result")


class Admin:
    """One cluster. ``configuration`` is that of ``deptbus.kafka.configuration.client_configuration``.

    ``connect_timeout_s`` bounds the question whether a broker is there, ``timeout_s`` everything else. Every
    method raises ``ClusterUnreachable`` when no broker answers, and ``TopicError`` when one refuses.
    """

    def __init__(
        self, configuration: Mapping[str, Any], *, connect_timeout_s: float = 5, timeout_s: float = 30
    ) -> None:
        self._servers = str(configuration.get("bootstrap.servers"))
        # Without a logger librdkafka writes each failed connection on standard error.
        self._client = AdminClient({"logger": _log, **configuration})
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s

    def brokers(self) -> int:
        """How many brokers there are; also the way to ask whether the cluster is there."""
        return len(self._metadata().brokers)

    def names(self, namespace: Namespace) -> dict[str, int]:
        """Logical name and partition count of every topic of a namespace, without Kafka's own."""
        return {
            namespace.logical(name): len(topic.partitions)
            for name, topic in self._metadata().topics.items()
            if namespace.owns(name) and not name.startswith("_")
        }

    def topic_ids(self, namespace: Namespace, names: Iterable[str]) -> dict[str, str]:
        """What Kafka identifies topics by: one that was deleted and made anew has another."""
        physical = [namespace.physical(name) for name in names]
        if not physical:
            return {}
        futures = self._client.describe_topics(TopicCollection(physical), request_timeout=self._timeout_s)
        found = self._wait(futures, "describe", ignore=_GONE)
        return {namespace.logical(name): str(topic.topic_id) for name, topic in found.items()}

    def topics(self, namespace: Namespace) -> tuple[TopicState, ...]:
        """Every topic of a namespace with the settings that ``topics/`` governs."""
        metadata = {
            name: topic
            for name, topic in self._metadata().topics.items()
            if namespace.owns(name) and not name.startswith("_")
        }
        if not metadata:
            return ()
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in metadata]
        configs = self._wait(
            {
                resource.name: future
                for resource, future in self._client.describe_configs(
                    resources, request_timeout=self._timeout_s
                ).items()
            },
            "read the settings of",
            ignore=_GONE,
        )
        return tuple(
            TopicState(
                namespace.logical(name),
                len(metadata[name].partitions),
                min((len(partition.replicas) for partition in metadata[name].partitions.values()), default=0),
                {setting: entries[setting].value for setting in MANAGED if setting in entries},
            )
            for name, entries in sorted(configs.items())
        )

    def identity(self, namespace: Namespace, name: str) -> tuple[str, str | None]:
        """The ids of the cluster and of a topic on it, None where it is not there.

        A topic that was deleted and made again has another id.
        """
        cluster = str(self._metadata().cluster_id)
        futures = self._client.describe_topics(
            TopicCollection([namespace.physical(name)]), request_timeout=self._timeout_s
        )
        found = self._wait(futures, "describe", ignore=_GONE)
        return cluster, next((str(topic.topic_id) for topic in found.values()), None)

    def create(self, namespace: Namespace, targets: Iterable[TopicState]) -> None:
        """Create topics in one request and wait until all are visible; one that exists stays as it is."""
        targets = list(targets)
        if not targets:
            return
        new = [
            NewTopic(
                namespace.physical(target.name),
                num_partitions=target.partitions,
                replication_factor=target.replication,
                config=dict(target.configs),
            )
            for target in targets
        ]
        futures = self._client.create_topics(new, request_timeout=self._timeout_s, operation_timeout=self._timeout_s)
        self._wait(futures, "create", ignore={KafkaError.TOPIC_ALREADY_EXISTS})
        expected = {namespace.physical(target.name) for target in targets}
        self._until(lambda: expected <= self._led(), f"the topics {', '.join(sorted(expected))} to be visible")

    def create_namespace_topics(
        self, namespace: Namespace, topics: Iterable[Topic], replication: int | None = None
    ) -> None:
        """Create those of some topics that a namespace lacks; those that exist stay as they are."""
        self.create(namespace, [wanted(topic, replication) for topic in topics])

    def alter_configs(self, namespace: Namespace, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Set settings of topics, leaving all others as they are; topic to setting to value."""
        if not changes:
            return
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                namespace.physical(name),
                incremental_configs=[
                    ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
                    for setting, value in settings.items()
                ],
            )
            for name, settings in changes.items()
        ]
        futures = self._client.incremental_alter_configs(resources, request_timeout=self._timeout_s)
        self._wait({resource.name: future for resource, future in futures.items()}, "change the settings of")

    def add_partitions(self, namespace: Namespace, counts: Mapping[str, int]) -> None:
        """Raise the partition counts of topics without keys; topic to its new count."""
        if counts:
            new = [NewPartitions(namespace.physical(name), count) for name, count in counts.items()]
            futures = self._client.create_partitions(new, request_timeout=self._timeout_s)
            self._wait(futures, "add partitions to")

    def delete(self, namespace: Namespace, names: Iterable[str]) -> None:
        """Delete topics and wait until they are gone; one that does not exist is none to delete."""
        physical = [namespace.physical(name) for name in names]
        if not physical:
            return
        futures = self._client.delete_topics(
            physical, request_timeout=self._timeout_s, operation_timeout=self._timeout_s
        )
        self._wait(futures, "delete", ignore=_GONE)
        self._until(
            lambda: not (set(physical) & self._metadata().topics.keys()),
            f"the topics {', '.join(physical)} to be gone",
        )

    def trim(self, namespace: Namespace, starts: Mapping[tuple[str, int], int]) -> None:
        """Let partitions begin at later offsets: what lies before is gone; (topic, partition) to its new start."""
        if starts:
            before = [TopicPartition(namespace.physical(name), part, start) for (name, part), start in starts.items()]
            futures = self._client.delete_records(
                before, request_timeout=self._timeout_s, operation_timeout=self._timeout_s
            )
            self._wait({where.topic: future for where, future in futures.items()}, "cut the beginning off")

    def cluster_id(self) -> str:
        """The name that the cluster gave itself."""
        return str(self._metadata().cluster_id)

    def groups(self, namespace: Namespace) -> tuple[str, ...]:
        """The consumer groups of a namespace, by their names in Kafka."""
        listed = self._answer(
            self._client.list_consumer_groups(request_timeout=self._timeout_s), "list the consumer groups"
        )
        return tuple(sorted(group.group_id for group in listed.valid if namespace.owns(group.group_id)))

    def delete_groups(self, namespace: Namespace, names: Iterable[str]) -> None:
        """Forget groups without members, and what they have committed."""
        futures = self._client.delete_consumer_groups(
            [namespace.physical(name) for name in names], request_timeout=self._timeout_s
        )
        self._wait(futures, "drop the group", ignore=_GONE)

    def delete_namespace(self, namespace: Namespace) -> None:
        """Drop a world whole: its topics and its consumer groups; ``BusError`` for actual life.

        A group with members is refused (``TopicError``): its workers must be stopped first.
        """
        if not namespace.name:
            raise BusError("Actual life cannot be dropped; name a namespace (BUS_NAMESPACE).")
        groups = self.groups(namespace)
        if groups:
            futures = self._client.delete_consumer_groups(list(groups), request_timeout=self._timeout_s)
            self._wait(futures, "drop the group", ignore=_GONE)
        self.delete(namespace, self.names(namespace))

    def end_offsets(
        self, namespace: Namespace, names: Iterable[str], *, committed: bool = True
    ) -> dict[tuple[str, int], int]:
        """Where each partition of some topics ends: (topic, partition) to the offset of the next record.

        ``committed`` counts only to the first open transaction, as a read_committed reader sees it.
        A topic that does not exist has no partitions.
        """
        return self._offsets(namespace, names, OffsetSpec.latest(), committed=committed)

    def start_offsets(self, namespace: Namespace, names: Iterable[str]) -> dict[tuple[str, int], int]:
        """Where each partition of some topics begins: (topic, partition) to the oldest offset still there."""
        return self._offsets(namespace, names, OffsetSpec.earliest(), committed=False)

    def newest_times(self, namespace: Namespace, names: Iterable[str]) -> dict[tuple[str, int], int]:
        """The newest timestamp in each partition of some topics.

        Left out is a partition without records, and one of which the broker cannot read the batch in question.
        """
        found = self._list_offsets(namespace, names, OffsetSpec.max_timestamp(), committed=False, skip_refused=True)
        return {where: int(info.timestamp) for where, info in found.items() if info and info.timestamp >= 0}

    def _offsets(
        self, namespace: Namespace, names: Iterable[str], spec: OffsetSpec, *, committed: bool
    ) -> dict[tuple[str, int], int]:
        found = self._list_offsets(namespace, names, spec, committed=committed)
        return {where: int(info.offset) for where, info in found.items()}

    def _list_offsets(
        self,
        namespace: Namespace,
        names: Iterable[str],
        spec: OffsetSpec,
        *,
        committed: bool,
        skip_refused: bool = False,
    ) -> dict[tuple[str, int], Any]:
        """``skip_refused``: a partition that the broker refuses has None instead of ending it all."""
        counts = self.names(namespace)
        request = [
            TopicPartition(namespace.physical(name), partition)
            for name in set(names)
            for partition in range(counts.get(name, 0))
        ]
        if not request:
            return {}
        isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        found: dict[tuple[str, int], Any] = {}

        def ask() -> bool:
            futures = self._client.list_offsets(
                {where: spec for where in request if (namespace.logical(where.topic), where.partition) not in found},
                isolation_level=isolation,
                request_timeout=self._timeout_s,
            )
            for where, future in futures.items():
                try:
                    found[namespace.logical(where.topic), where.partition] = self._result(future)
                except KafkaException as error:
                    refused = error.args[0]
                    if refused.code() in _NOT_YET:
                        continue
                    if not skip_refused or refused.code() in _NO_ANSWER:
                        raise self._refused(refused, f"read the offsets of {where.topic}[{where.partition}]") from None
                    found[namespace.logical(where.topic), where.partition] = None
            return len(found) == len(request)

        # A topic just made, or a broker just restarted, has its leaders a moment later than its metadata.
        self._until(ask, "the partitions' leaders")
        return found

    def _metadata(self) -> Any:
        try:
            return self._client.list_topics(timeout=self._connect_timeout_s)
        except KafkaException as error:
            raise self._unreachable(error.args[0]) from None

    def _led(self) -> set[str]:
        """The topics of which every partition has a leader."""
        return {
            name
            for name, topic in self._metadata().topics.items()
            if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values())
        }

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        limit = time.monotonic() + self._timeout_s
        while not condition():
            if time.monotonic() > limit:
                raise TopicError(f"Waited {self._timeout_s:g} s for {what}; look at the brokers' logs and try again.")
            time.sleep(_POLL_S)

    def _wait(
        self,
        futures: Mapping[str, "Future[Result]"],
        act: str,
        ignore: Iterable[int] = (),
    ) -> dict[str, Result]:
        done = {}
        for name, future in futures.items():
            try:
                done[name] = self._result(future)
            except KafkaException as error:
                if error.args[0].code() not in ignore:
                    raise self._refused(error.args[0], f"{act} {name}") from None
        return done

    def _answer(self, future: "Future[Result]", act: str) -> Result:
        try:
            return self._result(future)
        except KafkaException as error:
            raise self._refused(error.args[0], act) from None

    def _result(self, future: "Future[Result]") -> Result:
        """What was asked for with a time-out, of which librdkafka tells a moment late."""
        try:
            return future.result(self._timeout_s + _LATE_S)
        except TimeoutError:
            raise self._unreachable(KafkaError(KafkaError._TIMED_OUT)) from None

    def _refused(self, error: KafkaError, act: str) -> BusError:
        if error.code() in _NO_ANSWER:
            return self._unreachable(error)
        return TopicError(f"The cluster at {self._servers} refuses to {act}: {error.str().rstrip('.')}.")

    def _unreachable(self, error: KafkaError) -> ClusterUnreachable:
        return ClusterUnreachable(
            f"No broker answers at {self._servers} ({error.name()}); start one with `deptbus up`, "
            "or set BUS_BOOTSTRAP_SERVERS."
        )
