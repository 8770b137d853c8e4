"""What a cluster says of itself: its brokers, its controller, where its partitions are kept."""

from confluent_kafka import KafkaException, libversion
from confluent_kafka import version as client_version
from confluent_kafka.admin import AdminClient

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.findings.cluster import Node, Replica
from deptbus.settings import Settings

_REPLY_S = 10.0


class Cluster:
    """The cluster that the settings name. ``ClusterUnreachable`` where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._client = AdminClient(client_configuration(settings))

    def nodes(self) -> tuple[list[Node], int | None, str]:
        """The brokers, the id of the controller (or of a broker that speaks for it), and the cluster's id."""
        try:
            found = self._client.describe_cluster(request_timeout=_REPLY_S).result(2 * _REPLY_S)
        except (KafkaException, TimeoutError) as error:
            raise ClusterUnreachable(f"The cluster does not say who its brokers are ({error}).") from None
        nodes = sorted((Node(node.id, node.host, node.port) for node in found.nodes), key=lambda node: node.id)
        return nodes, found.controller and found.controller.id, found.cluster_id

    def replicas(self) -> list[Replica]:
        """Every partition of every topic, Kafka's own among them."""
        try:
            topics = self._client.list_topics(timeout=_REPLY_S).topics
        except KafkaException as error:
            raise ClusterUnreachable(f"The cluster does not say where its topics are ({error}).") from None
        return [
            Replica(f"{name}[{number}]", part.leader, len(part.replicas), len(part.isrs))
            for name, topic in sorted(topics.items())
            for number, part in sorted(topic.partitions.items())
        ]


def versions() -> dict[str, str]:
    """Of the client library and of what it is made from."""
    return {"confluent-kafka": str(client_version()), "librdkafka": str(libversion()[0])}
