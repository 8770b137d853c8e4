"""What every view is given: the settings, the catalogue, what decodes, the database, and what time it is."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec
from deptbus.desk.board import Board, Snapshot
from deptbus.desk.present import Present, present
from deptbus.desk.reading import INSTANCES
from deptbus.desk.refused import Missing
from deptbus.grants import projection
from deptbus.namespace import Namespace
from deptbus.record import Record
from deptbus.registry import Registry
from deptbus.settings import Settings
from deptbus.workflow.said import Said
from services.dashboard.boundaries import load_boundaries
from services.dashboard.projection.store import Store

READER = "command"
"""By whose right departments' topics are read: the command post's grants say which, and which of their fields."""


class Look:
    """See the module. Safe to use from several threads."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock = system_clock, catalogue: Catalogue | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.catalogue: Catalogue = catalogue or load_catalogue(settings.root, clock())
        self.registry: Registry = bootstrap.open_registry(settings)
        self.codec: Codec = bootstrap.load_codec(settings, self.catalogue, self.registry)
        self.store = store
        self.boundaries = load_boundaries(settings.dashboard_boundaries)
        self._learn = bootstrap.learner(self.codec, self.registry)
        self._learning = threading.Lock()
        self._granted = self._grants()
        self.reached_ms = 0
        """How far an exercise's own time has come."""
        self.heard_ms = 0
        """The newest broker time that was heard of."""

    @property
    def world(self) -> Namespace:
        """The namespace that is looked at."""
        return self.settings.world

    @property
    def topics(self) -> tuple[str, ...]:
        """The departments' topics that may be read."""
        return tuple(sorted(self._granted))

    def decode(self, record: Record) -> dict[str, Any]:
        """The data of a record, of a department's as far as they are granted; ``CodecError``."""
        if record.value is not None:
            schema_id = self.codec.schema_id(record.value)
            if not self.codec.knows(schema_id):
                with self._learning:
                    self._learn(schema_id)
        data = self.codec.decode(record.value)
        keep = self._granted.get(record.topic)
        return data if keep is None else keep(data)

    def snapshot(self, instance: str) -> Snapshot:
        """The newest snapshot of an instance; ``Missing``."""
        found = self.store.instance(instance)
        if found is None:
            raise Missing(Said(f"没有实例 {instance}。", f"There is no instance {instance}."))
        return self.codec.decode(found.value)

    def snapshots(self, values: Iterable[bytes]) -> list[Snapshot]:
        """What framed snapshots hold."""
        return [self.codec.decode(value) for value in values]

    def board(self, snapshots: Iterable[Snapshot]) -> Board:
        """The board of some instances, as it stands now."""
        now = self.now()
        of = {str(snapshot["instance"]): snapshot for snapshot in snapshots}
        return Board(of, self.store.packs(), now.at_ms, (), now.note)

    def now(self) -> Present:
        """What time it is: in an exercise its own, in actual life the broker's where this machine's is doubtful."""
        if self.world.name:
            return Present(self.reached_ms or self.clock())
        return present(self.clock(), self.heard_ms)

    def close(self) -> None:
        """Let go of the registry."""
        self.registry.close()

    def _grants(self) -> Mapping[str, Any]:
        granted: dict[str, Any] = {}
        for topic in self.catalogue.topics.values():
            if topic.owner not in self.catalogue.departments:
                continue
            grant = self.catalogue.may_read(READER, topic.name, self.clock())
            if grant is not None:
                granted[topic.name] = projection(grant.fields) if grant.fields else None
        return granted


__all__ = ["INSTANCES", "READER", "Look"]
