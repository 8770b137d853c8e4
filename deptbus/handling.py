"""Handling: what becomes of the records of a partition in the services that take them.

Records that are handled without waiting cost no task and no turn of the loop: ``work`` is a generator that goes on by
itself and hands out only what has to be awaited. Once handled, whatever can go wrong is settled by the answers to what
was published.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from structlog.typing import FilteringBoundLogger

from deptbus.batch import Finished, Limits, Progress
from deptbus.codec import Codec
from deptbus.envelope import Envelope, from_headers, type_in
from deptbus.errors import (
    CatalogueError,
    ClusterUnreachable,
    CodecError,
    NotOwner,
    PublishUnknown,
    RegistryError,
    Retry,
)
from deptbus.handlers import Context, Handler
from deptbus.inbox import MemoryInbox, inbox_key
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Count, Timing
from deptbus.outcome import Pending
from deptbus.record import Event, Record
from deptbus.redriven import FOR, redriven_for
from deptbus.service import Service

if TYPE_CHECKING:
    from deptbus.observe.tracing import Tracer, Work

# No second attempt can cure these.
_HOPELESS = (NotOwner, CodecError, CatalogueError)
# Not the event's fault: the process ends, and the event is delivered again.
_ENDING = (PublishUnknown, ClusterUnreachable, RegistryError)

Waits = Generator[Awaitable[Any], None, None]
"""Work that hands out what it must wait for."""


class _Taker(NamedTuple):
    """A service that takes an event, with its handlers and how long they take."""

    service: Service
    handlers: Sequence[Handler]
    timing: Timing


class _Topic:
    """Who takes what of one topic."""

    def __init__(self, name: str, services: Sequence[Service]) -> None:
        self.readers = [_Taker(service, (), Timing()) for service in services if name in service.topics]
        self.takers: dict[str, list[_Taker]] = {}
        self.received: dict[str | None, Count] = {None: Count()}
        self.filtered: set[str] = set()
        """Event types of which some handler takes only a part."""
        for service, _, _ in self.readers:
            for event_type in service.handlers.types():
                handlers = service.handlers.of(event_type)
                timing = PROCESS.timing(names.HANDLE, service.owner, event_type)
                self.takers.setdefault(event_type, []).append(_Taker(service, handlers, timing))
                self.received[event_type] = PROCESS.count(names.RECEIVED, event_type)
                if any(handler.where for handler in handlers):
                    self.filtered.add(event_type)


class Handling:
    """What a subscriber does with records; ``actual`` says whether it works in actual life."""

    def __init__(
        self,
        services: Sequence[Service],
        codec: Codec,
        learn: Callable[[int], bool],
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        actual: bool,
    ) -> None:
        self._codec = codec
        self._learn = learn
        self._limits = limits
        self._log = log
        self._actual = actual
        self._topics = {
            topic: _Topic(topic, services) for topic in frozenset().union(*(service.topics for service in services))
        }
        self._recent = MemoryInbox(limits.inbox_max)
        """Events that all their services have handled."""
        self._partly = MemoryInbox(limits.inbox_max)
        """Events, with the owner of a service that has handled them, of which another one has not."""
        self._has_partly = False
        self._unsettled: set[str] = set()
        self.stopping = False

    def work(self, records: Sequence[Record], progress: Progress) -> Waits:
        """Handle one partition's records in order until one ends the process or a stop is wanted."""
        topic = self._topics[records[0].topic]
        for record in records:
            if self.stopping:
                return
            try:
                event_type = type_in(record.headers)
                takers = topic.readers if event_type is None else topic.takers.get(event_type)
                if takers and record.headers and record.headers[0][0] == FOR:  # nothing new to other groups
                    group = redriven_for(record.headers)
                    takers = [one for one in takers if one.service.deadletters.group == group]
                if takers:
                    topic.received[event_type].value += 1
                    if opened := self._open(record, takers, event_type in topic.filtered, progress):
                        yield from self._serve(record, *opened, progress)
            except BaseException as error:  # carried to where what is finished gets committed first
                progress.error = error
                self._log.error("ended", **_where(record), error=repr(error))
                return
            progress.reached = record.offset + 1

    def _open(
        self, record: Record, takers: Sequence[_Taker], filtered: bool, progress: Progress
    ) -> tuple[Envelope, str, dict[str, Any], Sequence[_Taker]] | None:
        """Envelope, inbox key and data of a record, and who takes it; whatever is wrong with it is a dead letter."""
        try:
            envelope = from_headers(record.headers)
        except CodecError as error:
            progress.waiting += [bury(one.service, record, error.reason, str(error), 0) for one in takers]
            return None
        if (envelope.mode == "actual") is not self._actual:
            for one in takers:
                one.service.counts["foreign_mode"] += 1
                message = f"ce_mode is {envelope.mode}, which has no place in this namespace"
                progress.waiting.append(bury(one.service, record, "foreign_mode", message, 0))
            return None
        if filtered:
            takers = [
                _Taker(service, concerned, timing)
                for service, handlers, timing in takers
                if (concerned := [one for one in handlers if one.where is None or one.where(envelope)])
            ]
            if not takers:
                return None
        key = inbox_key(envelope)
        if key in self._unsettled or self._recent.handled(key):
            for one in takers:
                _duplicate(one.service, record, envelope.id)
            return None
        try:
            data = self._decode(record.value, envelope.type)
        except CodecError as error:
            for one in takers:
                progress.waiting.append(bury(one.service, record, error.reason, str(error), 0, envelope.id))
            return None
        return envelope, key, data, takers

    def _serve(
        self, record: Record, envelope: Envelope, key: str, data: dict[str, Any], takers: Sequence[_Taker],
        progress: Progress,
    ) -> Waits:  # fmt: skip
        """Have one record handled by all who take it."""
        self._unsettled.add(key)
        waiting = len(progress.waiting)
        alone = len(takers) == 1
        fresh: dict[str, Any] | None = data
        for service, handlers, timing in takers:
            if self._is_done(key, service, record, envelope.id):
                continue
            data = fresh or self._decode(record.value, envelope.type)  # one must not see another's changes
            fresh = None
            if service.projections and (keep := service.projections.get(envelope.type)) is not None:
                data = keep(data)
            event = Event(envelope, data, record)
            outputs: list[Pending] = []
            work = None if service.publisher.tracer is None else _work(service.publisher.tracer, service, event)
            began = perf_counter()
            for handler in handlers:
                failure = yield from self._handle(service, handler, event, outputs, work)
                if failure is not None:
                    finished = bury(service, record, "handler", *failure, envelope.id)
                    finished.key, finished.outputs = key, outputs
                    progress.waiting.append(finished)
                    break
            else:
                service.counts["handled"] += 1
                if outputs or not alone:
                    progress.waiting.append(Finished(record, service, key, outputs))
                elif service.inbox is not None:
                    service.inbox.record(key)
            timing.add(perf_counter() - began)
            if work is not None:
                work.end()
        if len(progress.waiting) == waiting:
            self._unsettled.discard(key)
            if redriven_for(record.headers) is None:
                self._recent.record(key)
            else:
                self._remember_partly(key, takers[0].service)

    def _handle(
        self, service: Service, handler: Handler, event: Event, outputs: list[Pending], work: "Work | None"
    ) -> Generator[Awaitable[Any], None, tuple[str, int] | None]:
        """Call one handler until it returns or its attempts are used up: what it raised last, and the attempts."""
        attempt = 0
        while True:
            attempt += 1
            try:
                call = handler.function if work is None else work.calling(handler.function)
                if handler.wants_context:
                    context = Context(event, handler.name, attempt, service.log, service.publisher)
                    answer = call(event, context)
                else:
                    answer = call(event)
                if answer is not None and inspect.isawaitable(answer):
                    yield answer
            except _ENDING:
                raise
            except Exception as error:
                if isinstance(error, _HOPELESS) or attempt == self._limits.attempts_max:
                    why = f"{handler.name}: {error!r}"
                    if work is not None:
                        work.failed(why)
                    return why, attempt
                service.counts["retried"] += 1
                if not isinstance(error, Retry):
                    service.log.warning(
                        "handler_failed", **_where(event.record), event_id=event.envelope.id, handler=handler.name,
                        attempt=attempt, error=repr(error),
                    )  # fmt: skip
                yield asyncio.sleep(self._limits.pause_s(attempt))
            else:
                if handler.wants_context:
                    send = service.publisher.send
                    outputs.extend(send(prepared, within=work) for prepared in context.prepared)
                return None

    def _decode(self, value: bytes | None, event_type: str) -> dict[str, Any]:
        try:
            return self._codec.decode(value, event_type)
        except CodecError as error:
            if error.reason != "unknown_schema" or not self._learn(self._codec.schema_id(value)):
                raise
        return self._codec.decode(value, event_type)

    def bury_refused(self, progress: Progress) -> bool:
        """An event whose outputs the broker refuses for what they are is a dead letter too. Whether there was one."""
        found = False
        for finished in progress.waiting:
            refused = [p.outcome for p in finished.outputs if p.outcome and p.outcome.state == "failed"]
            if refused and finished.letter is None:
                message = f"what it publishes to {refused[0].topic} is refused: {refused[0].reason}"
                finished.letter = bury(finished.service, finished.record, "publish_failed", message, 1).letter
                found = True
        return found

    def settle(self, progress: Progress) -> Finished | None:
        """Once all is answered: remember what is handled, and take ``reached`` back to what is not.

        Answers the first that has to be handled again because its dead letter could not be written.
        """
        again = [one for one in progress.waiting if one.unknown() is not None or one.unwritten() is not None]
        keys = {one.key for one in progress.waiting if one in again or one.letter is not None}
        for finished in progress.waiting:
            if finished.key is None:
                continue
            self._unsettled.discard(finished.key)
            if finished in again or finished.letter is not None:  # it has had no effect: it may come again
                continue
            if finished.key in keys or redriven_for(finished.record.headers) is not None:
                self._remember_partly(finished.key, finished.service)
            else:
                self._recent.record(finished.key)
            if finished.service.inbox is not None:
                finished.service.inbox.record(finished.key)
        if not again:
            return None
        first = again[0]
        progress.reached = first.record.offset
        unknown = first.unknown()
        if unknown is None:
            return first
        assert unknown.outcome is not None
        progress.error = progress.error or PublishUnknown(
            f"What {first.record.coordinates} led to may or may not be on {unknown.topic} "
            f"({unknown.outcome.reason}); it is handled again after a restart, under the same ids."
        )
        return None

    def _is_done(self, key: str, service: Service, record: Record, event_id: str) -> bool:
        """Whether an event has had its effect in a service, though others that take it may lack it."""
        if self._has_partly and self._partly.handled(_of_service(key, service)):
            if redriven_for(record.headers) is not None:
                _duplicate(service, record, event_id)
            return True
        if service.inbox is not None and service.inbox.handled(key):
            _duplicate(service, record, event_id)
            return True
        return False

    def _remember_partly(self, key: str, service: Service) -> None:
        self._has_partly = True
        self._partly.record(_of_service(key, service))


def bury(
    service: Service, record: Record, reason: str, message: str, attempts: int, event_id: str | None = None
) -> Finished:
    """Hand a service's dead letter over."""
    service.counts["dead_letters"] += 1
    service.log.error("dead_letter", **_where(record), event_id=event_id, reason=reason, message=message)
    return Finished(record, service, letter=service.deadletters.send(record, reason, message, attempts))


def _of_service(key: str, service: Service) -> str:
    """What identifies an event that a service has handled."""
    return f"{service.owner} {key}"


def _work(tracer: "Tracer", service: Service, event: Event) -> "Work | None":
    """The span in which a service handles an event, where its trace is recorded."""
    envelope = event.envelope
    return tracer.handling(event.record, envelope.id, envelope.traceparent, service.owner)


def _duplicate(service: Service, record: Record, event_id: str) -> None:
    service.counts["duplicates"] += 1
    service.log.info("duplicate", **_where(record), event_id=event_id)


def _where(record: Record) -> Mapping[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
