"""Restores an archive into a cluster: topics, schemas, records at their offsets, committed positions; and proves it.

How far it has come is where each partition ends, so nothing needs to be remembered beside the records, and a process
that is killed can neither lose nor repeat any. A group named after the restore marks the topics as its own until all is
read back; only then do they get the settings that they had.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Protocol

from deptbus import failpoint
from deptbus.errors import ArchiveRefused, ArchiveUnfinished
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.exact import SETTINGS, ExactWriter
from deptbus.operations.archive.compare import Compared, Comparison
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.frames import Frames
from deptbus.operations.archive.manifest import ArchivedTopic
from deptbus.operations.archive.reading import VALUE_BYTES_MAX, Archive
from deptbus.operations.archive.restoring import Job, restore_id, settings_after, steps
from deptbus.operations.archive.schemas import Registry, codec_of, register
from deptbus.operations.archive.source import KafkaSource
from deptbus.settings import Settings
from deptbus.topics.plan import TopicState
from deptbus.transport import Partition

TOGETHER = 24
"""Partitions written at once: each holds a block in memory."""
SHARE = 500
"""Records of one partition before the next one's turn."""
KEEPING = {"cleanup.policy": "delete", "retention.ms": "-1"}
"""While a topic is restored nothing of it may go."""
ADVICE = "restore into another namespace (--namespace), or delete the topic"


class Positions(Protocol):
    """The committed positions of groups, by logical names."""

    def committed(self, names: Sequence[str]) -> Mapping[str, Mapping[Partition, int]]:
        """What groups have committed."""

    def commit(self, name: str, offsets: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Set them for a group that is not in use; answers what it then has."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore."""

    id: str
    partitions: Sequence[Compared]
    resumed: bool
    schemas: int
    """Schemas that the registry has under other ids than the archive."""
    kept_for_ever: Sequence[str]
    """Topics whose records are older than their retention."""
    groups: Mapping[str, Mapping[Partition, int]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many records were read back."""
        return sum(each.evidence.records for each in self.partitions)

    @property
    def differences(self) -> list[str]:
        """What is not as it was archived."""
        return [difference for each in self.partitions for difference in each.differences]


class Restore:
    """One restore, of one archive into one namespace of one cluster."""

    def __init__(self, archive: Archive, work: Sequence[Job], settings: Settings, admin: Admin) -> None:
        self._archive = archive
        self._work = work
        self._settings = settings
        self._world = settings.world
        self._admin = admin
        self.id = restore_id(archive.manifest, work, settings.namespace)
        self._topics = {job.topic: archive.manifest.topics[job.topic] for job in work}

    def check(self, positions: Positions) -> bool:
        """Whether this restore was begun before; raises where it cannot be done: nothing is written then."""
        present = self._admin.names(self._world)
        for name, topic in self._topics.items():
            if name in present and present[name] != topic.partitions:
                raise ArchiveRefused(
                    f"{name} has {present[name]} partitions and the archived one {topic.partitions}; {ADVICE}."
                )
        own = positions.committed([self.id])[self.id]
        for partition, end in self._ends().items():
            if end and partition not in own:
                raise ArchiveRefused(f"{partition[0]}[{partition[1]}] is not empty: it ends at offset {end}; {ADVICE}.")
        return bool(own)

    def plan(self, registry: Registry) -> dict[str, Any]:
        """What would be written, for people to look at before; reads the archive whole."""
        ends = self._ends()
        partitions = []
        for job in self._work:
            blocks = self._archive.entries(job.topic, job.number, job.between)
            counts = Counter[str]()
            for step in steps(blocks, job, 0):
                if isinstance(step, int):
                    counts.update(gaps=1, to_use_up=step)
                else:
                    counts.update(records=1)
            partitions.append(
                {
                    "topic": job.topic, "partition": job.number, "start": job.between[0], "end": job.between[1],
                    "records": counts["records"], "gaps": counts["gaps"], "to_use_up": counts["to_use_up"],
                    "ends_at": ends.get(job.partition),
                }
            )  # fmt: skip
        new = [each.type for each in self._archive.schemas if registry.id_of(each.type, each.schema) is None]
        return {"restore": self.id, "partitions": partitions, "schemas_to_register": sorted(new)}

    def run(
        self,
        registry: Registry,
        positions: Positions,
        *,
        groups: bool = False,
        wait: Callable[[], object] = lambda: None,
        progress: Callable[[str, int], None] = lambda what, count: None,
        now_ms: int,
    ) -> Restored:
        """Restore, read back, and hand over; ``wait`` is called before each record.

        Raises ``ArchiveBroken``, ``ArchiveRefused``, ``TopicError``, ``RegistryError``, ``ClusterUnreachable``.
        """
        resumed = self.check(positions)
        self._archive.check(self._topics)
        schemas = self._archive.schemas
        ids = register(registry, schemas)
        frames = Frames(ids, codec_of(schemas, VALUE_BYTES_MAX), {schema.id: schema.schema for schema in schemas})
        self._prepare()
        missing = {job.partition: 0 for job in self._work}
        if len(positions.commit(self.id, missing)) < len(missing):
            raise ArchiveUnfinished("The cluster does not keep what belongs to this restore; try again.")
        writer = ExactWriter(
            producer_configuration(self._settings),
            self._world.physical(self.id),
            self._ends,
            self._settings.publish_timeout_s,
        )
        try:
            writer.claim()
            ends = self._ends()
            for together in self._together():
                self._write(writer, frames, together, ends, wait, lambda count: progress("written", count))
        finally:
            writer.close()
        wanted = self._wanted(groups)
        compared = list(self._read_back(frames, wanted, lambda count: progress("read back", count)))
        restored = Restored(self.id, compared, resumed, sum(old != new for old, new in ids.items()), ())
        if restored.differences:
            return restored
        failpoint.hit("before-settings")
        kept = self._hand_over(now_ms)
        done = self._commit(positions, restored, wanted)
        self._admin.delete_groups(self._world, [self.id])
        return replace(restored, kept_for_ever=kept, groups=done)

    def _together(self) -> Iterator[Sequence[Job]]:
        for first in range(0, len(self._work), TOGETHER):
            yield self._work[first : first + TOGETHER]

    def _ends(self) -> dict[Partition, int]:
        return self._admin.end_offsets(self._world, self._topics, committed=False)

    def _prepare(self) -> None:
        """The topics are there, and nothing of them can go."""
        present = self._admin.names(self._world)
        new = {name: topic for name, topic in self._topics.items() if name not in present}
        replication = self._settings.replication or -1
        while_restoring = KEEPING | SETTINGS
        self._admin.create(
            self._world,
            [
                TopicState(name, topic.partitions, replication, {**topic.configs, **while_restoring})
                for name, topic in new.items()
            ],
        )
        self._admin.alter_configs(
            self._world,
            {name: {**topic.configs, **while_restoring} for name, topic in self._topics.items() if name not in new},
        )

    def _write(
        self,
        writer: ExactWriter,
        frames: Frames,
        together: Sequence[Job],
        ends: Mapping[Partition, int],
        wait: Callable[[], object],
        progress: Callable[[int], None],
    ) -> None:
        """Partitions take turns; where they come to a gap they wait for each other, and it costs one transaction."""
        left: dict[Partition, Iterator[Entry | int]] = {}
        for job in together:
            at = ends[job.partition]
            writer.open(job.partition, self._world.physical(job.topic), at)
            start = max(at, job.between[0]) if job.exact else job.between[0]
            blocks = self._archive.entries(job.topic, job.number, (start, job.between[1]))
            left[job.partition] = steps(blocks, job, at)
        while left:
            gaps: dict[Partition, int] = {}
            for partition, following in list(left.items()):
                count = 0
                for step in following:
                    if isinstance(step, int):
                        gaps[partition] = step
                        break
                    wait()
                    writer.send(partition, step.key, frames.rewritten(step.value), step.headers, step.timestamp_ms)
                    count += 1
                    if count == SHARE:
                        break
                else:
                    del left[partition]
                progress(count)
                writer.poll()
            failpoint.hit("after-records")
            if gaps:
                writer.flush()
                writer.skip(gaps)
        writer.flush()

    def _wanted(self, groups: bool) -> dict[str, dict[Partition, int]]:
        """Committed positions of groups in what is restored, by archived offsets."""
        if not groups:
            return {}
        meant = {job.partition for job in self._work}
        found: dict[str, dict[Partition, int]] = {}
        for group, topics in self._archive.manifest.groups.items():
            for topic, offsets in topics.items():
                for number, offset in offsets.items():
                    if (topic, number) in meant:
                        found.setdefault(group, {})[topic, number] = offset
        return found

    def _read_back(
        self, frames: Frames, wanted: Mapping[str, Mapping[Partition, int]], progress: Callable[[int], None]
    ) -> Iterator[Compared]:
        source = KafkaSource(reader_configuration(self._settings), self._world, None)
        ends = self._ends()
        for together in self._together():
            for topic in dict.fromkeys(job.topic for job in together):
                comparisons = {
                    job.number: Comparison(
                        job,
                        self._archive.entries(topic, job.number, job.between),
                        frames,
                        [offsets[job.partition] for offsets in wanted.values() if job.partition in offsets],
                    )
                    for job in together
                    if job.topic == topic
                }
                ranges = {
                    number: (comparison.found.job.between[0] if comparison.found.job.exact else 0, ends[topic, number])
                    for number, comparison in comparisons.items()
                }
                for records in source.entries(topic, ranges):
                    for number, entry in records:
                        comparisons[number].take(entry)
                    progress(len(records))
                for number, comparison in comparisons.items():
                    yield self._against_manifest(topic, number, comparison.finish())

    def _against_manifest(self, topic: str, number: int, compared: Compared) -> Compared:
        part = self._archive.part(topic, number)
        if compared.job.whole(part) and not compared.differences and compared.evidence != part.evidence:
            compared.differences.append(f"{topic}[{number}]: count or hashes are not those of the manifest.")
        return compared

    def _hand_over(self, now_ms: int) -> list[str]:
        """What was used up before the first record goes, and the topics get the settings that they had."""
        self._admin.trim(
            self._world, {job.partition: job.between[0] for job in self._work if job.exact and job.between[0]}
        )
        after, kept = {}, []
        for name, topic in self._topics.items():
            after[name], outlived = settings_after(topic.configs, _oldest_ms(topic), now_ms)
            after[name]["message.timestamp.after.max.ms"] = "3600000"  # Kafka's own default
            if outlived:
                kept.append(name)
        self._admin.alter_configs(self._world, after)
        return kept

    def _commit(
        self, positions: Positions, restored: Restored, wanted: Mapping[str, Mapping[Partition, int]]
    ) -> dict[str, dict[Partition, int]]:
        """Committed positions, and reads them back."""
        by_partition = {each.job.partition: each for each in restored.partitions}
        done: dict[str, dict[Partition, int]] = {}
        for group, offsets in wanted.items():
            new: dict[Partition, int] = {}
            for partition, offset in offsets.items():
                start, end = by_partition[partition].job.between
                exact = by_partition[partition].job.exact
                new[partition] = min(max(offset, start), end) if exact else by_partition[partition].positions[offset]
            if (there := dict(positions.commit(group, new))) != new:
                raise ArchiveUnfinished(
                    f"The cluster has other positions of {group} than were set: {there}; try again."
                )
            done[group] = new
        return done


def _oldest_ms(topic: ArchivedTopic) -> int | None:
    return min((file.min_ms for file in chain(*(part.files for part in topic.parts.values()))), default=None)
