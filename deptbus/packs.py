"""Packs on a cluster: which are in force, what runs by them, and bringing them into and out of force."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.codec import Codec
from deptbus.envelope import from_headers
from deptbus.ids import random_id
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.kafka.transport import KafkaTransport
from deptbus.operations.audit import Auditor, OpenAct
from deptbus.outcome import Pending
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.transport import Sender
from deptbus.workflow import activation
from deptbus.workflow.activation import InForce, Ordered, Told
from deptbus.workflow.evolution import Snapshot
from deptbus.workflow.pack import Pack

PACKS = "bus.packs"
INSTANCES = "workflow.instances"
JOURNAL = "workflow.journal"
_CHANGED = "workflow.InstanceChanged"


class BusPackPublisher:
    """Writes packs through a sender, as the bus's own process ``process``."""

    def __init__(self, catalogue: Catalogue, codec: Codec, sender: Sender, settings: Settings, process: str) -> None:
        self.partitions = catalogue.topic(JOURNAL).partitions
        self._sender = sender
        self._publisher = Publisher(
            "workflow", catalogue, codec, sender,
            namespace=settings.world, clock=system_clock, ids=random_id, process=process,
        )  # fmt: skip

    def publish(
        self,
        event_type: str,
        data: Mapping[str, Any],
        *,
        subject: str,
        event_id: str,
        time_ms: int,
    ) -> Pending:
        """Hand an event over to its own topic, keyed by its subject."""
        prepared = self._publisher.prepare(
            event_type, data, subject=subject, key=subject, id=event_id, time_ms=time_ms
        )  # fmt: skip
        return self._publisher.send(prepared)

    def append(self, data: Mapping[str, Any], *, key: str, partition: int, event_id: str, time_ms: int) -> Pending:
        """Hand a ``workflow.EntryAppended`` over to one partition of the journal."""
        ready = self._publisher.prepare(activation.APPENDED, data, subject=key, key=key, id=event_id, time_ms=time_ms)
        return self._publisher.send(ready, partition)


class Packs:
    """The packs of the world that the settings name. A context manager; ``at_ms`` is the caller's time."""

    def __init__(self, settings: Settings, catalogue: Catalogue | None = None, codec: Codec | None = None) -> None:
        self.settings = settings
        self.catalogue = catalogue or load_catalogue(settings.root, system_clock())
        if codec is None:
            registry = bootstrap.open_registry(settings)
            try:
                codec = bootstrap.load_codec(settings, self.catalogue, registry)
            finally:
                registry.close()
        self._codec = codec
        self._sender: Sender | None = None
        self._auditor: Auditor | None = None

    def in_force(self) -> InForce:
        """What ``bus.packs`` says now."""
        return activation.in_force(self._read(PACKS))

    def known(self) -> dict[str, Pack]:
        """Every pack that was ever activated here, by hash, retired or not."""
        activated = (data["content"] for kind, data in self._read(PACKS) if kind == activation.ACTIVATED)
        return {pack.hash: pack for pack in map(Pack.from_bytes, activated)}

    def running(self, workflow: str) -> list[Snapshot]:
        """The newest snapshot of every instance of a workflow."""
        newest: dict[str, Snapshot] = {}
        for event_type, data in self._read(INSTANCES):
            if event_type == _CHANGED and data["workflow"] == workflow:
                newest[data["instance"]] = data
        return list(newest.values())

    def activate(self, pack: Pack, at_ms: int) -> bool:
        """Bring a pack into force; False where it already is. As ``activation.activate``; the act goes on record."""
        state = self.in_force()
        if activation.opens(pack, state):
            return False
        with self._act("packs.activate", pack, at_ms, None, {"pack": pack.hash}):
            return activation.activate(self._publisher(), pack, state, at_ms=at_ms)

    def retire(self, pack: Pack, reason: str, at_ms: int) -> None:
        """Take a pack out of force. As ``activation.retire``; the act goes on record."""
        running = self.running(pack.workflow)
        with self._act("packs.retire", pack, at_ms, reason, {"pack": pack.hash}):
            activation.retire(self._publisher(), pack, self.in_force(), running, reason=reason, at_ms=at_ms)

    def migrate(self, pack: Pack, instances: Sequence[Snapshot], by: Ordered, at_ms: int) -> str:
        """Order instances to move to a pack; answers the id of the act on record. As ``activation.migrate``."""
        detail = activation.migration_detail(pack, instances)
        act_id = activation.migration_id(pack, instances, by)
        with self._act("packs.migrate", pack, at_ms, by.reason, detail, by, act_id) as act:
            activation.migrate(self._publisher(), pack, instances, by, act.start, at_ms=self._time(at_ms))
        return act_id

    def decode(self, record: Record) -> dict[str, Any]:
        """The data of a record of one of the bus's own topics."""
        return self._codec.decode(record.value, from_headers(record.headers).type)

    def __enter__(self) -> "Packs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sender is not None:
            self._sender.close()
        if self._auditor is not None:
            self._auditor.close()

    def _act(
        self,
        act: str,
        pack: Pack,
        at_ms: int,
        reason: str | None,
        detail: Mapping[str, object],
        by: Ordered | None = None,
        event_id: str | None = None,
    ) -> AbstractContextManager[OpenAct]:
        if self._auditor is None:
            self._auditor = bootstrap.open_auditor(self.settings, self.catalogue, self._codec, process="packs")
        return self._auditor.act(
            act, activation.target(pack), reason, detail, operator=by.officer if by else None,
            basis=by.basis if by else None,
            event_id=event_id, time_ms=self._time(at_ms),
        )  # fmt: skip

    def _time(self, at_ms: int) -> int | None:
        """When something is done, in an exercise; in actual life the clock of this machine decides nothing."""
        return at_ms if self.settings.namespace else None

    def _publisher(self) -> BusPackPublisher:
        if self._sender is None:
            self._sender = KafkaTransport(self.settings).sender()
        return BusPackPublisher(self.catalogue, self._codec, self._sender, self.settings, "packs")

    def _read(self, topic: str) -> Iterator[Told]:
        physical = self.settings.world.physical(topic)
        for record in read_topic(reader_configuration(self.settings), physical):
            if record.value is not None:  # a tombstone
                yield from_headers(record.headers).type, self.decode(record)
