"""The loop of a subscriber: poll a batch, handle it, have its outputs acknowledged, commit.

Partitions of a batch are handled side by side, events of one partition one after another. Offsets are committed
only up to the first event of a partition that is not finished; what follows is delivered again (I2, I7).
"""

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from deptbus.batch import Finished, Limits, Progress
from deptbus.codec import Codec
from deptbus.deadletters import DeadLetters
from deptbus.envelope import Envelope, from_headers
from deptbus.errors import (
    CatalogueError,
    ClusterUnreachable,
    CodecError,
    NotOwner,
    PublishUnknown,
    RegistryError,
    Retry,
)
from deptbus.handlers import Context, Handler, Handlers
from deptbus.inbox import Inbox, inbox_key
from deptbus.namespace import Namespace
from deptbus.outcome import Pending
from deptbus.publishing import Publisher
from deptbus.record import Event, Record
from deptbus.transport import Partition, Position, Receiver, Sender

POLL_WAIT_S = 0.2
"""How long a poll waits for the first record; a stop takes effect within it."""
BATCH_MAX = 500
BATCH_TARGET_S = 1.0
"""A batch that took longer is followed by a smaller one, so that slow handlers do not lose their membership."""
WATCH_S = 5.0
"""How often positions are looked at."""
STALL_S = 30.0
"""A partition with records before it that has not moved for so long is reported."""

# No second attempt can cure these.
_HOPELESS = (NotOwner, CodecError, CatalogueError)
# Not the event's fault: the process ends, and the event is delivered again.
_ENDING = (PublishUnknown, ClusterUnreachable, RegistryError)


@dataclass(slots=True)
class Subscriber:
    """Everything one loop needs. Its counts and positions are what health is told from."""

    receiver: Receiver
    sender: Sender
    handlers: Handlers
    codec: Codec
    inbox: Inbox
    deadletters: DeadLetters
    publisher: Publisher
    namespace: Namespace
    limits: Limits
    log: FilteringBoundLogger
    project: Callable[[str, dict[str, object]], dict[str, object]]
    """Leaves of an event type's data what this subscriber was granted."""
    learn: Callable[[int], bool]
    """Makes a schema id known to the codec, if the registry has it."""
    check_access: Callable[[], None]
    """Raises ``NotGranted`` when a grant has lapsed."""
    counts: Counter[str] = field(default_factory=Counter)
    positions: list[Position] = field(default_factory=list)
    held: dict[Partition, float] = field(default_factory=dict)
    """Partitions whose dead letters could not be written, and when they are tried again (monotonic seconds)."""
    _stopping: bool = False
    _batch_max: int = BATCH_MAX
    _unsettled: set[str] = field(default_factory=set)

    def stop(self) -> None:
        """Finish the events in hand, commit and return from ``run``. Safe to call from anywhere."""
        self._stopping = True

    async def run(self) -> None:
        """Go on until stopped. An error that is not one event's ends it, after committing what is finished."""
        loop = asyncio.get_running_loop()
        watched = 0.0
        with ThreadPoolExecutor(1, thread_name_prefix="bus-poll") as pool:
            try:
                while not self._stopping:
                    records = await loop.run_in_executor(pool, self.receiver.poll, self._batch_max, POLL_WAIT_S)
                    if records:
                        self.check_access()
                        await self._batch(pool, records)
                    now = time.monotonic()
                    if now - watched > WATCH_S:
                        watched = now
                        await loop.run_in_executor(pool, self._watch)
                    for partition in [p for p, until in self.held.items() if now >= until]:
                        del self.held[partition]
                        self.receiver.release(partition)
            finally:
                await loop.run_in_executor(pool, self.receiver.close)

    async def _batch(self, pool: ThreadPoolExecutor, records: list[Record]) -> None:
        began = time.monotonic()
        parts: dict[Partition, list[Record]] = {}
        for record in records:
            parts.setdefault((record.topic, record.partition), []).append(record)
        if len(parts) == 1:
            progress = [await self._partition(records)]
        else:
            progress = await asyncio.gather(*(self._partition(part) for part in parts.values()))
        loop = asyncio.get_running_loop()
        if any(finished.outputs or finished.letter for part in progress for finished in part.finished):
            await loop.run_in_executor(pool, self.sender.flush)
            if self._bury_refused(progress):
                await loop.run_in_executor(pool, self.sender.flush)
        offsets = {}
        for partition, part in zip(parts, progress, strict=True):
            offset = self._settle(partition, part)
            if offset is not None:
                offsets[partition] = offset
        if offsets:
            await loop.run_in_executor(pool, self.receiver.commit, offsets)
        for part in progress:
            if part.error is not None:
                raise part.error
        took = time.monotonic() - began
        self._batch_max = max(1, min(BATCH_MAX, int(self._batch_max * min(2.0, BATCH_TARGET_S / max(took, 0.001)))))

    async def _partition(self, records: list[Record]) -> Progress:
        """Handle records in order until one ends the process or a stop is wanted."""
        progress = Progress()
        for record in records:
            if self._stopping:
                break
            try:
                progress.finished.append(await self._record(record))
            except BaseException as error:  # carried to where what is finished gets committed first
                progress.error = error
                self.log.error("ended", **_where(record), error=repr(error))
                break
        return progress

    async def _record(self, record: Record) -> Finished:
        """Handle one record. Whatever is wrong with it or its handlers becomes a dead letter."""
        event_type = _type_of(record)
        if event_type is not None and not self.handlers.of(event_type):
            return Finished(record)  # not for this bus
        try:
            envelope = from_headers(record.headers)
        except CodecError as error:
            return self._bury(record, error.reason, str(error), 0)
        if not self._mode_fits(envelope):
            self.counts["foreign_mode"] += 1
            message = f"ce_mode is {envelope.mode}, which has no place in the namespace {self.namespace.name!r}"
            return self._bury(record, "foreign_mode", message, 0)
        handlers = [h for h in self.handlers.of(envelope.type) if h.where is None or h.where(envelope)]
        if not handlers:
            return Finished(record)
        key = inbox_key(envelope)
        if key in self._unsettled or self.inbox.handled(key):
            self.counts["duplicates"] += 1
            self.log.info("duplicate", **_where(record), event_id=envelope.id)
            return Finished(record)
        try:
            data = self._decode(record, envelope.type)
        except CodecError as error:
            return self._bury(record, error.reason, str(error), 0, envelope.id)
        event = Event(envelope, self.project(envelope.type, data), record)
        self._unsettled.add(key)
        outputs: list[Pending] = []
        for handler in handlers:
            failure, attempts = await self._handle(handler, event, outputs)
            if failure is not None:
                message = f"{handler.name}: {failure!r}"
                finished = self._bury(record, "handler", message, attempts, envelope.id)
                finished.key, finished.outputs = key, outputs
                return finished
        self.counts["handled"] += 1
        return Finished(record, key, outputs)

    async def _handle(self, handler: Handler, event: Event, outputs: list[Pending]) -> tuple[Exception | None, int]:
        """Call one handler until it returns or its attempts are used up: what it raised last, and the attempts."""
        for attempt in range(1, self.limits.attempts_max + 1):
            log = self.log.bind(**_where(event.record), event_id=event.envelope.id, handler=handler.name)
            context = Context(event, handler.name, attempt, log, self.publisher)
            try:
                answer = handler.function(event, context) if handler.wants_context else handler.function(event)
                if inspect.isawaitable(answer):
                    await answer
            except _ENDING:
                raise
            except Exception as error:
                if isinstance(error, _HOPELESS) or attempt == self.limits.attempts_max:
                    return error, attempt
                self.counts["retried"] += 1
                if not isinstance(error, Retry):
                    log.warning("handler_failed", attempt=attempt, error=repr(error))
                await asyncio.sleep(self.limits.pause_s(attempt))
            else:
                outputs.extend(self.publisher.send(prepared) for prepared in context.prepared)
                return None, attempt
        raise AssertionError("attempts_max is at least 1")

    def _decode(self, record: Record, event_type: str) -> dict[str, object]:
        schema_id = self.codec.schema_id(record.value)
        if not self.codec.knows(schema_id):
            self.learn(schema_id)
        return self.codec.decode(record.value, event_type)

    def _mode_fits(self, envelope: Envelope) -> bool:
        return (envelope.mode != "actual") if self.namespace.name else (envelope.mode == "actual")

    def _bury(self, record: Record, reason: str, message: str, attempts: int, event_id: str | None = None) -> Finished:
        self.counts["dead_letters"] += 1
        self.log.error("dead_letter", **_where(record), event_id=event_id, reason=reason, message=message)
        return Finished(record, letter=self.deadletters.send(record, reason, message, attempts))

    def _bury_refused(self, progress: Sequence[Progress]) -> bool:
        """An event whose outputs the broker refuses for what they are is a dead letter too. Whether there was one."""
        found = False
        for part in progress:
            for finished in part.finished:
                refused = [p.outcome for p in finished.outputs if p.outcome and p.outcome.state == "failed"]
                if refused and finished.letter is None:
                    message = f"what it publishes to {refused[0].topic} is refused: {refused[0].reason}"
                    finished.letter = self._bury(finished.record, "publish_failed", message, 1).letter
                    found = True
        return found

    def _settle(self, partition: Partition, part: Progress) -> int | None:
        """The offset to commit for a partition, if it has moved; holds it where a dead letter was not written."""
        offset: int | None = None
        stopped = False
        for finished in part.finished:
            unknown = next((p for p in finished.outputs if p.outcome and p.outcome.state == "unknown"), None)
            letter = finished.letter.outcome if finished.letter else None
            written = letter is None or letter.acknowledged
            if finished.key is not None:
                self._unsettled.discard(finished.key)
                if written and unknown is None:
                    self.inbox.record(finished.key)
            if stopped:
                continue
            if unknown is not None and unknown.outcome is not None:
                stopped = True
                part.error = part.error or PublishUnknown(
                    f"What {finished.record.coordinates} led to may or may not be on {unknown.topic} "
                    f"({unknown.outcome.reason}); it is handled again after a restart, under the same ids."
                )
            elif not written and letter is not None:
                stopped = True
                self._hold(partition, finished.record, letter.reason)
            else:
                offset = finished.record.offset + 1
        return offset

    def _hold(self, partition: Partition, record: Record, reason: str) -> None:
        """Others go on; this partition waits, and its record is tried again."""
        self.counts["held"] += 1
        self.log.error("held", **_where(record), reason=f"its dead letter could not be written: {reason}")
        self.receiver.hold(partition, record.offset)
        self.held[partition] = time.monotonic() + self.limits.backoff_max_ms / 1000

    def _watch(self) -> None:
        self.positions = self.receiver.positions()
        for position in self.positions:
            if position.stalled_s > STALL_S:
                self.log.error(
                    "stalled", topic=position.topic, partition=position.partition, offset=position.reached,
                    lag=position.lag, stalled_s=round(position.stalled_s),
                    advice="a batch there cannot be read, or a transaction was left open",
                )  # fmt: skip


def _where(record: Record) -> Mapping[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def _type_of(record: Record) -> str | None:
    """The event type in the headers, without reading the others; None if it is missing or no text."""
    for name, value in record.headers:
        if name == "ce_type" and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None
