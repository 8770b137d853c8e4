"""The broker and registry that the tests share: containers where Docker and the images are, else processes.

``BUS_TEST_STACK=containers|local`` forces one of the two. Both offer a second listener with SCRAM-SHA-512.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deptbus.settings import Settings
from deptbus.stack.commands import CLUSTER_ID, kafka_properties, properties_text
from deptbus.stack.local import LocalStack
from deptbus.stack.probe import kafka_answers, registry_answers
from tests.ports import free_ports
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
KAFKA_IMAGE = "apache/kafka:4.3.1"
REGISTRY_IMAGE = "apicurio/apicurio-registry:3.3.3"

_START_S = 90
_OWNER = "deptbus.test.owner"
"""The label that names the test run's pid on its containers."""
_RUN_DIRS = "deptbus-test-"
"""How run directories of test runs begin; the run's pid follows."""
_SASL = {
    "listener.security.protocol.map": (
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,SASL:SASL_PLAINTEXT"
    ),
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
}

# Kafka's own scripts with the properties of the local stack, so that both kinds of stack are configured alike.
_RUN = [
    "bash",
    "-c",
    f"""printf '%s' "$PROPERTIES" >/tmp/server.properties &&
    /opt/kafka/bin/kafka-storage.sh format --cluster-id {CLUSTER_ID} --config /tmp/server.properties &&
    exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties""",
]


@dataclass(frozen=True)
class SharedStack:
    """Where the tests' broker and registry are."""

    kind: str
    bootstrap_servers: str
    sasl_bootstrap_servers: str
    registry_url: str

    def settings(self, **overrides: Any) -> Settings:
        """Settings of a process that uses this stack."""
        given = {
            "root": ROOT,
            "stack": "external",
            "bootstrap_servers": self.bootstrap_servers,
            "schema_registry_url": self.registry_url,
            "log_level": "warning",
        }
        return Settings.load(**(given | overrides))

    def environment(self, **overrides: str) -> dict[str, str]:
        """The environment of a command that uses this stack; ``overrides`` by their full names."""
        return {
            **os.environ,
            "BUS_ROOT": str(ROOT),
            "BUS_STACK": "external",
            "BUS_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "BUS_SCHEMA_REGISTRY_URL": self.registry_url,
            **overrides,
        }


def choose() -> tuple[str, str]:
    """``containers`` or ``local``, and why."""
    forced = os.environ.get("BUS_TEST_STACK")
    if forced in ("containers", "local"):
        return forced, "BUS_TEST_STACK"
    try:
        client = docker.from_env(timeout=5)
        for image in (KAFKA_IMAGE, REGISTRY_IMAGE):
            client.images.get(image)
        client.close()
    except docker.errors.ImageNotFound:
        return "local", "the Docker Engine lacks the images"
    except docker.errors.DockerException:
        return "local", "no Docker Engine answers"
    return "containers", "a Docker Engine answers and has the images"


@contextlib.contextmanager
def shared_stack(kind: str, **local: str) -> Iterator[SharedStack]:
    """A stack of the given kind, as long as the context lasts. ``local``: settings of one that runs as processes."""
    _sweep()
    with _containers() if kind == "containers" else _processes(local) as stack:
        yield stack


def _sweep() -> None:
    """End what test runs left behind that were killed themselves."""
    for run_dir in Path(tempfile.gettempdir()).glob(f"{_RUN_DIRS}*"):
        if not _lives(run_dir.name.removeprefix(_RUN_DIRS).split("-")[0]):
            LocalStack(Settings.load(root=ROOT, run_dir=run_dir)).down(lambda text: None)
            shutil.rmtree(run_dir, ignore_errors=True)
    with contextlib.suppress(docker.errors.DockerException):
        for container in docker.from_env(timeout=5).containers.list(all=True, filters={"label": _OWNER}):
            if not _lives(container.labels[_OWNER]):
                container.remove(force=True, v=True)


def _lives(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _registry_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/apis/ccompat/v7"


@contextlib.contextmanager
def _processes(local: Mapping[str, str]) -> Iterator[SharedStack]:
    """The local stack in a directory of its own, with the second listener."""
    kafka, controller, sasl, registry = free_ports(4)
    with tempfile.TemporaryDirectory(prefix=f"{_RUN_DIRS}{os.getpid()}-") as run_dir:
        settings = Settings.load(
            root=ROOT,
            run_dir=run_dir,
            kafka_port=kafka,
            kafka_controller_port=controller,
            registry_port=registry,
            start_timeout_s=_START_S,
            **local,
        )
        plain = kafka_properties(settings, Path(run_dir))
        stack = LocalStack(
            settings,
            {
                "listeners": f"{plain['listeners']},SASL://127.0.0.1:{sasl}",
                "advertised.listeners": f"{plain['advertised.listeners']},SASL://127.0.0.1:{sasl}",
                **_SASL,
            },
        )
        try:
            stack.up(lambda text: None)
            yield SharedStack("local", f"127.0.0.1:{kafka}", f"127.0.0.1:{sasl}", _registry_url(registry))
        finally:
            stack.down(lambda text: None)


@contextlib.contextmanager
def _containers() -> Iterator[SharedStack]:
    """Two containers on loopback ports known before they start: the broker must advertise them."""
    kafka, sasl, registry = free_ports(3)
    broker = container_of(KAFKA_IMAGE, {9092: kafka, 9095: sasl})
    broker.with_env("PROPERTIES", _container_properties(kafka, sasl)).with_command(_RUN)
    schemas = container_of(REGISTRY_IMAGE, {8080: registry}).with_env("QUARKUS_HTTP_ACCESS_LOG_ENABLED", "false")
    with broker, schemas:
        wait_until(lambda: kafka_answers("127.0.0.1", kafka) or _ended(broker), "Kafka's container", _START_S)
        wait_until(
            lambda: registry_answers(_registry_url(registry)) or _ended(schemas), "the registry's container", _START_S
        )
        yield SharedStack("containers", f"127.0.0.1:{kafka}", f"127.0.0.1:{sasl}", _registry_url(registry))


def _ended(container: DockerContainer) -> bool:
    """False while the container runs; fails with its last words once it has ended."""
    container.get_wrapped_container().reload()
    if container.get_wrapped_container().status != "exited":
        return False
    raise AssertionError(f"{container.image} ended: {container.get_logs()[0][-2000:].decode(errors='replace')}")


def container_of(image: str, ports: dict[int, int]) -> DockerContainer:
    """A container of this test run with ports (inside to outside) on loopback; one that a dead run left is removed."""
    testcontainers_config.ryuk_disabled = True  # it is one more image, and these end with the context
    container = DockerContainer(image).with_kwargs(labels={_OWNER: str(os.getpid())})
    container.ports = {f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in ports.items()}
    return container


def _container_properties(kafka: int, sasl: int) -> str:
    """The broker's configuration inside its container, advertising the ports outside."""
    return properties_text(
        {
            **kafka_properties(Settings.load(kafka_controller_port=9093), Path("/tmp/kafka-test")),
            "listeners": "PLAINTEXT://:9092,SASL://:9095,INTERNAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093",
            "advertised.listeners": (
                f"PLAINTEXT://127.0.0.1:{kafka},SASL://127.0.0.1:{sasl},INTERNAL://127.0.0.1:9094"
            ),
            # It connects to itself to check and to mark transactions; the ports outside are not its own.
            "inter.broker.listener.name": "INTERNAL",
            **_SASL,
        }
    )
