"""The local stack: safe to repeat, safe after kill -9, and its data outlive its processes."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator

import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from deptbus.errors import StackError
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from deptbus.stack.local import LocalStack
from deptbus.topics.plan import TopicState
from tests.broker import ROOT
from tests.ports import free_ports
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka

WORLD = Namespace("kept")
SCHEMA = '{"type": "record", "name": "Kept%d", "fields": []}'


def _quiet(text: str) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """One run directory for the whole module: every test takes the stack as the one before left it."""
    kafka, controller, registry = free_ports(3)
    with tempfile.TemporaryDirectory(prefix=f"deptbus-test-{os.getpid()}-") as run_dir:
        settings = Settings.load(
            root=ROOT,
            run_dir=run_dir,
            kafka_port=kafka,
            kafka_controller_port=controller,
            registry_port=registry,
            start_timeout_s=90,
        )
        yield settings
        LocalStack(settings).down(_quiet)


@pytest.fixture
def local(settings: Settings) -> LocalStack:
    """The stack, running."""
    local = LocalStack(settings)
    local.up(_quiet)
    return local


def _send(settings: Settings, value: bytes) -> None:
    """Publish one record and wait for the broker's answer."""
    Admin(client_configuration(settings)).create(WORLD, [TopicState("health.cases", 1, 1, {})])
    producer = Producer(client_configuration(settings) | {"acks": "all"})
    refused: list[object] = []
    producer.produce(
        WORLD.physical("health.cases"), value, on_delivery=lambda error, _: error and refused.append(error)
    )
    assert producer.flush(30) == 0
    assert not refused


def _is_there(settings: Settings, value: bytes) -> bool:
    """Whether a record of that value is found, reading the topic from its beginning."""
    consumer = Consumer(client_configuration(settings) | {"group.id": "unused"})
    consumer.assign([TopicPartition(WORLD.physical("health.cases"), 0, OFFSET_BEGINNING)])

    def found() -> bool:
        message = consumer.poll(0.5)
        return message is not None and message.error() is None and message.value() == value

    try:
        wait_until(found, f"the record {value!r}")
    finally:
        consumer.close()
    return True


def _register(settings: Settings, number: int) -> int:
    """The id under which the registry knows a schema."""
    answer = httpx.post(
        f"{settings.schema_registry_url}/subjects/Kept{number}/versions", json={"schema": SCHEMA % number}
    )
    return int(answer.raise_for_status().json()["id"])


def test_up_again_changes_nothing(local: LocalStack) -> None:
    before = [local.pid("kafka"), local.pid("registry")]
    local.up(_quiet)
    assert [local.pid("kafka"), local.pid("registry")] == before
    assert None not in before


def test_logs_end_with_the_last_lines(local: LocalStack) -> None:
    lines = list(local.logs(["kafka", "registry"], 2, follow=False))
    assert [part for part, _ in lines] == ["kafka", "kafka", "registry", "registry"]


def test_another_port_than_the_running_one_is_refused(local: LocalStack, settings: Settings) -> None:
    elsewhere = LocalStack(settings.model_copy(update={"kafka_port": free_ports(1)[0]}))
    with pytest.raises(StackError, match=f"BUS_KAFKA_PORT={settings.kafka_port}"):
        elsewhere.up(_quiet)


def test_data_and_schema_ids_survive_down_and_up(local: LocalStack, settings: Settings) -> None:
    _send(settings, b"one")
    ids = [_register(settings, number) for number in range(3)]
    local.down(_quiet)
    assert [part.running for part in local.status()] == [False, False]
    local.up(_quiet)
    assert _is_there(settings, b"one")
    assert [_register(settings, number) for number in (2, 1, 0)] == ids[::-1]


def test_up_after_kill_9_loses_nothing_that_was_acknowledged(local: LocalStack, settings: Settings) -> None:
    _send(settings, b"two")
    number = _register(settings, 7)
    for part in ("kafka", "registry"):
        pid = local.pid(part)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(part.running for part in local.status()), "both processes to be gone")
    local.up(_quiet)
    assert _register(settings, 7) == number
    assert _is_there(settings, b"two")


def test_up_after_kill_9_of_one_keeps_the_other(local: LocalStack) -> None:
    registry, kafka = local.pid("registry"), local.pid("kafka")
    assert registry is not None
    os.kill(registry, signal.SIGKILL)
    wait_until(lambda: local.pid("registry") is None, "the registry to be gone")
    local.up(_quiet)
    assert local.pid("kafka") == kafka
    assert all(part.healthy for part in local.status())


def test_a_pid_that_another_program_has_now_is_not_ours(settings: Settings) -> None:
    local = LocalStack(settings)
    local.down(_quiet)
    stale = settings.run_path / "kafka.pid"
    stale.write_text(f'{{"pid": {os.getpid()}, "port": {settings.kafka_port}}}')
    assert local.pid("kafka") is None
    local.down(_quiet)  # does not kill this very process
    stale.write_text("not json")
    assert local.pid("kafka") is None


def test_a_taken_port_is_named_with_its_setting_and_holder(settings: Settings) -> None:
    local = LocalStack(settings)
    local.down(_quiet)
    with socket.create_server(("127.0.0.1", settings.registry_port)), pytest.raises(StackError) as refused:
        local.up(_quiet)
    said = str(refused.value)
    assert str(settings.registry_port) in said
    assert "BUS_REGISTRY_PORT" in said
    assert f"pid {os.getpid()}" in said
    assert local.pid("kafka") is None
