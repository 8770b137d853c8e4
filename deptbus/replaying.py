"""Replays on a cluster: plan, count, put on record, copy, read back. The rehearsal is in ``rehearsing``."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from deptbus import bootstrap
from deptbus.catalogue import Catalogue
from deptbus.clock import Clock
from deptbus.errors import BusError, CodecError, NotFound, SettingsError, TopicError
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.copying import Chooser, Copy, Watch, copied_to, copy
from deptbus.kafka.log import KafkaLog
from deptbus.kafka.rawlog import Ranges
from deptbus.kafka.reading_groups import groups_reading
from deptbus.kafka.recordbytes import Batch, Span, header
from deptbus.kafka.scanning import scan
from deptbus.operations.acts import Audited
from deptbus.operations.audit import Auditor
from deptbus.operations.chosen import Chosen, Decode, undecoded
from deptbus.operations.digests import Digest, differences
from deptbus.operations.points import Kind, Point
from deptbus.operations.replays import ACT, RESUMED, STOPPED, Choice, Counts, Known, Replay, Target, Told, replays
from deptbus.operations.stretch import Stretch, resolve
from deptbus.packs import Packs
from deptbus.redriven import FOR
from deptbus.settings import Settings
from deptbus.topics.plan import TopicState
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.pack import Pack

HEADER = "ce_replayid"
FORGOTTEN_MS = 86_400_000
"""A replay that has not written one position since is not gone on with: the broker may have forgotten it."""
_TOPIC = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)*")
_TOPIC_CHARS_MAX = 150
_KEPT = ("max.message.bytes",)
"""Settings that a new topic has of its source."""
_NEW = {"cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": "CreateTime"}
"""The others: its records keep their times, which may be long ago, and stay until somebody deletes it."""
_BY_SNAPSHOTS = ("correlate", "advance")
_CLOSED = ("ns", "bus", "workflow")
"""What the name of a new topic does not begin with."""


class Found(NamedTuple):
    """What reading back a replay came to."""

    events: int
    """Of the source that were meant."""
    differences: tuple[str, ...]
    hashes: Mapping[str, str]
    """By partition of the target, the hash of its keys and values."""


class Replays:
    """The replays of the world that the settings name. ``close`` it.

    ``decoder`` connects to the registry; it is called only where a filter asks for fields.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, auditor: Auditor, decoder: Callable[[], Decode], clock: Clock
    ) -> None:
        self.settings, self.catalogue, self.auditor = settings, catalogue, auditor
        self.admin = Admin(client_configuration(settings))
        self._world = settings.world
        self._decoder = decoder
        self._clock = clock
        self._log: KafkaLog | None = None

    @property
    def log(self) -> KafkaLog:
        """Where offsets are asked for."""
        if self._log is None:
            self._log = KafkaLog(reader_configuration(self.settings), self._world)
        return self._log

    def close(self) -> None:
        """Let go of the broker."""
        if self._log is not None:
            self._log.close()

    # Before

    def topics(self, topics: Iterable[str], departments: Iterable[str]) -> list[str]:
        """The topics meant: those named, or else all of the departments; ``NotFound``, ``SettingsError``."""
        there = self.admin.names(self._world)
        named = list(dict.fromkeys(topics))
        if not named:
            for department in dict.fromkeys(departments):
                owned = [name for name, topic in self.catalogue.topics.items() if topic.owner == department]
                if not owned:
                    known = ", ".join(sorted(self.catalogue.departments))
                    raise NotFound(f"There is no department {department} with topics; there are {known}.")
                named += [name for name in owned if name in there]
        if not named:
            raise SettingsError("Say what is replayed: --topic health.cases, or --department health.")
        for name in named:
            if name not in there:
                raise NotFound(
                    f"There is no topic {name} on the cluster; `deptbus topics list` shows what is declared."
                )
        return named

    def inputs(self, changed: Pack | None) -> list[str]:
        """The departments' topics that the packs in force read, and a changed one."""
        with Packs(self.settings, self.catalogue) as packs:
            in_force = list(packs.in_force().packs.values())
        types = Correlator([*in_force, *([changed] if changed else [])]).event_types
        there = self.admin.names(self._world)
        topics = {self.catalogue.topic_of(kind) for kind in types}
        return sorted(
            topic.name for topic in topics if topic.owner in self.catalogue.departments and topic.name in there
        )

    def until(self, end: Point) -> int:
        """Up to which time a stretch of actual life is rehearsed: the end named, or now."""
        return end.number if end.kind is Kind.TIME else self._clock()

    def stretches(self, topics: Iterable[str], start: Point, end: Point) -> tuple[Stretch, ...]:
        """The stretch of each topic; raises as ``resolve``."""
        now_ms = self._clock()
        return tuple(resolve(self.log, topic, start, end, now_ms) for topic in topics)

    def to_topic(self, replay: Replay) -> Replay:
        """The replay with the new topics it makes: one of the name given, or one for each source behind it."""
        name, sources = replay.target.name, [stretch.topic for stretch in replay.stretches]
        into = {source: name if len(sources) == 1 else f"{name}.{source}" for source in sources}
        there = self.admin.names(self._world)
        for target in into.values():
            if not _TOPIC.fullmatch(target) or len(target) > _TOPIC_CHARS_MAX or target.split(".")[0] in _CLOSED:
                raise SettingsError(
                    f"--to-topic {name} is no name for a topic of a replay: lower-case letters, digits, hyphens and "
                    f"points, beginning with a letter and not with {', '.join(_CLOSED)}."
                )
            if target in there or target in self.catalogue.topics:
                raise TopicError(
                    f"The topic {target} is there already; name one that is not, or write into it with "
                    f"--live {target} --approve {target}."
                )
        ends = {into[stretch.topic]: dict.fromkeys(stretch.ranges, 0) for stretch in replay.stretches}
        return replace(replay, into=into, ends=ends)

    def to_live(self, replay: Replay) -> Replay:
        """The replay into a topic that is read; ``NotFound``, ``SettingsError``."""
        name = replay.target.name
        partitions = self.admin.names(self._world).get(name)
        if partitions is None:
            raise NotFound(f"There is no topic {name} on the cluster; --to-topic {name} makes a new one.")
        if name.split(".")[0] in ("bus", "workflow"):
            raise SettingsError(f"{name} is written by the bus's own processes alone; nothing is replayed into it.")
        if len(replay.stretches) > 1:
            raise SettingsError(f"One topic at a time is replayed into {name}; name one with --topic.")
        (stretch,) = replay.stretches
        if len(stretch.ranges) != partitions:
            raise SettingsError(
                f"{stretch.topic} has {len(stretch.ranges)} partitions and {name} {partitions}: keys would lie "
                "elsewhere. Replay it into a new topic."
            )
        ends = {number: end for number, (_, end) in self.log.bounds(name).items()}
        return replace(replay, into={stretch.topic: name}, ends={name: ends})

    def to_group(self, replay: Replay) -> Replay:
        """The replay to one group, onto the very topics: others pass over it. ``NotFound``, ``SettingsError``."""
        name = replay.target.name
        if name in _BY_SNAPSHOTS:
            raise SettingsError(
                f"{name} keeps what it has read for good; a rehearsal shows what it would make of events."
            )
        known = [self._world.logical(group) for group in self.admin.groups(self._world)]
        if name not in known:
            raise NotFound(f"There is no consumer group {name}; `deptbus groups list` shows those that are there.")
        for stretch in replay.stretches:
            readers = groups_reading(client_configuration(self.settings), self._world, stretch.topic)
            if name not in readers:
                raise SettingsError(f"The group {name} does not read {stretch.topic}; {_named(readers)} do.")
        ends = {
            stretch.topic: {number: end for number, (_, end) in self.log.bounds(stretch.topic).items()}
            for stretch in replay.stretches
        }
        return replace(replay, into={stretch.topic: stretch.topic for stretch in replay.stretches}, ends=ends)

    def count(self, replay: Replay, watch: Callable[[int], None] = lambda offsets: None) -> Counts:
        """What is meant of the stretches, by topic and type; reads headers, and values only where the filter does."""
        counts, chooser = Counts(), self._chooser(replay)
        logical = self._world.logical
        name = b"\x0ece_type"

        def visit(topic: str, partition: int, batch: Batch, data: bytes, span: Span) -> None:
            if chooser is None or chooser.chosen(topic, partition, batch, data, span):
                kind = b""
                at = data.find(name, span.headers, span.end)
                if at >= 0:
                    length = data[at + len(name)] >> 1  # of so short a text one byte
                    kind = data[at + len(name) + 1 : at + len(name) + 1 + length]
                time_ms = batch.time_ms
                counts.add(
                    logical(topic), kind.decode(errors="replace"),
                    batch.first_ms + span.time_delta if time_ms is None else time_ms,
                )  # fmt: skip

        scan(self.settings, self._ranges(replay), visit, watch)
        return counts

    def readers(self, replay: Replay) -> list[str]:
        """Who reads what a replay writes: departments with a grant in force, and groups with a position."""
        if replay.target.kind == "group":
            return [f"group {replay.target.name}"]
        if replay.target.kind != "live":
            return []
        name, now_ms = replay.target.name, self._clock()
        topic = self.catalogue.topics.get(name)
        departments = [topic.owner] if topic else []
        if topic:
            departments += [grant.department for grant in topic.grants if grant.holds(now_ms)]
        groups = groups_reading(client_configuration(self.settings), self._world, name)
        own = {self._physical(known.replay) for known in self.known().values()}
        return [f"department {each}" for each in dict.fromkeys(departments)] + [
            f"group {each}" for each in groups if self._world.physical(each) not in own
        ]

    # Doing it

    def start(self, replay: Replay, reason: str | None) -> None:
        """Put it on record and make its topics. What is on record can be gone on with."""
        self.auditor.record(ACT, replay.target.name, reason, replay.to_detail(), outcome="started", event_id=replay.id)
        self._create(replay)

    def resume(self, replay_id: str, known: Known) -> Replay:
        """Go on with a replay; ``SettingsError`` where nothing is left to do, or nobody knows what was done."""
        replay = known.replay
        if known.state == "done":
            raise SettingsError(f"The replay {replay.id} is done; nothing is left of it.")
        if not replay.into:
            raise SettingsError(f"A replay into a {replay.target.kind} is not resumed; drop it and begin anew.")
        positions = copied_to(self.settings, self._physical(replay), self._ranges(replay))
        if not positions and self._clock() - known.started_ms > FORGOTTEN_MS:
            raise SettingsError(
                f"How far the replay {replay.id} came is not known any more: the broker has forgotten its positions. "
                "Look at what it wrote, and begin a new one."
            )
        self.auditor.record(RESUMED, replay.target.name, None, {}, start=replay.id)
        self._create(replay)
        return replay

    def run(self, replay: Replay, stopped: Callable[[], bool], watch: Watch = lambda progress: None) -> bool:
        """Copy what is left; whether it came to its end. When it was stopped, that is on record."""
        work = Copy(
            self._physical(replay), self._physical(replay), self._ranges(replay),
            {self._world.physical(source): self._world.physical(target) for source, target in replay.into.items()},
            header(HEADER, replay.id), header(FOR, replay.target.name) if replay.target.kind == "group" else b"",
            self._chooser(replay), replay.rate,
        )  # fmt: skip
        if copy(self.settings, work, stopped, watch):
            return True
        self.auditor.record(STOPPED, replay.target.name, None, {}, start=replay.id)
        return False

    def verify(self, replay: Replay, watch: Callable[[int], None] = lambda offsets: None) -> Found:
        """Read source and target again and compare counts and hashes, in order, per partition; that is on record.

        In a topic that others write to as well, the replay's own events count.
        """
        chooser, own = self._chooser(replay), header(HEADER, replay.id)
        read: dict[tuple[str, int], Digest] = {}
        written: dict[tuple[str, int], Digest] = {}
        logical = self._world.logical

        def source(topic: str, partition: int, batch: Batch, data: bytes, span: Span) -> None:
            if chooser is None or chooser.chosen(topic, partition, batch, data, span):
                read.setdefault((logical(topic), partition), Digest()).add(data[span.key : span.headers])

        def target(topic: str, partition: int, batch: Batch, data: bytes, span: Span) -> None:
            if data.endswith(own, span.headers, span.end):
                written.setdefault((logical(topic), partition), Digest()).add(data[span.key : span.headers])

        ranges = self._ranges(replay)
        scan(self.settings, ranges, source, watch)
        ends = {
            (self._world.physical(name), number): (start, self.log.bounds(name)[number][1])
            for name, starts in replay.ends.items()
            for number, start in starts.items()
        }
        done = sum(end - start for start, end in ranges.values())
        scan(self.settings, ends, target, lambda offsets: watch(done + offsets))
        found = Found(
            sum(digest.count for digest in read.values()),
            tuple(differences(read, written, replay.into)),
            {f"{name}/{number}": digest.hex for (name, number), digest in sorted(written.items())},
        )
        detail: dict[str, object] = {f"difference {n}": text for n, text in enumerate(found.differences)}
        detail["events"] = found.events
        if isinstance(chooser, Chosen):
            detail["undecodable"] = chooser.undecodable
        self.auditor.record(
            ACT, replay.target.name, None, detail,
            outcome="failed" if found.differences else "done", start=replay.id,
        )  # fmt: skip
        return found

    # Records of replays

    def known(self) -> dict[str, Known]:
        """Every replay on record, the oldest first."""
        return replays(
            Told(act.envelope.id, act.envelope.causationid, act.envelope.time_ms, act.data)
            for act in self.auditor.acts()
            if isinstance(act, Audited)
        )

    def left(self, replay: Replay) -> int:
        """How many offsets of its stretches a replay has not gone through."""
        if not replay.into:
            return 0
        ranges = self._ranges(replay)
        positions = copied_to(self.settings, self._physical(replay), ranges)
        return sum(end - positions.get(where, start) for where, (start, end) in ranges.items())

    def _create(self, replay: Replay) -> None:
        if replay.target.kind != "topic":
            return
        states = {state.name: state for state in self.admin.topics(self._world)}
        wanted = []
        for source, target in replay.into.items():
            if target not in states:
                state = states[source]
                configs = {**_NEW, **{name: state.configs[name] for name in _KEPT if name in state.configs}}
                wanted.append(TopicState(target, state.partitions, state.replication, configs))
        self.admin.create(self._world, wanted)

    def _chooser(self, replay: Replay) -> Chooser | None:
        filter_ = replay.choice.filter()
        if filter_.empty:
            return None
        return Chosen(filter_, self._decoder() if filter_.where else undecoded)

    def _ranges(self, replay: Replay) -> Ranges:
        return {
            (self._world.physical(stretch.topic), number): found
            for stretch in replay.stretches
            for number, found in stretch.ranges.items()
        }

    def _physical(self, replay: Replay) -> str:
        """Of its transactions, and of the group under which its positions stand."""
        return self._world.physical(f"replay-{replay.id}")


def _named(names: list[str]) -> str:
    return ", ".join(names) or "none"


def plan(replay_id: str, target: Target, stretches: tuple[Stretch, ...], choice: Choice, rate: float | None) -> Replay:
    """What a person ordered, as far as it does not depend on the target; ``SettingsError``."""
    choice.filter()
    if rate is not None and rate <= 0:
        raise SettingsError(f"--rate is how many events a second are written, more than 0, not {rate:g}.")
    found = Replay(replay_id, target, stretches, choice, rate=rate)
    if not found.offsets:
        topics = ", ".join(stretch.topic for stretch in stretches)
        raise BusError(f"The stretch is empty: between these ends {topics} has nothing.")
    return found


def decoder(settings: Settings, catalogue: Catalogue) -> Callable[[], Decode]:
    """What connects to the registry when values are to be decoded; schemas registered meanwhile are learnt."""

    def connect() -> Decode:
        registry = bootstrap.open_registry(settings)
        codec = bootstrap.load_codec(settings, catalogue, registry)
        learn = bootstrap.learner(codec, registry)

        def decode(value: bytes | None, event_type: str) -> Mapping[str, object]:
            try:
                return codec.decode(value, event_type)
            except CodecError as error:
                if error.reason != "unknown_schema" or not learn(codec.schema_id(value)):
                    raise
            return codec.decode(value, event_type)

        return decode

    return connect
