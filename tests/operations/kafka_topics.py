"""Topics on the tests' broker with everything that logs have: transactions, given-up ones, gaps, cut beginnings."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Producer

from deptbus.bootstrap import open_registry
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, producer_configuration, reader_configuration
from deptbus.kafka.log import KafkaLog
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.source import KafkaSource
from deptbus.settings import Settings
from deptbus.topics.plan import TopicState

NOTE = {
    "type": "record", "name": "NoteWritten", "namespace": "health", "fields": [{"name": "text", "type": "string"}],
}  # fmt: skip
CONFIGS = {
    "cleanup.policy": "delete", "max.message.bytes": "4000000", "message.timestamp.type": "LogAppendTime",
    "retention.ms": "31536000000",
}  # fmt: skip


@dataclass
class Topics:
    """Writes to topics of one namespace, and reads them."""

    settings: Settings
    admin: Admin = field(init=False)
    frame: bytes = field(init=False)
    """How framed values begin."""

    def __post_init__(self) -> None:
        self.admin = Admin(client_configuration(self.settings))
        with open_registry(self.settings) as registry:
            self.frame = b"\0" + registry.register("health.NoteWritten", NOTE).to_bytes(4)

    def make(self, name: str, partitions: int = 2, **configs: str) -> None:
        """A topic as those of departments are."""
        given = {key.replace("_", "."): value for key, value in configs.items()}
        self.admin.create(self.settings.world, [TopicState(name, partitions, 1, CONFIGS | given)])

    def write(self, name: str, partition: int, numbers: Iterable[int], **options: Any) -> None:
        """Records that tell their numbers; ``transaction``: committed or given up as one."""
        transaction = options.pop("transaction", None)
        conf = producer_configuration(self.settings)
        if transaction is not None:
            conf = conf | {"transactional.id": self.settings.world.physical(random_id())}
        producer = Producer(conf)
        if transaction is not None:
            producer.init_transactions(20)
            producer.begin_transaction()
        for number in numbers:
            text = b"value %d" % number
            value = self.frame + bytes([2 * len(text)]) + text
            producer.produce(
                self.settings.world.physical(name), value, b"key %d" % (number % 3), partition,
                headers=[("ce_id", b"id %d" % number), ("odd", None), ("odd", b"twice")], **options,
            )  # fmt: skip
        assert producer.flush(20) == 0
        if transaction == "commit":
            producer.commit_transaction(20)
        elif transaction == "abort":
            producer.abort_transaction(20)

    def cut(self, name: str, partition: int, start: int) -> None:
        """Let a partition begin later."""
        self.admin.trim(self.settings.world, {(name, partition): start})

    def bounds(self, name: str) -> dict[int, tuple[int, int]]:
        """First and next offset of each partition."""
        log = KafkaLog(reader_configuration(self.settings), self.settings.world)
        try:
            return dict(log.bounds(name))
        finally:
            log.close()

    def held(self, name: str) -> dict[int, list[Entry]]:
        """Every committed record, by partition."""
        bounds = self.bounds(name)
        source = KafkaSource(reader_configuration(self.settings), self.settings.world, None)
        found: dict[int, list[Entry]] = {number: [] for number in bounds}
        for entries in source.entries(name, bounds):
            for number, entry in entries:
                found[number].append(entry)
        return found

    def write_all_kinds(self, name: str = "health.cases") -> None:
        """A topic on whose two partitions everything has happened that leaves offsets without records."""
        self.make(name, 3)
        self.write(name, 0, range(10))
        self.write(name, 0, range(10, 15), transaction="commit")
        self.write(name, 0, range(15, 16), transaction="commit")
        self.write(name, 0, range(100, 107), transaction="abort")
        self.write(name, 0, range(16, 18), transaction="commit")
        self.write(name, 0, range(18, 30))
        self.write(name, 1, range(200, 203), transaction="abort")
        self.write(name, 1, range(30, 40), transaction="commit")
        self.cut(name, 0, 4)
