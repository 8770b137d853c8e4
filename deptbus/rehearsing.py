"""A rehearsal: a stretch of department topics played into a fresh namespace with workers and instances of its own.

The bus's own outputs are not replayed but made anew. What was asked in the original is read beside it, so that answers
find the tasks that the rehearsal asks in their place.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import Catalogue
from deptbus.clock import CLOCK
from deptbus.codec import Codec
from deptbus.envelope import from_headers
from deptbus.errors import BusError, CodecError, SettingsError, TopicError
from deptbus.exercise.clock import JOURNAL, TASKS, Announcement, Report, StepClock
from deptbus.exercise.clockwork import Clockwork
from deptbus.exercise.exercise import Watch, drop_namespace, sized
from deptbus.exercise.link import Link, partitions, to_announcement
from deptbus.exercise.supervisor import Supervisor
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import BEGINNING, read_partition, read_topic
from deptbus.kafka.log import KafkaLog
from deptbus.operations.comparing import Comparison, compare
from deptbus.operations.outcomes import Outcomes
from deptbus.operations.pace import Pace
from deptbus.operations.played import Played
from deptbus.operations.rehearsal import (
    OPENED,
    REQUESTED,
    Course,
    Leading,
    Led,
    Requests,
    Step,
    actual_course,
    exercise_course,
    restamped,
)
from deptbus.operations.replays import Replay
from deptbus.packs import Packs
from deptbus.record import Record
from deptbus.redriven import redriven_for
from deptbus.settings import Settings
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.pack import Pack

STEP_MS = 60_000
"""A step of a stretch of actual life, where nothing else is said."""
PARTITIONS = 2
PLAYER = "importer"
"""The role under which the clock knows who publishes what is dated in a step."""
TOGETHER_S = 0.5
"""How long what is played waits for what comes after it, in seconds: the broker and both workers do it together."""
EVENTS, TIMELINE = "workflow.events", "workflow.timeline"


class Player:
    """Publishes what is dated in a step; an answer once the rehearsal has asked what it answers."""

    def __init__(
        self, link: Link, dated: Iterator[tuple[int, Record]], course: Course, then: Requests, replay: Replay
    ) -> None:
        self._link = link
        self._dated = dated
        self._following = next(dated, None)
        self._course = course
        self._replay_id = replay.id
        self._pace = Pace(replay.rate or 0, TOGETHER_S)
        self._now = Requests()
        self._leading = Leading(then, self._now)
        self._held: list[tuple[Record, str, int]] = []
        """Answers, what they answer, and the step from which they do not wait any more."""
        self._tail = link.tail({EVENTS: BEGINNING, TASKS: BEGINNING})
        self.counts: Counter[str] = Counter()

    def play(self, step: Announcement) -> Report:
        """Publish what is dated before the step's end and was not published yet."""
        self._read(step)
        held, self._held = self._held, []
        for record, request, last in held:
            self._answer(record, request, last, step.step)
        while self._following is not None and self._following[0] < step.ends_at:
            record = self._following[1]
            self._following = next(self._dated, None)
            answers = self._request_of(record)
            if answers is None:
                self._publish(record, None)
            else:
                self._answer(record, answers, step.step + 1, step.step)
        outputs = self._link.flush()
        return Report(PLAYER, step.step, outputs=outputs, next_at=self._next_at(step))

    def close(self) -> None:
        """Let go of the broker."""
        self._tail.close()

    def _next_at(self, step: Announcement) -> int | None:
        if self._held:
            return step.ends_at
        return None if self._following is None else self._following[0]

    def _read(self, step: Announcement) -> None:
        """Take in what the rehearsal has opened and asked before the step."""
        ends = partitions(step.read)
        while not self._tail.has_reached(ends):
            for record in self._tail.poll(1.0):
                note(self._now, self._link.data, record)

    def _request_of(self, record: Record) -> str | None:
        headers = dict(record.headers)
        cause = headers.get("ce_causationid")
        return self._leading.request_of(cause.decode() if cause else None, self._data(record).get("task"))

    def _data(self, record: Record) -> dict[str, Any]:
        """Of an answer what it says; of other events nothing is asked."""
        if not dict(record.headers).get("ce_type", b"").endswith(ANSWERED):
            return {}
        with suppress(CodecError):
            return self._link.data(record)
        return {}

    def _answer(self, record: Record, request: str, last: int, now: int) -> None:
        led = self._leading.led(request)
        if led is not None:
            self._publish(record, led)
        elif now < last:
            self._held.append((record, request, last))
        elif dict(record.headers).get("ce_type", b"").endswith(ANSWERED):
            self.counts["unasked"] += 1  # nobody was asked: there is nothing to answer
        else:
            self._publish(record, None)  # what happened happened, whoever asked for it

    def _publish(self, record: Record, led: Led | None) -> None:
        value = record.value or b""
        data = self._data(record) if led is not None else {}
        if led is not None and data.get("task") not in (None, led.task):
            value = self._link.codec.encode(from_headers(record.headers).type, {**data, "task": led.task})
        original = dict(record.headers)
        named = original.get("ce_correlationid", b"").decode(errors="replace")
        headers = restamped(
            record, self._course, self._replay_id, causationid=led.request if led else None,
            correlationid=self._leading.instance(named),
        )  # fmt: skip
        event_id = original.get("ce_id", b"").decode(errors="replace")
        self._pace.wait()
        self._link.send(record.topic, record.key, value, headers, event_id)
        self.counts["played"] += 1


ANSWERED = b".TaskAnswered"


def note(requests: Requests, decode: Callable[[Record], dict[str, Any]], record: Record) -> None:
    """Take in what a record of ``workflow.events`` or ``workflow.tasks`` says was opened or asked."""
    if redriven_for(record.headers) is not None:
        return
    headers = dict(record.headers)
    kind = (headers.get("ce_type") or b"").decode()
    if kind == OPENED:
        requests.instance(headers["ce_correlationid"].decode(), headers.get("ce_causationid", b"").decode())
    elif kind == REQUESTED:
        requests.request(headers["ce_id"].decode(), decode(record))


class Rehearsal:
    """One rehearsal. ``settings`` are those of the world that is rehearsed; ``replay`` says what and where."""

    def __init__(self, settings: Settings, catalogue: Catalogue, replay: Replay, step_ms: int | None) -> None:
        self.source = settings
        self.settings = settings.model_copy(update={"namespace": replay.target.name})
        self.replay = replay
        self._step_ms = step_ms
        self._original = catalogue
        self.catalogue = sized(catalogue, PARTITIONS)
        self.directory = self.settings.run_path / self.settings.namespace
        self.supervisor = Supervisor(self.directory, self.settings.environment())
        self.admin = Admin(client_configuration(settings))
        self.counts: Counter[str] = Counter()
        self._filter = replay.choice.filter()
        self._codec: Codec | None = None

    def check(self) -> None:
        """``TopicError`` where the namespace is not free; ``SettingsError`` for one that is none."""
        world = self.settings.world
        if not world.name or world == self.source.world:
            raise SettingsError(
                f"A rehearsal needs a namespace of its own: lower-case letters, digits and hyphens, not "
                f"{world.name or 'none'}."
            )
        if self.admin.names(world) or self.admin.groups(world):
            raise TopicError(
                f"The namespace {world.name} is there already; name one that is not, or drop it with "
                f"`deptbus replay drop {world.name}`."
            )

    def packs(self, changed: Pack | None) -> list[Pack]:
        """The packs in force in the original, in the order of activation; ``changed`` in place of its workflow's."""
        with Packs(self.source, self._original) as packs:
            found = list(packs.in_force().packs.values())
        if changed is not None:
            found = [pack for pack in found if pack.workflow != changed.workflow] + [changed]
        if not found:
            raise BusError(
                "No pack is in force: nothing would come of a rehearsal. Activate one, or name one by --pack."
            )
        return found

    def inputs(self, packs: Iterable[Pack]) -> list[str]:
        """The topics of departments that these packs read."""
        types = Correlator(packs).event_types
        topics = {self._original.topic_of(kind).name for kind in types}
        return sorted(name for name in topics if self._original.topic(name).owner in self._original.departments)

    def read(self) -> Played:
        """The records that are meant, of all stretches, to be closed when nothing is played any more."""
        played, reading = Played(self.directory / "played"), reader_configuration(self.source)
        for stretch in self.replay.stretches:
            physical = self.source.world.physical(stretch.topic)
            for number, (start, end) in stretch.ranges.items():
                if start < end:
                    played.take(filter(self._meant, read_partition(reading, physical, number, start, end)))
        return played

    def course(self, played: Played, until_ms: int, *, whole: bool) -> Course:
        """How time goes. ``until_ms``: in actual life, the broker's time up to which it is played.

        ``whole``: the stretch goes to the end of what there is.
        """
        if not len(played):
            raise BusError("The stretch holds no event that is meant; nothing is rehearsed.")
        first_ms, latest_ms = played.span_ms()
        if not self.source.namespace:
            return actual_course(first_ms, until_ms, self._step_ms or STEP_MS)
        link = Link(self.source, "rehearsal")
        try:
            told = [
                (record.timestamp_ms, to_announcement(link.data(record)))
                for record in read_topic(reader_configuration(self.source), self.source.world.physical(CLOCK))
            ]
        finally:
            link.close()
        steps = [Step(heard_ms, step.starts_at, step.ends_at) for heard_ms, step in told if not step.last]
        if not steps:
            earliest, latest = played.own_span_ms()
            step_ms = self._step_ms or STEP_MS
            begins = earliest - earliest % step_ms
            steps = [Step(0, begins, begins + step_ms)]
            return Course(begins, step_ms, latest + step_ms, latest + step_ms, tuple(steps))
        first = told[0][1]
        last_ms = None if whole else latest_ms
        return exercise_course(steps, first.starts_at - first.step * (first.ends_at - first.starts_at), last_ms)

    def prepare(self, packs: Iterable[Pack], course: Course) -> None:
        """Make the namespace: its topics, and the packs in force from the beginning."""
        shutil.rmtree(self.directory / "logs", ignore_errors=True)
        (self.directory / "logs").mkdir(parents=True, exist_ok=True)
        self.admin.create_namespace_topics(
            self.settings.world, self.catalogue.topics.values(), self.settings.replication
        )
        with Packs(self.settings, self.catalogue) as into:
            for pack in packs:
                into.activate(pack, course.origin_ms)

    def play(self, played: Played, packs: list[Pack], course: Course, watch: Watch) -> int:
        """Play it to its end; how many steps that took."""
        then = self._asked(played.span_ms()[0])
        with self.supervisor:
            self.supervisor.add("advance-0", "run", "advance", "--worker", "0")
            self.supervisor.add("correlate-0", "run", "correlate", "--worker", "0")
            link = Link(self.settings, "clock")
            player = Player(link, played.in_order(course), course, then, self.replay)
            try:
                clock = StepClock(
                    origin_ms=course.origin_ms, step_ms=course.step_ms, until_ms=course.until_ms,
                    limit_ms=course.limit_ms, journal=[f"{JOURNAL}/{number}" for number in range(PARTITIONS)],
                    inputs=self.inputs(packs), participants=(PLAYER,),
                )  # fmt: skip
                steps = Clockwork(
                    link, clock, player, journal=PARTITIONS, watch=watch, alive=self.supervisor.check
                ).run()
            finally:
                player.close()
                link.close()
            self.counts = player.counts
        return steps

    def compare(self, played: Played, course: Course) -> Comparison:
        """Hold what came of it against what happened."""
        then = self._outcomes(self.source, played.span_ms()[0], course)
        now = self._outcomes(self.settings, None, course)
        return compare(then, now, played, course.step_ms if course.restamped else 0)

    def drop(self) -> None:
        """Drop the namespace whole, once its workers have ended."""
        drop_namespace(self.admin, self.settings.world)

    # What came of it, then and now

    def _outcomes(self, settings: Settings, since_ms: int | None, course: Course) -> Outcomes:
        """What instances of a world came to, by records from a broker's time on, as far as the course goes."""
        outcomes = Outcomes()
        until_ms = course.heard_until_ms if since_ms is not None else None
        for topic in (EVENTS, TASKS, TIMELINE):
            for record in _since(settings, topic, since_ms):
                if record.value is None or redriven_for(record.headers) is not None:
                    continue
                envelope = from_headers(record.headers)
                late = course.restamped and envelope.time_ms > course.until_ms
                if not late and (until_ms is None or record.timestamp_ms < until_ms):
                    outcomes.take(envelope, self._decode(record))
        return outcomes

    def _asked(self, since_ms: int) -> Requests:
        """What was asked in the original from a broker time on."""
        found = Requests()
        for topic in (EVENTS, TASKS):
            for record in _since(self.source, topic, since_ms):
                note(found, self._decode, record)
        return found

    def _meant(self, record: Record) -> bool:
        if record.value is None or redriven_for(record.headers) is not None:
            return False
        filter_ = self._filter
        if filter_.empty:
            return True
        try:
            fits = filter_.envelope(from_headers(record.headers))
            return fits and (not filter_.where or filter_.data(self._decode(record)))
        except CodecError:
            return False

    def _decode(self, record: Record) -> dict[str, Any]:
        if self._codec is None:
            with bootstrap.open_registry(self.source) as registry:
                self._codec = bootstrap.load_codec(self.source, self._original, registry)
        return self._codec.decode(record.value)


def _since(settings: Settings, topic: str, since_ms: int | None) -> Iterator[Record]:
    """The records of a topic from a broker time on, or all."""
    configuration, physical = reader_configuration(settings), settings.world.physical(topic)
    if since_ms is None:
        yield from read_topic(configuration, physical)
        return
    log = KafkaLog(configuration, settings.world)
    try:
        starts, bounds = log.at_time(topic, since_ms), log.bounds(topic)
    finally:
        log.close()
    for number, (_, end) in bounds.items():
        if starts[number] < end:
            yield from read_partition(configuration, physical, number, starts[number], end)
