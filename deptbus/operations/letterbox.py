"""``bus.deadletters`` of one cluster: its letters and what was done about them, read; and what is done now, written.

What is sent again and the act that says so are one transaction, and only one process at a time has these transactions:
a second one ends the first. Each reads the letters after it has begun to, so it sees all that was done before.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, cast

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec
from deptbus.deadletters import TOPIC
from deptbus.deadletters import TYPE as DEAD_LETTERED
from deptbus.envelope import from_headers
from deptbus.errors import ActRefused, CodecError, NotFound, PublishFailed, TransactionFenced, TransactionUnclear
from deptbus.failpoint import hit
from deptbus.ids import IdSource, derived_id, random_id
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition, read_ranges
from deptbus.kafka.ends import bounds
from deptbus.kafka.producer import TransactionalProducer
from deptbus.kafka.reach import check_reachable
from deptbus.operations.letters import ACTED, Letter, Letters
from deptbus.publishing import Prepared, Publisher
from deptbus.record import Record
from deptbus.redriven import stamp
from deptbus.settings import Settings
from deptbus.transport import Sender

TRANSACTIONAL_ID = "deadletters"
TOGETHER_MAX = 100
"""Letters of one transaction at most."""
TOGETHER_BYTES = 16_000_000
"""And so many bytes of their records."""
HELD_BYTES = 64_000_000
"""Records held in memory at most while they are brought into order."""
TRANSACTION_S = 10.0
"""A transaction that was left open is ended after this by the broker; readers of its topics wait so long."""
_REACH_S = 5.0
_TRIES_MAX = 3


class Doing(NamedTuple):
    """Who does something about letters, and why; ``run`` is shared by what is done together."""

    actor: str
    reason: str
    run: str


class Sent(NamedTuple):
    """What is sent again: a record of the letter's topic."""

    letter: Letter
    record: Record
    event_id: str | None


class LetterBox:
    """One look at the letters of the world that the settings name. A context manager."""

    def __init__(self, settings: Settings, clock: Clock = system_clock, ids: IdSource = random_id) -> None:
        check_reachable(settings, _REACH_S)
        self.settings = settings
        self.catalogue: Catalogue = load_catalogue(settings.root, clock())
        self._clock = clock
        self._ids = ids
        self.registry = bootstrap.open_registry(settings)
        self.codec: Codec = bootstrap.load_codec(settings, self.catalogue, self.registry, {DEAD_LETTERED, ACTED})
        self.learn = bootstrap.learner(self.codec, self.registry)
        self.unreadable = 0
        """Records of the topic that could not be read."""
        self._reading = reader_configuration(settings)
        self._topic = settings.world.physical(TOPIC)
        self._publisher = Publisher(
            "bus", self.catalogue, self.codec, cast("Sender", None),  # it only prepares
            namespace=settings.world, clock=clock, ids=ids, process="operations",
        )  # fmt: skip
        self._producer: TransactionalProducer | None = None
        self._partitions: dict[str, Collection[int]] = {}

    # Reading

    def letters(self, between: Mapping[int, tuple[int, int]] | None = None) -> Letters:
        """Every letter, or those between bounds of partitions, with what was done about it so far."""
        letters = Letters()
        self.unreadable = 0
        if between is None:
            between = bounds(self._reading, self._topic)
        for record in read_ranges(self._reading, self._topic, between):
            try:
                envelope = from_headers(record.headers)
                data = self._decode(record, envelope.type)
            except CodecError:
                self.unreadable += 1
            else:
                letters.take(record, envelope, data)
        return letters

    def held(self, letter: Letter) -> Record:
        """The record that a letter holds."""
        partition, offset = letter.place
        for found in read_partition(self._reading, self._topic, partition, offset, offset + 1):
            return _record(self._decode(found, DEAD_LETTERED))
        raise NotFound(f"The dead letter {letter.id} is there no more: {TOPIC} keeps it no longer.")

    def codec_of(self, event_type: str) -> Codec:
        """The codec of an event type."""
        return bootstrap.load_codec(self.settings, self.catalogue, self.registry, {event_type})

    def schemas(self, *event_types: str | None) -> list[Mapping[str, Any]]:
        """Every version of some event types, by the files; none if one of them is not known."""
        known = set(self.catalogue.schemas.types())
        if not known.issuperset(event_types):
            return []
        return [file.schema for file in self.catalogue.schemas.all() if file.type in event_types]

    def newest_schema(self, event_type: str) -> Mapping[str, Any] | None:
        """The newest schema of an event type, by the files; None if there is none."""
        known = event_type in self.catalogue.schemas.types()
        return self.catalogue.schemas.newest(event_type).schema if known else None

    def _decode(self, record: Record, event_type: str) -> dict[str, Any]:
        schema_id = self.codec.schema_id(record.value)
        if not self.codec.knows(schema_id):
            self.learn(schema_id)
        return self.codec.decode(record.value, event_type)

    def _in_order(self, letters: Sequence[Letter]) -> Iterator[tuple[Letter, Record]]:
        """Letters with their records, in the order given; the topic is read once for so many as fit in memory."""
        for part in _parts(letters, len(letters), HELD_BYTES):
            places = {letter.place for letter in part}
            found: dict[tuple[int, int], Record] = {}
            for partition in {number for number, _ in places}:
                offsets = [offset for number, offset in places if number == partition]
                for record in read_partition(self._reading, self._topic, partition, min(offsets), max(offsets) + 1):
                    if (place := (partition, record.offset)) in places:
                        found[place] = _record(self._decode(record, DEAD_LETTERED))
            for letter in part:
                if letter.place in found:  # else its topic has just let go of it
                    yield letter, found.pop(letter.place)

    # Acting

    def begin(self) -> None:
        """End whoever else acts on letters, and what they have left open. Before what is to be done is read."""
        self._close_producer()
        self._producer = TransactionalProducer(
            producer_configuration(self.settings), self.settings.world.physical(TRANSACTIONAL_ID), TRANSACTION_S
        )
        with _taken_over_is_told():
            self._producer.init()

    def redrive(
        self,
        choose: Callable[[Letters], Sequence[Letter]],
        doing: Doing,
        *,
        rate: float | None = None,
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> int:
        """Send letters again, each once, and say so; how many.

        ``choose`` says which, from what stands; where a transaction's end is not known, that is read again. ``rate`` is
        the most that are sent in a second. ``ActRefused`` when it cannot be brought to its end.
        """
        done = failed = 0
        while True:
            self.begin()
            letters = self.letters()
            mine = [one for one in letters.by_id.values() if any(act.run == doing.run for act in one.acts)]
            left = [one for one in choose(letters) if one not in mine]
            failed = failed + 1 if len(mine) == done else 0
            done = len(mine)
            total = done + len(left)
            progress(done, total)
            try:
                for sent in self._transactions(self._in_order(left), doing, rate):
                    done += sent
                    progress(done, total)
                    if rate is not None:
                        time.sleep(sent / rate)  # the first may have waited for its producer: no making up for that
            except (TransactionUnclear, PublishFailed) as error:
                if failed >= _TRIES_MAX:
                    raise ActRefused(
                        f"After {done} of {total} letters the broker takes no more: {error}. What was sent is on "
                        "record; put it right and give the command again: it goes on with the rest."
                    ) from error
            else:
                return done

    def send(self, letter: Letter, record: Record, event_id: str, act: str, doing: Doing) -> None:
        """Send a record in place of a letter's, and say so."""
        self._transaction([Sent(letter, record, event_id)], act, doing)

    def settle(self, letters: Iterable[Letter], act: str, doing: Doing) -> int:
        """Say of letters, of which nothing is sent, what was done; how many."""
        count = 0
        for part in _parts(list(letters), TOGETHER_MAX, TOGETHER_BYTES):
            with self._transacted() as producer:
                for letter in part:
                    self._say(producer, self._act(letter, act, letter.count, None, doing))
            count += len(part)
        return count

    def _transactions(self, held: Iterable[tuple[Letter, Record]], doing: Doing, rate: float | None) -> Iterator[int]:
        together = TOGETHER_MAX if rate is None else max(1, min(TOGETHER_MAX, int(rate)))
        part: list[Sent] = []
        size = 0
        for letter, record in held:
            if part and (len(part) == together or size + letter.size > TOGETHER_BYTES):
                yield self._transaction(part, "redriven", doing)
                part, size = [], 0
            headers = stamp(record.headers, letter.group, letter.id, letter.count + 1, letter.timestamp_ms)
            part.append(Sent(letter, record._replace(headers=headers), letter.event_id))
            size += letter.size
        if part:
            yield self._transaction(part, "redriven", doing)

    def _transaction(self, part: Sequence[Sent], act: str, doing: Doing) -> int:
        with self._transacted() as producer:
            for letter, record, event_id in part:
                physical = self.settings.world.physical(record.topic)
                producer.send(physical, self._partition(record), record.key, record.value, record.headers)
                hit("inside-transaction")
                self._say(producer, self._act(letter, act, letter.count + 1, event_id, doing))
        hit("after-commit")
        return len(part)

    def _act(self, letter: Letter, act: str, count: int, event_id: str | None, doing: Doing) -> Prepared:
        data = {
            "letter": letter.id, "act": act, "count": count, "group": letter.group, "topic": letter.topic,
            "partition": letter.partition, "offset": letter.offset, "event": event_id,
            "forced": letter.state(self.settings.redrives_max) == "quarantined", "reason": doing.reason,
            "run": doing.run,
        }  # fmt: skip
        return self._publisher.prepare(
            ACTED, data, subject=letter.coordinates, actor=doing.actor,
            id=derived_id(letter.id, self._publisher.source, ACTED, doing.run, len(letter.acts)),
        )  # fmt: skip

    def _say(self, producer: TransactionalProducer, act: Prepared) -> None:
        producer.send(self._topic, -1, act.key, act.value, act.headers)

    @contextmanager
    def _transacted(self) -> Iterator[TransactionalProducer]:
        """A transaction, committed at its end; that somebody else has begun may show at any step of it."""
        assert self._producer is not None, "begin() comes first"
        with _taken_over_is_told():
            self._producer.begin()
            yield self._producer
            self._producer.commit()

    def _partition(self, record: Record) -> int:
        """Where a record was, if its topic has that partition; else -1, by its key."""
        if record.topic not in self._partitions:
            self._partitions[record.topic] = bounds(self._reading, self.settings.world.physical(record.topic))
        return record.partition if record.partition in self._partitions[record.topic] else -1

    def _close_producer(self) -> None:
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def __enter__(self) -> "LetterBox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_producer()
        self.registry.close()


@contextmanager
def _taken_over_is_told() -> Iterator[None]:
    try:
        yield
    except TransactionFenced as error:
        raise ActRefused(
            "Somebody else has begun to act on dead letters and goes on in place of this command; what it had not "
            "finished is as it was. Look at `deptbus deadletters list` and go on from there."
        ) from error


def _record(data: Mapping[str, Any]) -> Record:
    """The record in a letter."""
    return Record(
        data["topic"], data["partition"], data["offset"], data["timestamp"], data["key"], data["value"],
        [(header["name"], header["value"]) for header in data["headers"]],
    )  # fmt: skip


def _parts(letters: Sequence[Letter], count_max: int, bytes_max: int) -> Iterator[list[Letter]]:
    """Consecutive letters, so many at a time as keep both bounds, and one at least."""
    part: list[Letter] = []
    size = 0
    for letter in letters:
        if part and (len(part) == count_max or size + letter.size > bytes_max):
            yield part
            part, size = [], 0
        part.append(letter)
        size += letter.size
    if part:
        yield part
