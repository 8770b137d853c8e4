"""Topics, records, and groups that read them, on the session's broker; and commands run as a person runs them."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

from confluent_kafka import Consumer, Producer, TopicPartition

from deptbus import cli
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, consumer_configuration, producer_configuration
from deptbus.kafka.groups import Groups
from deptbus.kafka.producer import TransactionalProducer
from deptbus.settings import Settings
from deptbus.topics.plan import TopicState
from deptbus.transport import Partition

ROOT = Path(__file__).parents[2]
STAMPED = {"message.timestamp.type": "LogAppendTime"}


def make(settings: Settings, **topics: int) -> None:
    """Topics stamped by the broker, by their names with ``_`` for the dot, and their counts of partitions."""
    Admin(client_configuration(settings)).create(
        settings.world, [TopicState(name.replace("_", "."), count, 1, STAMPED) for name, count in topics.items()]
    )


def put(settings: Settings, topic: str, count: int, partition: int = 0, **options: Any) -> None:
    """Put so many records on a partition."""
    producer = Producer(producer_configuration(settings))
    for number in range(count):
        producer.produce(settings.world.physical(topic), f"{number}".encode(), None, partition, **options)
    assert producer.flush(10) == 0


def transact(settings: Settings, topic: str, *counts: int, partition: int = 0) -> None:
    """Put records in transactions of these sizes: a marker follows each."""
    producer = TransactionalProducer(producer_configuration(settings), settings.world.physical("tests"))
    producer.init()
    for count in counts:
        producer.begin()
        for number in range(count):
            producer.send(settings.world.physical(topic), partition, b"k", f"{number}".encode())
        producer.commit()
    producer.close()


def commit(settings: Settings, group: str, offsets: Mapping[Partition, int]) -> None:
    """Have a group stand somewhere without a member in it."""
    assert Groups(client_configuration(settings), settings.world).commit(group, offsets) == offsets


@contextlib.contextmanager
def member(settings: Settings, group: str, topic: str, **configuration: Any) -> Iterator[Consumer]:
    """A member of a group that has its partitions, and has read nothing yet."""
    consumer = Consumer(consumer_configuration(settings, settings.world.physical(group)) | configuration)
    consumer.subscribe([settings.world.physical(topic)])
    limit = time.monotonic() + 20
    while not consumer.assignment():
        assert time.monotonic() < limit
        consumer.poll(0.1)
    try:
        yield consumer
    finally:
        consumer.close()


def stand(settings: Settings, consumer: Consumer, topic: str, offset: int, partition: int = 0) -> None:
    """Have a member commit."""
    consumer.commit(offsets=[TopicPartition(settings.world.physical(topic), partition, offset)], asynchronous=False)


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(settings: Settings, *arguments: str, **environment: str) -> Result:
    """Run the command in the settings' world, in this process; its result. A bug shows as its exception."""
    with ExitStack() as held:
        held.enter_context(patch.dict(os.environ, settings.environment() | environment))
        held.enter_context(patch.object(sys, "argv", ["deptbus", *arguments]))
        out, err = (TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2))
        held.enter_context(redirect_stdout(out))
        held.enter_context(redirect_stderr(err))
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        said = []
        for stream in (out, err):
            stream.flush()
            stream.seek(0)
            said.append(stream.read())
        return Result(code, *said)


def run_json(settings: Settings, *arguments: str, code: int = 0) -> Any:
    """What a command says to programs."""
    result = run(settings, *arguments, "--json")
    assert result.returncode == code, result.stderr
    return json.loads(result.stdout)
