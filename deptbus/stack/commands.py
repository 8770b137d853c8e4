"""The command lines of the local broker and registry, and the broker's configuration."""

from collections.abc import Mapping
from pathlib import Path

from deptbus.settings import Settings

KAFKA_JAVA_MIN = 17
REGISTRY_JAVA_MIN = 21

CLUSTER_ID = "ZGVwdGJ1cy1sb2NhbC1zdA"

# Measured on two cores: with the first compiler alone the broker boots in 1.6 s instead of 2.2, and for the minutes of
# a test it uses half the CPU. The registry runs so too. A broker that lives long is told otherwise: `kafka_jvm`.
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")


def kafka_properties(settings: Settings, data_path: Path) -> dict[str, str]:
    """The broker's configuration: one node, loopback only; flushing is Kafka's own default."""
    host, controller = f"127.0.0.1:{settings.kafka_port}", f"127.0.0.1:{settings.kafka_controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{host},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{host}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data_path),
        "auto.create.topics.enable": "false",
        "message.max.bytes": "6291456",  # dead letters may have 5 MB
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "transaction.max.timeout.ms": "900000",
        # After kill -9 the controller lets a broker join again only once its old session is over, 9 s by default.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "33554432",  # 128 MB by default, a quarter of the heap
    }


def properties_text(properties: Mapping[str, str]) -> str:
    """A Java properties file."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def kafka_arguments(settings: Settings, jars: Path, properties_path: Path) -> list[str]:
    """How ``java`` runs the broker."""
    return [
        *settings.kafka_jvm.split(),
        "-Djava.awt.headless=true",
        f"-Xmx{settings.kafka_heap}",
        *_kafka_log("info"),
        "-cp",
        f"{jars}/kafka/*",
        "kafka.Kafka",
        str(properties_path),
    ]


def format_arguments(jars: Path, properties_path: Path) -> list[str]:
    """How ``java`` prepares the broker's empty data directory; once in its life."""
    return [
        *_JVM,
        *_kafka_log("warn"),
        "-cp",
        f"{jars}/kafka/*",
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "--cluster-id",
        CLUSTER_ID,
        "--config",
        str(properties_path),
    ]


def registry_arguments(settings: Settings, jars: Path, data_path: Path) -> list[str]:
    """How ``java`` runs the registry."""
    return [
        *_JVM,
        f"-Xmx{settings.registry_heap}",
        "-Dquarkus.http.host=127.0.0.1",
        f"-Dquarkus.http.port={settings.registry_port}",
        "-Dquarkus.http.access-log.enabled=false",
        "-Dquarkus.management.host=127.0.0.1",
        "-Dquarkus.management.port=0",  # any free one: nobody asks there
        "-Dquarkus.log.console.format=%d{yyyy-MM-dd HH:mm:ss} %p [%c] %m%n%e",
        "-Dapicurio.storage.kind=sql",
        "-Dapicurio.storage.sql.kind=h2",
        # H2 writes a commit up to half a second later by default: an id handed out must survive kill -9.
        f"-Dapicurio.datasource.url=jdbc:h2:file:{data_path}/registry;WRITE_DELAY=0",
        "-jar",
        f"{jars}/registry/quarkus-run.jar",
    ]


def _kafka_log(level: str) -> list[str]:
    """slf4j-simple writes to standard error, which is the log file."""
    return [
        f"-Dorg.slf4j.simpleLogger.defaultLogLevel={level}",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
        "-Dorg.slf4j.simpleLogger.log.kafka.log=warn",  # four lines for every partition made
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.storage=warn",
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
        "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
    ]
