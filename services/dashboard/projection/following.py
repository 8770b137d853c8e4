"""Follows the bus into the database, in a thread of its own, for as long as the dashboard runs.

A plain consumer without a group: where it stands is in the database, written together with what was read. Where the
topics are other ones than those the database was filled from, it is filled anew.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from deptbus.clock import CLOCK, PROGRESS
from deptbus.desk.reading import INSTANCES, TASKS, TIMELINE
from deptbus.errors import ClusterUnreachable, NotFound
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.kafka.ends import bounds_of
from deptbus.record import Record
from deptbus.transport import Partition
from services.dashboard.look import Look
from services.dashboard.projection.taking import Change, Taking

POLL_S = 0.2
BATCH_MAX = 5_000
"""Records in one transaction at most."""
AGAIN_S = 1.0
"""Pause before the broker is tried again."""
CHECK_S = 5.0
"""How often it is looked whether the topics are still the same ones."""
FORGET_S = 3_600.0
"""How often what has passed the topics' retention is forgotten: the database holds what filling would bring."""

_log = structlog.get_logger("services.dashboard.following")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the database is."""

    state: str
    """``waiting`` for the bus or its topics, ``filling``, or ``following``."""
    read: int = 0
    total: int = 0
    """Offsets between where filling began and where the topics ended then; and those done of them."""
    problem: str = ""


class Follower:
    """See the module. ``told`` is called from its thread with what changed, and with None after a filling."""

    def __init__(self, look: Look, told: Callable[[list[Change] | None], None] = lambda changes: None) -> None:
        self._look = look
        self._told = told
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        self._reading = reader_configuration(look.settings)
        self._admin = Admin(client_configuration(look.settings))
        self.standing = Standing("waiting")
        self.failed: BaseException | None = None
        """What ended the thread, if anything did: a bug, or a database that is gone."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after the batch under way."""
        self._ended.set()
        self._thread.join()

    def fill(self, progress: Callable[[Standing], None] = lambda standing: None) -> Standing:
        """Empty the database and fill it up to where the topics end now; in the caller's thread."""
        with self._look.store.writing() as connection:
            self._look.store.empty(connection)
        self._open_and_fill(progress)
        return self.standing

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except (ClusterUnreachable, NotFound) as error:
                if self.standing.problem != str(error):
                    _log.warning("waiting", reason=str(error))
                self.standing = Standing("waiting", problem=str(error))
                self._ended.wait(AGAIN_S)
            except Exception as error:
                _log.exception("ended")
                self.failed = error
                self.standing = Standing("waiting", problem=f"{type(error).__name__}: {error}")
                return

    def _follow(self) -> None:
        taking, tail = self._open_and_fill()
        try:
            self._told(None)
            self.standing = Standing("following")
            checked = forgot = time.monotonic()
            while not self._ended.is_set():
                self._take(taking, tail, live=True)
                now = time.monotonic()
                if now - checked > CHECK_S:
                    checked = now
                    if self._source() != self._look.store.about("source"):
                        return  # other topics: from the beginning
                if now - forgot > FORGET_S:
                    forgot = now
                    self._forget(self._ends())
        finally:
            tail.close()

    def _open_and_fill(self, progress: Callable[[Standing], None] = lambda standing: None) -> tuple[Taking, Tail]:
        """Come as far as the topics reach now; what goes on from there."""
        store, source = self._look.store, self._source()
        if store.about("source") != source:
            with store.writing() as connection:
                store.empty(connection)
                store.tell(connection, "source", source)
        taking = Taking(store, self._look.decode)
        self._look.reached_ms = taking.reached_ms
        ends = self._ends()
        self._forget(ends)
        starts = self._starts(store.positions(), ends)
        tail = Tail(self._reading, starts | self._times())
        waiting = {partition: end for partition, (_, end) in ends.items()}
        began = {partition: tail.reached.get(partition, 0) for partition in waiting}
        total = sum(max(0, end - began[partition]) for partition, end in waiting.items())
        try:
            while not self._ended.is_set():
                read = sum(min(tail.reached[one], end) - began[one] for one, end in waiting.items() if end > began[one])
                self.standing = Standing("filling", read, total)
                progress(self.standing)
                if tail.has_reached(waiting):
                    break
                self._take(taking, tail, live=False)
        except BaseException:
            tail.close()
            raise
        _log.info("filled", records=total, instances=store.count()["instances"])
        return taking, tail

    def _take(self, taking: Taking, tail: Tail, *, live: bool) -> None:
        records = tail.poll(POLL_S, BATCH_MAX)
        if not records:
            return
        self._hear(records)
        wanted = [record for record in records if record.topic not in (PROGRESS, CLOCK)]
        if not wanted:
            return
        reached = {(record.topic, record.partition): record.offset + 1 for record in wanted}
        try:
            changes = taking.take(wanted, reached, live=live)
        except SQLAlchemyError as error:
            raise RuntimeError(f"the dashboard's database does not take what was read: {error}") from error
        self._look.reached_ms = max(self._look.reached_ms, taking.reached_ms)
        if changes:
            self._told(changes)

    def _hear(self, records: Iterable[Record]) -> None:
        look = self._look
        look.heard_ms = max(look.heard_ms, *(record.timestamp_ms for record in records))
        announced = (look.decode(record)["starts_at"] for record in records if record.topic == CLOCK)
        look.reached_ms = max(look.reached_ms, *announced, 0)

    def _source(self) -> str:
        """What tells these topics from others of the same names. ``NotFound`` while they are not there."""
        cluster, topic = self._admin.identity(self._look.world, INSTANCES)
        if topic is None:
            raise NotFound(f"The topics of the world {self._look.world.name or 'actual life'!r} are not there yet.")
        return f"{cluster} {self._look.world.name} {topic}"

    def _ends(self) -> dict[Partition, tuple[int, int]]:
        """First and next offset of each partition that is followed."""
        world = self._look.world
        physical = [world.physical(topic) for topic in (INSTANCES, TASKS, TIMELINE, *self._look.topics)]
        found = bounds_of(self._reading, physical)
        return {(world.logical(topic), number): bound for topic, of in found.items() for number, bound in of.items()}

    def _forget(self, ends: Mapping[Partition, tuple[int, int]]) -> None:
        with self._look.store.writing() as connection:
            self._look.store.forget_before(connection, {partition: low for partition, (low, _) in ends.items()})

    def _times(self) -> dict[str, int | Mapping[int, int]]:
        """Where to read what tells the time: reports of workers, and an exercise's clock from its latest word on."""
        progress, clock = map(self._look.world.physical, (PROGRESS, CLOCK))
        latest = {
            number: max(low, high - 1) for number, (low, high) in bounds_of(self._reading, [clock])[clock].items()
        }
        return {progress: END, clock: latest}

    def _starts(
        self, positions: Mapping[Partition, int], ends: Mapping[Partition, tuple[int, int]]
    ) -> dict[str, int | Mapping[int, int]]:
        """By physical topic, where each partition is read from: where the database stands, or what is left of it."""
        starts: dict[str, dict[int, int]] = {}
        for (topic, number), (low, _) in ends.items():
            start = max(low, positions.get((topic, number), low))
            starts.setdefault(self._look.world.physical(topic), {})[number] = start
        return dict(starts)
