"""Checks an exercise that was played against itself, record by record.

- Every record of the inputs gives, by the same pure correlate, exactly the entries that the journal holds of it,
  or it is a dead letter, kept whole; and the journal holds nothing else of them.
- The journal, folded again in the batches in which it was applied, gives every task, timeline record, follow-up
  event and snapshot: byte by byte, in order and once.
- No task is asked for twice.

``read_records`` reads Kafka, the rest is pure. It holds for a namespace of which nothing was compacted or deleted yet
and whose packs were in force before its first input.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.codec import Codec
from deptbus.deadletters import TOPIC as DEADLETTERS
from deptbus.deadletters import TYPE as DEADLETTERED
from deptbus.envelope import from_headers
from deptbus.errors import CodecError
from deptbus.folding import INSTANCES, JOURNAL, PartitionLog
from deptbus.ids import derived_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import BEGINNING, Tail
from deptbus.partitioning import partition_of
from deptbus.record import Record
from deptbus.redriven import is_for
from deptbus.settings import Settings
from deptbus.workflow.activation import in_force
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.fold import OUTPUT_TOPICS, Folded, Written, compare_outputs
from deptbus.workflow.partition import RejectedEntry

TASKS = "workflow.tasks"
EVENTS = "workflow.events"
PACKS = "bus.packs"
APPENDED = "workflow.EntryAppended"
REQUESTED = "workflow.TaskRequested"
ADVANCED = "workflow.PartitionAdvanced"
DIFFERENCES_MAX = 100
"""No more differences of one kind than this are told."""

_CORRELATE = b"/bus/correlate"
_UNREAD = frozenset({"bus.progress", "bus.clock", "bus.audit"})

Records = Mapping[str, Sequence[Record]]
"""The records of each topic (logical name), those of one partition in order."""


def read_records(settings: Settings) -> dict[str, list[Record]]:
    """Everything that a check looks at in the namespace of ``settings``, up to its present ends."""
    world = settings.world
    admin = Admin(client_configuration(settings))
    topics = sorted(set(admin.names(world)) - _UNREAD)
    ends = admin.end_offsets(world, topics)
    records: dict[str, list[Record]] = {topic: [] for topic in topics}
    tail = Tail(reader_configuration(settings), {world.physical(topic): BEGINNING for topic in topics})
    try:
        while not tail.has_reached(ends):
            for record in tail.poll(1.0, 10_000):
                if is_for(record.headers, "correlate"):  # what others are sent again is no part of it
                    records[record.topic].append(record)
    finally:
        tail.close()
    return records


def check_namespace(settings: Settings) -> list[str]:
    """What is wrong in the namespace of ``settings``, one sentence each; empty when everything holds."""
    from deptbus.bootstrap import load_codec, open_registry  # noqa: PLC0415  # the wiring, for this function alone

    catalogue = load_catalogue(settings.root, system_clock())
    with open_registry(settings) as registry:
        codec = load_codec(settings, catalogue, registry)
    return Check(codec, catalogue).differences(read_records(settings))


class Check:
    """The check, for records of one exercise."""

    def __init__(self, codec: Codec, catalogue: Catalogue) -> None:
        self._codec = codec
        self._catalogue = catalogue

    def differences(self, records: Records, folds: Mapping[int, Folded] | None = None) -> list[str]:
        """What is wrong, one sentence each. ``folds``: what ``fold`` came to for partitions folded before."""
        found = self.inputs(records)
        found += repeated(records)
        for number in range(_partitions(records)):
            found += self.outputs(records, number, (folds or {}).get(number))
        return found

    # Inputs, journal, dead letters

    def inputs(self, records: Records) -> list[str]:
        """What is wrong between inputs, journal and dead letters."""
        expected: dict[tuple[int, str], _Entry] = {}
        unusable: dict[tuple[str, int, int], Record] = {}
        correlator = self._correlator(records)
        for topic in sorted({self._catalogue.topic_of(kind).name for kind in correlator.event_types}):
            for record in records.get(topic, ()):
                entries = self._entries(correlator, record, _partitions(records))
                if entries is None:
                    unusable[topic, record.partition, record.offset] = record
                else:
                    expected |= {(entry.partition, entry.id): entry for entry in entries}
        differences = _compare_journal(expected, records[JOURNAL])
        return differences[:DIFFERENCES_MAX] + self._letters(unusable, records.get(DEADLETTERS, ()))[:DIFFERENCES_MAX]

    def _correlator(self, records: Records) -> Correlator:
        told = (
            (from_headers(record.headers).type, self._codec.decode(record.value))
            for record in records[PACKS]
            if record.value is not None
        )
        return Correlator(in_force(told).packs.values())

    def _entries(self, correlator: Correlator, record: Record, partitions: int) -> "list[_Entry] | None":
        """What the journal must hold of a record; None where nothing can be made of it."""
        try:
            envelope = from_headers(record.headers)
            if envelope.type not in correlator.event_types or envelope.mode == "actual":
                return []
            data = self._codec.decode(record.value, envelope.type)
            appended = correlator.entries(envelope, data, record, envelope.time_ms)
            found = []
            for key, entry in appended:
                name = entry["workflow"] if key is None else key
                rule = f"{entry['pack']}/{entry['rule']}/{name}"
                value = self._codec.encode(APPENDED, {"entry": entry})
                for number in range(partitions) if key is None else [partition_of(name.encode(), partitions)]:
                    ordinal = number if key is None else 0
                    event_id = derived_id(envelope.id, "correlate", APPENDED, rule, ordinal)
                    found.append(_Entry(number, event_id, name, value, record.coordinates))
        except Exception:  # as correlate: whatever is wrong with a record is this record's fault alone
            return None
        return found

    def _letters(self, unusable: dict[tuple[str, int, int], Record], letters: Iterable[Record]) -> list[str]:
        differences = []
        missing = dict(unusable)
        for record in letters:
            if dict(record.headers).get("ce_type") != DEADLETTERED.encode():  # what was done about one
                continue
            letter = self._codec.decode(record.value)
            where = (letter["topic"], letter["partition"], letter["offset"])
            source = unusable.get(where)
            missing.pop(where, None)
            if source is None:
                differences.append(f"{record.coordinates}: there is nothing wrong with {_where(where)}.")
            elif not _is_whole(letter, source):
                differences.append(f"{record.coordinates}: {_where(where)} is not kept whole.")
        return differences + [f"{_where(where)} cannot be used and is no dead letter." for where in missing]

    # Outputs

    def fold(self, records: Records, number: int) -> Folded:
        """Fold one partition of the journal in the batches in which it was applied; raises ``RejectedEntry``."""
        log = self._log(records, number)
        advanced = (self._codec.decode(one.value) for one in log.written(INSTANCES) if one.type == ADVANCED)
        ends = (data["offset"] for data in advanced if data["entry"] is None)
        return log.fold(outputs=True, ends=ends)

    def outputs(self, records: Records, number: int, folded: Folded | None = None) -> list[str]:
        """What is wrong with what was written of one partition of the journal; it is folded unless it was."""
        try:
            folded = folded or self.fold(records, number)
        except (RejectedEntry, CodecError) as error:
            return [f"{JOURNAL}[{number}]: {error}."]
        log = self._log(records, number)
        differences = _compare_log(folded.log, log.written(INSTANCES))
        for topic in OUTPUT_TOPICS:
            differences += compare_outputs(topic, folded, log.written(topic))
        return differences

    def _log(self, records: Records, number: int) -> PartitionLog:
        def of(topic: str) -> Iterator[Record]:
            return (record for record in records[topic] if record.partition == number)

        return PartitionLog(self._codec, number, of, stepped=True)


class _Entry(NamedTuple):
    """What the journal must hold of an input."""

    partition: int
    id: str
    key: str
    value: bytes
    source: str
    """Coordinates of the input, for messages."""


def _partitions(records: Records) -> int:
    """How many partitions the journal has; the activation of the first pack stands in each."""
    return max(record.partition for record in records[JOURNAL]) + 1


def _compare_journal(expected: dict[tuple[int, str], _Entry], journal: Iterable[Record]) -> list[str]:
    """An entry may stand there again, as correlate repeats them after a crash; it must be the very same."""
    differences = []
    missing = dict(expected)
    for record in journal:
        headers = dict(record.headers)
        if headers.get("ce_source") != _CORRELATE:
            continue
        place = record.partition, (headers.get("ce_id") or b"").decode()
        entry = expected.get(place)
        missing.pop(place, None)
        if entry is None:
            differences.append(f"{record.coordinates}: the entry {place[1]} follows from no input.")
        elif record.value != entry.value or record.key != entry.key.encode():
            differences.append(f"{record.coordinates}: the entry is not what {entry.source} gives.")
    lost = [f"{entry.source}: its entry for {entry.key} is not in the journal." for entry in missing.values()]
    return differences + lost


def _compare_log(folded: Sequence[Written], written: Iterable[Written]) -> list[str]:
    """Every record of ``workflow.instances`` follows from the fold, in order. Where a batch ended in held entries is
    part of the id of its last record alone."""
    differences = []
    for expected, record in zip_longest(folded, written):
        if record is None:
            differences.append(f"{INSTANCES}: a snapshot of {expected.key} was not written.")
        elif expected is None:
            differences.append(f"{record.where}: the snapshot of {record.key} does not follow from the journal.")
        elif (record.key, record.type) != (expected.key, expected.type):
            differences.append(f"{record.where}: a snapshot of {record.key} stands where {expected.key} should.")
        elif record.value != expected.value or (record.id != expected.id and record.type != ADVANCED):
            differences.append(f"{record.where}: the snapshot of {record.key} is not what the journal gives.")
        if len(differences) >= DIFFERENCES_MAX:
            break
    return differences


def repeated(records: Records) -> list[str]:
    """Tasks and follow-up events that stand there more than once."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for topic in (TASKS, EVENTS):
        for record in records[topic]:
            event_id = (dict(record.headers).get("ce_id") or b"").decode()
            places[topic, event_id].append(record.coordinates)
    return [
        f"{' and '.join(where)}: {id_} stands there more than once." for (_, id_), where in places.items() if where[1:]
    ]


def _is_whole(letter: Mapping[str, Any], source: Record) -> bool:
    headers = [(header["name"], header["value"]) for header in letter["headers"]]
    return (
        letter["value"] == source.value
        and letter["key"] == source.key
        and headers == [(name, value) for name, value in source.headers]
        and not letter["truncated"]
    )


def _where(place: tuple[str, int, int]) -> str:
    return "{}[{}]@{}".format(*place)
