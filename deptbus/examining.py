"""What ``deptbus doctor`` does: asks every part of a running bus how it is, and has the answers judged.

An area that cannot be looked at is a finding, and the others are looked at all the same.
"""

import platform
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import BusError, CatalogueError, NotFound, RegistryError
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.asking import Broker
from deptbus.kafka.cluster import Cluster, versions
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.looks import Looker
from deptbus.kafka.producer import KafkaSender
from deptbus.kafka.reach import check_reachable
from deptbus.operations.findings import bus, cluster
from deptbus.operations.findings.cluster import Node, Standing, Volume
from deptbus.operations.findings.finding import Finding, Severity, not_told
from deptbus.operations.lag import History
from deptbus.operations.recent import recent_letters
from deptbus.operations.verifying import verify
from deptbus.publishing import Publisher
from deptbus.registry import CONNECTIONS_MAX
from deptbus.schemas.check import incompatible
from deptbus.settings import Settings
from deptbus.topics.model import Topic
from deptbus.topics.plan import plan
from deptbus.workflow.said import Said
from deptbus.workflow.state import ENGINE

AREAS = (
    "brokers", "quorum", "partitions", "registry", "topics", "groups", "clock", "deadletters", "audit", "disk",
    "versions",
)  # fmt: skip
REACH_S = 5.0
LOOKS_APART_S = 2.0
PROBE = "bus.ProgressReported"
_PROBES = 3
_OURS = ("advance", "correlate", "workflow", "notify", "audit")


class Examination:
    """One look at the bus that the settings name. ``areas`` yields what each area finds."""

    def __init__(self, settings: Settings, *, probe: bool = True) -> None:
        """``ClusterUnreachable`` where no broker answers. ``probe``: whether records may be written to time them."""
        check_reachable(settings, REACH_S)
        self._settings = settings
        self._world = settings.world
        self._probe = probe
        self._cluster = Cluster(settings)
        self._catalogue: Catalogue | None = None
        self._catalogue_error = ""

    def areas(self, report: Callable[[str], None] = lambda area: None) -> Iterator[Finding]:
        """What each area finds, in the order of ``AREAS``; ``report`` is told which is looked at now."""
        looks: dict[str, Callable[[], list[Finding]]] = {
            "brokers": self._brokers,
            "quorum": self._quorum,
            "partitions": self._partitions,
            "registry": self._registry,
            "topics": self._topics,
            "groups": self._groups,
            "clock": self._clock,
            "deadletters": self._deadletters,
            "audit": self._audit,
            "disk": self._disk,
            "versions": self._versions,
        }
        for area in AREAS:
            report(area)
            try:
                yield from looks[area]()
            except BusError as error:
                yield not_told(area, str(error))

    def _brokers(self) -> list[Finding]:
        return cluster.brokers(*self._cluster.nodes())

    def _quorum(self) -> list[Finding]:
        now_ms = system_clock()
        with self._broker() as broker:
            found = broker.quorum()
        end = max((voter.end for voter in found.voters), default=0)
        voters = [
            Standing(voter.id, end - voter.end, now_ms - voter.caught_up_ms if voter.caught_up_ms >= 0 else None)
            for voter in found.voters
        ]
        return cluster.quorum(found.leader, found.epoch, voters)

    def _partitions(self) -> list[Finding]:
        found = cluster.partitions(self._cluster.replicas())
        looker = Looker(self._settings)
        try:
            held = cluster.held(looker.held())
        finally:
            looker.close()
        return [*(one for one in found if one.calls or not held), *held]

    def _registry(self) -> list[Finding]:
        catalogue = self._files()
        files = catalogue.schemas.all()
        try:
            with bootstrap.open_registry(self._settings) as registry, ThreadPoolExecutor(CONNECTIONS_MAX) as pool:
                subjects = registry.subjects()
                ids = list(pool.map(lambda file: registry.id_of(file.type, file.schema), files))
        except RegistryError as error:
            return bus.registry_down(str(error))
        missing = [f"{file.type} v{file.version}" for file, known in zip(files, ids, strict=True) if known is None]
        others = sorted(set(subjects) - set(catalogue.schemas.types()))
        url = self._settings.schema_registry_url
        return bus.registry(url, len(files), missing, incompatible(catalogue), others)

    def _topics(self) -> list[Finding]:
        catalogue = self._files()
        present = Admin(client_configuration(self._settings)).topics(self._world)
        declared: Collection[Topic] = catalogue.topics.values()
        if self._settings.namespace:  # an exercise and a rehearsal choose for themselves how many partitions
            chosen = {state.name: state.partitions for state in present}
            declared = [replace(topic, partitions=chosen.get(topic.name, topic.partitions)) for topic in declared]
        found = plan(declared, present, replication=self._settings.replication)
        return bus.topics(found, len(catalogue.topics), catalogue.lapsed)

    def _groups(self) -> list[Finding]:
        history = History()
        looker = Looker(self._settings)
        try:
            names = looker.names()
            history.add(looker.look(names))
            time.sleep(LOOKS_APART_S)
            lags = history.add(looker.look(names))
        finally:
            looker.close()
        owners = {*_OURS, *(self._catalogue.departments if self._catalogue else ())}
        unknown = [name for name in names if name.split(".")[0].split("-")[0] not in owners]
        return bus.groups(lags, names, unknown if self._catalogue else [])

    def _clock(self) -> list[Finding]:
        if not self._probe:
            skipped = Said(
                "未比较时钟：那需要写入三条探测记录", "not compared: that takes three probe records to be written"
            )
            return [Finding("clock", "not_told", Severity.NOTE, skipped)]
        settings, catalogue = self._settings, self._files()
        topic = catalogue.topic_of(PROBE)
        if topic.name not in Admin(client_configuration(settings)).names(self._world):
            raise NotFound(f"The topic {topic.name} is not there. Run `deptbus topics apply`.")
        with bootstrap.open_registry(settings) as registry:
            codec = bootstrap.load_codec(settings, catalogue, registry, {PROBE})
        sender = KafkaSender(producer_configuration(settings), self._world, REACH_S)
        try:
            publisher = Publisher(
                "bus", catalogue, codec, sender,
                namespace=self._world, clock=system_clock, ids=random_id, process="doctor",
            )  # fmt: skip
            return cluster.clock(*min((_timed(publisher) for _ in range(_PROBES)), key=lambda one: one[1]))
        finally:
            sender.close()

    def _deadletters(self) -> list[Finding]:
        recent = recent_letters(self._settings)
        by_topic = Counter(letter.topic for letter in recent.open)
        return bus.deadletters(by_topic, recent.not_looked_at, recent.unreadable)

    def _audit(self) -> list[Finding]:
        settings = self._settings
        with bootstrap.open_auditor(settings, self._files()) as auditor:
            found = verify(auditor, bootstrap.open_heads(settings), (), actual=not settings.namespace)
        return bus.audit(found.acts, [one.message for one in found.findings])

    def _disk(self) -> list[Finding]:
        volumes = []
        problems = []
        for node in self._cluster.nodes()[0]:
            try:
                with Broker(self._settings, node.host, node.port) as broker:
                    volumes += [
                        Volume(f"{node.host}:{node.port} {one.path}", one.offline, one.used_bytes, one.total_bytes,
                               one.free_bytes)
                        for one in broker.log_dirs()
                    ]  # fmt: skip
            except BusError as error:
                problems.append(not_told("disk", str(error)))
        run_path = self._settings.run_path
        if run_path.exists():
            room = shutil.disk_usage(run_path)
            volumes.append(Volume(str(self._settings.run_dir), False, room.used, room.total, room.free))
        return cluster.disk(volumes) + problems

    def _versions(self) -> list[Finding]:
        of = {"deptbus": _version("deptbus"), "engine": str(ENGINE), "Python": platform.python_version(), **versions()}
        with self._broker() as broker:
            levels = broker.features().levels
        if "metadata.version" in levels:
            of["Kafka metadata.version"] = str(levels["metadata.version"])
        return cluster.versions(of)

    def _files(self) -> Catalogue:
        """What is declared; ``CatalogueError`` again for each area that needs it."""
        if self._catalogue is None:
            if self._catalogue_error:
                raise CatalogueError(self._catalogue_error)
            try:
                self._catalogue = load_catalogue(self._settings.root, system_clock())
            except CatalogueError as error:
                self._catalogue_error = str(error)
                raise
        return self._catalogue

    def _broker(self) -> Broker:
        """A connection to the first broker that takes one."""
        nodes: list[Node] = self._cluster.nodes()[0]
        for node in nodes[:-1]:
            try:
                return Broker(self._settings, node.host, node.port)
            except BusError:
                continue
        return Broker(self._settings, nodes[-1].host, nodes[-1].port)


def _timed(publisher: Publisher) -> tuple[int, int]:
    """By how much the broker's clock is ahead of ours, and how uncertain that is: half of the way there and back."""
    report: dict[str, Any] = {
        "role": "doctor", "worker": "doctor", "step": None, "positions": {}, "outputs": {}, "next_at": None,
        "covered_until": None, "asked": 0,
    }  # fmt: skip
    prepared = publisher.prepare(PROBE, report, subject="doctor")
    before = time.time_ns()
    taken_ms = publisher.send(prepared).result().require().timestamp_ms
    after = time.time_ns()
    return round(taken_ms - (before + after) / 2_000_000), round((after - before) / 2_000_000 + 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
