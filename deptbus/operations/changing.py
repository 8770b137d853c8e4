"""Changes of schemas and topics that go on record, also those that found the audit.

While ``bus.audit`` is not on the cluster, or the registry does not know ``bus.ActAudited``, nothing can be recorded:
such changes are recorded as soon as it is there, and a warning says so where it is not.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, Topic
from deptbus.errors import SchemaError
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations import acts
from deptbus.operations.audit import Auditor
from deptbus.schemas import registration
from deptbus.schemas.registration import Registration
from deptbus.settings import Settings
from deptbus.topics import apply
from deptbus.topics.plan import Action, Plan

Warn = Callable[[str], None]
_NAMED_MAX = 5
"""So many things that an act is done to are named; of more their number is."""


class Changes:
    """Changes of one world. A context manager: what could not be recorded is recorded at its end."""

    def __init__(self, settings: Settings, catalogue: Catalogue, warn: Warn, reason: str | None = None) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.admin = Admin(client_configuration(settings))
        self._warn = warn
        self._reason = reason
        self._auditor: Auditor | None = None
        self._owed: list[tuple[str, str, Mapping[str, str]]] = []

    def register_schemas(self, progress: Callable[[int], None] = lambda done: None) -> list[Registration]:
        """As ``registration.register_schemas``, every schema of the catalogue."""
        levels = {kind: topic.compatibility for topic in self.catalogue.topics.values() for kind in topic.event_types}
        with bootstrap.open_registry(self.settings) as registry:
            new = registration.unregistered(registry, self.catalogue.schemas)
            detail = {event_type: f"v{version}" for event_type, version in new}  # the newest of each
            with self._recorded("schemas.register", list(detail), detail):
                return registration.register_schemas(registry, self.catalogue.schemas, levels, progress)

    def apply_topics(self, *, allow_delete: bool = False) -> Plan:
        """As ``topics.apply.apply_topics``, every topic of the catalogue."""
        world, replication = self.settings.world, self.settings.replication
        planned = apply.plan_topics(
            self.admin, world, self.catalogue, allow_delete=allow_delete, replication=replication
        )  # fmt: skip
        planned.refuse()
        changes = [change for change in planned.changes if change.action is not Action.UNKNOWN]
        detail = {f"{change.topic} {change.setting}".strip(): f"{change.action}: {change.detail}" for change in changes}
        with self._recorded("topics.apply", sorted({change.topic for change in changes}), detail):
            return apply.apply_topics(
                self.admin, world, self.catalogue, allow_delete=allow_delete, replication=replication
            )  # fmt: skip

    def create_topics(self) -> list[Topic]:
        """Create the topics that are missing, and leave the others as they are; answers which were."""
        present = self.admin.names(self.settings.world)
        missing = [topic for name, topic in self.catalogue.topics.items() if name not in present]
        detail = {topic.name: "create" for topic in missing}
        with self._recorded("topics.apply", sorted(detail), detail):
            self.admin.create_namespace_topics(self.settings.world, missing, self.settings.replication)
        return missing

    def __enter__(self) -> "Changes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._pay()
        finally:
            if self._auditor is not None:
                self._auditor.close()

    @contextmanager
    def _recorded(self, act: str, targets: list[str], detail: Mapping[str, str]) -> Iterator[None]:
        if not targets:
            yield  # nothing will change
            return
        target = " ".join(targets) if len(targets) <= _NAMED_MAX else f"{len(targets)} {act.partition('.')[0]}"
        auditor = self._open()
        if auditor is None:
            yield
            self._owed.append((act, target, detail))
        else:
            with auditor.act(act, target, self._reason, detail):
                yield

    def _open(self) -> Auditor | None:
        """The recorder, if there is anything to record on."""
        if self._auditor is None and acts.TOPIC in self.catalogue.topics:
            if acts.TOPIC not in self.admin.names(self.settings.world):
                return None
            try:
                self._auditor = bootstrap.open_auditor(self.settings, self.catalogue)
            except SchemaError:  # the registry does not know what an act is
                return None
        return self._auditor

    def _pay(self) -> None:
        if not self._owed:
            return
        auditor = self._open()
        if auditor is None:
            names = " and ".join(act for act, _, _ in self._owed)
            self._warn(
                f"{names} did not go on record: there is no {acts.TOPIC} yet, or the registry does not know "
                f"{acts.TYPE}; `deptbus setup` makes both."
            )
            return
        for act, target, detail in self._owed:
            auditor.record(act, target, self._reason, {**detail, "recorded": "once there was an audit"})
