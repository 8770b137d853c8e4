"""``Bus``: one department's connection. Publish, subscribe, run.

bus = bootstrap.connect(settings, "cdc")

@bus.subscribe("health.CasesConfirmed")
async def investigate(event, context):
    context.publish("cdc.InvestigationOpened", {...}, subject=event.envelope.subject)

bus.run()
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deptbus import deadletters, logs
from deptbus.batch import Limits
from deptbus.catalogue import Catalogue, Grant
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec
from deptbus.errors import NotGranted
from deptbus.grants import projection
from deptbus.handlers import Handlers, Where
from deptbus.ids import IdSource, random_id
from deptbus.inbox import Inbox, MemoryInbox
from deptbus.namespace import Namespace
from deptbus.outcome import Outcome, Pending
from deptbus.publishing import EventData, Publisher
from deptbus.subscriber import STALL_S, Subscriber
from deptbus.transport import Position, Transport

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Health:
    """How a bus is doing. ``ok`` is false when a partition is stalled or held, or the loop has ended."""

    ok: bool
    running: bool
    counts: Mapping[str, int]
    """``handled``, ``duplicates``, ``retried``, ``dead_letters``, ``foreign_mode``, ``held``."""
    unanswered: int
    """Publishes without an answer yet."""
    positions: tuple[Position, ...] = ()
    problems: tuple[str, ...] = field(default=())


class Bus:
    """One owner's connection: a department's, or that of ``workflow`` or ``bus``.

    ``group`` names the consumer group (the owner's id by default): services of one department that each want
    every event take different ones. ``inbox`` is given by services that keep handled ids in their database.
    """

    def __init__(
        self,
        owner: str,
        catalogue: Catalogue,
        codec: Codec,
        transport: Transport,
        *,
        namespace: Namespace | None = None,
        clock: Clock = system_clock,
        ids: IdSource = random_id,
        group: str | None = None,
        process: str | None = None,
        inbox: Inbox | None = None,
        limits: Limits | None = None,
        learn: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.owner = owner
        self.group = group or owner
        self._catalogue = catalogue
        self._codec = codec
        self._transport = transport
        self._namespace = namespace or Namespace()
        self._clock = clock
        self._inbox = inbox or MemoryInbox(100_000)
        self._limits = limits or Limits()
        self._learn = learn
        self._log = logs.logger("deptbus.bus").bind(owner=owner, group=self.group)
        self._sender = transport.sender()
        self._publisher = Publisher(
            owner, catalogue, codec, self._sender,
            namespace=self._namespace, clock=clock, ids=ids, process=process,
        )  # fmt: skip
        self._handlers = Handlers()
        self._grants: dict[str, Grant] = {}
        self._subscriber: Subscriber | None = None
        self._running = False
        self._stopping = False
        self.has_ended = False
        """Whether ``run`` or ``serve`` has returned or raised."""

    def publish(self, event_type: str, data: EventData, *, subject: str, **envelope: Any) -> Outcome:
        """Publish and wait for the answer.

        ``envelope``: ``key``, ``region``, ``legal_basis``, ``actor``, ``time_ms``, ``id``, ``cause`` (the event
        that this follows from), ``correlation_id`` and ``mode``. Raises ``NotOwner``, ``CatalogueError`` or
        ``CodecError`` before anything is sent; what the broker says is the outcome.
        """
        return self.publish_soon(event_type, data, subject=subject, **envelope).result()

    def publish_soon(self, event_type: str, data: EventData, *, subject: str, **envelope: Any) -> Pending:
        """As ``publish``, without waiting; ``flush`` waits for all."""
        return self._publisher.send(self._publisher.prepare(event_type, data, subject=subject, **envelope))

    def flush(self) -> None:
        """Wait until every publish is answered; each ``Pending`` then has its outcome."""
        self._sender.flush()

    def subscribe(self, *event_types: str, where: Where | None = None, name: str | None = None) -> Callable[[F], F]:
        """Decorate a handler ``(event, context)`` or ``(event)``, ``def`` or ``async def``, of these event types.

        ``where`` tells from the envelope whether an event concerns it. Raises ``NotGranted`` where no grant is in
        force. A ``def`` handler runs in the loop's thread: what takes seconds should be ``async``.
        """
        for event_type in event_types:
            topic = self._catalogue.topic_of(event_type).name
            self._grants[topic] = self._granted(topic)

        def add(function: F) -> F:
            self._handlers.add(event_types, function, where, name)
            return function

        return add

    def run(self) -> None:
        """Handle events until ``stop``, SIGTERM or SIGINT; then commit, flush and close."""
        try:
            asyncio.run(self._run_with_signals())
        finally:
            self.close()

    async def serve(self) -> None:
        """As ``run``, inside an event loop of the caller's, who also closes the bus."""
        try:
            if self._stopping:
                return
            subscriber = self._subscriber = self._make_subscriber()
            self._running = True
            self._log.info("running", topics=sorted(self._grants))
            await subscriber.run()
        finally:
            self._running = False
            self.has_ended = True
            self._log.info("stopped", **self._subscriber.counts if self._subscriber else {})

    def stop(self) -> None:
        """Finish the events in hand, commit and leave. From any thread, also before ``run``."""
        self._stopping = True
        if self._subscriber is not None:
            self._subscriber.stop()

    def close(self) -> None:
        """Wait for the answers to what was published, and let go."""
        self._sender.close()

    def health(self) -> Health:
        """How this bus is doing; positions are a few seconds old at most."""
        subscriber = self._subscriber
        if subscriber is None:
            return Health(True, False, {}, self._sender.waiting())
        problems = [
            f"{p.topic}[{p.partition}] has stood at {p.reached} for {p.stalled_s:.0f} s with {p.lag} before it"
            for p in subscriber.positions
            if p.stalled_s > STALL_S
        ]
        problems += [
            f"{topic}[{partition}] is held: its dead letters cannot be written" for topic, partition in subscriber.held
        ]
        return Health(
            self._running and not problems,
            self._running,
            dict(subscriber.counts),
            self._sender.waiting(),
            tuple(subscriber.positions),
            tuple(problems),
        )

    async def _run_with_signals(self) -> None:
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError):  # loops of some platforms have no signal handlers
                    loop.add_signal_handler(number, self.stop)
        await self.serve()

    def _make_subscriber(self) -> Subscriber:
        letters = self._codec.value_bytes_max(deadletters.TYPE)
        projected = {
            event_type: projection(grant.fields)
            for topic, grant in self._grants.items()
            if grant.fields is not None
            for event_type in self._catalogue.topic(topic).event_types
        }

        def project(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
            keep = projected.get(event_type)
            return data if keep is None else keep(data)

        return Subscriber(
            receiver=self._transport.receiver(self.group, sorted(self._grants)),
            sender=self._sender,
            handlers=self._handlers,
            codec=self._codec,
            inbox=self._inbox,
            deadletters=deadletters.DeadLetters(self._publisher, self.group, letters),
            publisher=self._publisher,
            namespace=self._namespace,
            limits=self._limits,
            log=self._log,
            project=project,
            learn=self._learn,
            check_access=self._check_access,
        )

    def _check_access(self) -> None:
        """A grant that lapses while the bus runs ends the run, in words."""
        now = self._clock()
        for topic, grant in self._grants.items():
            if not grant.holds(now):
                self._grants[topic] = self._granted(topic)

    def _granted(self, topic: str) -> Grant:
        grant = self._catalogue.may_read(self.owner, topic, self._clock())
        if grant is None:
            owner = self._catalogue.topic(topic).owner
            raise NotGranted(
                f"{self.owner} cannot read {topic}: no grant of it to {self.owner} is in force. {owner} can grant it, "
                f"under `grants` of {topic} in topics/{owner}.yaml, with purpose and legal basis."
            )
        return grant
