"""Brings the index up to what stands on the topics: by ``deptbus trace`` before it answers, or ``deptbus run lineage``.

Every topic of the namespace is read, whether it is declared or not, but for snapshots and reports of progress, which
follow from no event. A topic that was made anew is read anew, and what retention has taken is dropped here as well.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deptbus.errors import ClusterUnreachable, IndexUnusable
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import SILENCE_S, Tail
from deptbus.operations.lineage.index import Index, delete, unusable, writing
from deptbus.operations.lineage.rows import Place, Said, buried, said
from deptbus.settings import Settings
from deptbus.transport import Partition

LEFT_OUT = frozenset({"workflow.instances", "bus.progress"})
BATCH = 20_000
"""Records in one transaction at most."""
_BULK = 50_000
"""From so many new records on, if they are more than are kept, what finds them is built afterwards."""
_WAIT_S = 0.5
_LOOK_S = 0.1
"""How often one who waits for another's writing looks how far it has come, in seconds."""
_STILL_S = 30.0
"""Whoever waits gives up when nothing has moved for so long, in seconds."""

Progress = Callable[[int, int], None]
"""Told how many offsets are read, of how many."""


def index_path(settings: Settings) -> Path:
    """Where the index of the settings' namespace lies."""
    return settings.run_path / "lineage" / f"{settings.namespace or 'actual'}.sqlite"


@dataclass(frozen=True, slots=True)
class Ends:
    """What stands on the topics now."""

    kafka: Mapping[str, str]
    """What Kafka identifies each topic by."""
    bounds: Mapping[Partition, tuple[int, int]]


class Indexer:
    """Keeps the index of the namespace that the settings name. Connects when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self.path = index_path(settings)
        self._world = settings.world
        self._admin = Admin(client_configuration(settings))
        self._configuration = reader_configuration(settings)

    def ends(self) -> Ends:
        """What stands on the topics now; ``ClusterUnreachable``."""
        names = [name for name in self._admin.names(self._world) if name not in LEFT_OUT]
        starts = self._admin.start_offsets(self._world, names)
        ends = self._admin.end_offsets(self._world, names)
        return Ends(
            self._admin.topic_ids(self._world, names),
            {partition: (starts[partition], end) for partition, end in ends.items() if partition in starts},
        )

    def bring_up_to_date(self, progress: Progress = lambda done, total: None) -> None:
        """Return when everything that stands on the topics now is in the index.

        Where another process writes it, that is waited for. A broken file is made anew.
        """
        ends = self.ends()
        still = time.monotonic() + _STILL_S
        before = -1
        while True:
            with writing(self.path) as free:
                if free:
                    self._write(ends, progress)
                    return
            missing, total = self._missing(ends)
            if not missing:
                return
            progress(total - missing, total)
            if missing != before:
                before, still = missing, time.monotonic() + _STILL_S
            elif time.monotonic() > still:
                raise IndexUnusable(
                    f"Another process holds the index {self.path} and has not moved for {_STILL_S:.0f} s, with "
                    f"{missing} records before it; stop it (`deptbus run lineage`, or another `deptbus trace`)."
                )
            time.sleep(_LOOK_S)

    def update(self, progress: Progress = lambda done, total: None) -> bool:
        """As ``bring_up_to_date``, if no other process writes; whether none did."""
        with writing(self.path) as free:
            if free:
                self._write(self.ends(), progress)
            return free

    def _missing(self, ends: Ends) -> tuple[int, int]:
        """How many offsets another process has still to read, and how many there are."""
        total = sum(end - start for start, end in ends.bounds.values())
        try:
            index = Index(self.path)
        except sqlite3.OperationalError:
            return max(1, total), total
        try:
            reached = index.reached() if index.current and index.topics() == dict(ends.kafka) else {}
        except sqlite3.DatabaseError:  # it is just being made
            reached = {}
        finally:
            index.close()
        missing = sum(max(0, end - max(start, reached.get(p, (0, 0))[1])) for p, (start, end) in ends.bounds.items())
        return missing, total

    def _write(self, ends: Ends, progress: Progress) -> None:
        try:
            try:
                self._fill(ends, progress)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise
                delete(self.path)  # it can always be made anew; once more it is no accident
                self._fill(ends, progress)
        except (sqlite3.Error, OSError) as error:
            raise unusable(self.path, error) from error

    def _fill(self, ends: Ends, progress: Progress) -> None:
        index = Index(self.path, writable=True)
        try:
            with index.transaction():
                starts = _prepare(index, ends)
            total = sum(ends.bounds[partition][1] - start for partition, start in starts.items())
            if total > _BULK and total > index.count():
                index.drop_indexes()
            if starts:
                self._read(index, ends, starts, total, progress)
            index.make_indexes()
        finally:
            index.close()

    def _read(self, index: Index, ends: Ends, starts: Mapping[Partition, int], total: int, progress: Progress) -> None:
        physical: dict[str, dict[int, int]] = {}
        for (topic, partition), start in starts.items():
            physical.setdefault(self._world.physical(topic), {})[partition] = start
        at = dict(starts)
        left = total
        tail = Tail(self._configuration, physical)
        limit = time.monotonic() + SILENCE_S
        try:
            while left:
                rows, letters = _batch(tail)
                moved = {p: tail.reached[p] for p, before in at.items() if tail.reached[p] != before}
                if moved:
                    limit = time.monotonic() + SILENCE_S
                    with index.transaction():
                        index.add(rows, letters)
                        index.reach({p: (ends.bounds[p][0], reached) for p, reached in moved.items()})
                    at |= moved
                elif time.monotonic() > limit:
                    topic, number = next(p for p in at if at[p] < ends.bounds[p][1])
                    raise ClusterUnreachable(
                        f"No record came for {SILENCE_S:.0f} s though there are some: {topic}[{number}]@"
                        f"{at[topic, number]}. The broker is away, or a batch there cannot be read."
                    )
                left = sum(max(0, ends.bounds[p][1] - reached) for p, reached in at.items())
                progress(total - left, total)
        finally:
            tail.close()


def _prepare(index: Index, ends: Ends) -> dict[Partition, int]:
    """Drop what is gone, and answer from where each partition that has more is to be read."""
    for topic, kafka in index.topics().items():
        if ends.kafka.get(topic) != kafka:
            index.forget(topic)
    known, reached = index.topics(), index.reached()
    for topic in ends.kafka.keys() - known.keys():
        index.know(topic, ends.kafka[topic])
    starts = {}
    for partition, (low, high) in ends.bounds.items():
        kept, at = reached.get(partition, (low, low))
        if at > high:  # the log was cut
            index.forget(*partition)
            kept = at = low
        elif low > kept:
            index.forget(*partition, below=low)
        if low > kept or partition not in reached:
            index.reach({partition: (low, max(low, at))})
        if max(low, at) < high:
            starts[partition] = max(low, at)
    return starts


def _batch(tail: Tail) -> tuple[list[tuple[str, int, int, int, Said]], list[tuple[Place, Place]]]:
    """What comes next, and what the dead letters among it are about."""
    rows, letters = [], []
    name = tail.logical
    for message in tail.messages(_WAIT_S, BATCH):
        headers = dict(message.headers() or ())
        told = said(headers)
        if told is None:
            continue
        topic, partition, offset = name(message.topic()), message.partition(), message.offset()
        rows.append((topic, partition, offset, message.timestamp()[1], told))
        of = buried(told.type, headers)
        if of is not None:
            letters.append((Place(topic, partition, offset), of))
    return rows, letters
