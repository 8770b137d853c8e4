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
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from deptbus import deadletters, garbage, logs
from deptbus.batch import Limits
from deptbus.catalogue import Catalogue, Grant
from deptbus.clock import Clock, system_clock
from deptbus.codec import Codec
from deptbus.errors import NotGranted
from deptbus.grants import projection
from deptbus.handlers import Handlers, Where
from deptbus.handling import Handling
from deptbus.health import WRITE_S
from deptbus.ids import IdSource, random_id
from deptbus.inbox import Inbox
from deptbus.namespace import Namespace
from deptbus.outcome import Outcome, Pending
from deptbus.publishing import EventData, Publisher
from deptbus.service import Service
from deptbus.subscriber import STALL_S, Subscriber
from deptbus.transport import Position, Sender, Transport

if TYPE_CHECKING:
    from deptbus.observe.process import Observed
    from deptbus.observe.tracing import Tracer

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
    ``sender`` is given by who runs several buses in one process (see ``serve``), and closed by them.
    ``observing`` makes what is around ``run``, so that the process can be observed; ``tracer`` records traces.
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
        sender: Sender | None = None,
        observing: Callable[["Bus"], AbstractContextManager["Observed"]] | None = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.owner = owner
        self.group = group or owner
        self._catalogue = catalogue
        self._codec = codec
        self._transport = transport
        self._namespace = namespace or Namespace()
        self._clock = clock
        self._inbox = inbox
        self._limits = limits or Limits()
        self._learn = learn
        self._observing = observing
        self._log = logs.logger("deptbus.bus").bind(owner=owner, group=self.group)
        self._sender = sender or transport.sender()
        self._shares = sender is not None
        self._publisher = Publisher(
            owner, catalogue, codec, self._sender,
            namespace=self._namespace, clock=clock, ids=ids, process=process, tracer=tracer,
        )  # fmt: skip
        self._handlers = Handlers()
        self._grants: dict[str, Grant] = {}
        self._service: Service | None = None
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
        """Handle events until ``stop``, SIGTERM or SIGINT; then commit, flush and close. Owns the process."""
        garbage.look_seldom()
        try:
            with contextlib.ExitStack() as around:
                observed = around.enter_context(self._observing(self)) if self._observing else None
                asyncio.run(self._run_with_signals(observed))
        finally:
            self.close()

    async def serve(self) -> None:
        """As ``run``, inside an event loop of the caller's, who also closes the bus."""
        await serve([self], self.group)

    def stop(self) -> None:
        """Finish the events in hand, commit and leave. From any thread, also before ``run``."""
        self._stopping = True
        if self._subscriber is not None:
            self._subscriber.stop()

    def close(self) -> None:
        """Wait for the answers to what was published, and let go."""
        if not self._shares:
            self._sender.close()

    def health(self) -> Health:
        """How this bus is doing; positions are a few seconds old at most."""
        subscriber = self._subscriber
        if subscriber is None or self._service is None:
            return Health(True, False, {}, self._sender.waiting())
        positions = tuple(position for position in subscriber.positions if position.topic in self._grants)
        problems = [
            f"{p.topic}[{p.partition}] has stood at {p.reached} for {p.stalled_s:.0f} s with {p.lag} before it"
            for p in positions
            if p.stalled_s > STALL_S
        ]
        problems += [
            f"{where[0]}[{where[1]}] is held at {subscriber.held[where].offset}: its dead letter cannot be written "
            f"({subscriber.held[where].reason})"
            for where in subscriber.held
            if where[0] in self._grants
        ]
        return Health(
            self._running and not problems,
            self._running,
            dict(self._service.counts),
            self._sender.waiting(),
            positions,
            tuple(problems),
        )

    def unready(self) -> list[str]:
        """Why it does not handle events now; empty when it does."""
        if self._running and self._subscriber is not None and self._subscriber.receiver.joined:
            return []
        return [f"{self.owner} has no share of its topics yet" if not self.has_ended else f"{self.owner} has ended"]

    async def _run_with_signals(self, observed: "Observed | None") -> None:
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError):  # loops of some platforms have no signal handlers
                    loop.add_signal_handler(number, self.stop)
        pulse = loop.create_task(_pulse(observed)) if observed is not None else None
        await self.serve()
        if pulse is not None:
            pulse.cancel()

    def _make_service(self) -> Service:
        letters = self._codec.value_bytes_max(deadletters.TYPE)
        return Service(
            owner=self.owner,
            handlers=self._handlers,
            publisher=self._publisher,
            deadletters=deadletters.DeadLetters(self._publisher, self.group, letters),
            log=self._log,
            topics=frozenset(self._grants),
            projections={
                event_type: projection(grant.fields)
                for topic, grant in self._grants.items()
                if grant.fields is not None
                for event_type in self._catalogue.topic(topic).event_types
            },
            check_access=self._check_access,
            inbox=self._inbox,
        )

    def _check_access(self) -> int:
        """A grant that lapses while the bus runs ends the run, in words."""
        now = self._clock()
        for topic, grant in self._grants.items():
            if not grant.holds(now):
                self._grants[topic] = self._granted(topic)
        return min(
            (grant.lapses_ms for grant in self._grants.values() if grant.lapses_ms is not None), default=sys.maxsize
        )

    def _granted(self, topic: str) -> Grant:
        grant = self._catalogue.may_read(self.owner, topic, self._clock())
        if grant is None:
            owner = self._catalogue.topic(topic).owner
            raise NotGranted(
                f"{self.owner} cannot read {topic}: no grant of it to {self.owner} is in force. {owner} can grant it, "
                f"under `grants` of {topic} in topics/{owner}.yaml, with purpose and legal basis."
            )
        return grant


async def serve(buses: Sequence[Bus], group: str) -> None:
    """Run the services of several buses as one member of ``group``, until one of them is stopped or fails.

    They share a loop, a consumer and a sender, which all were given: what a process costs does not grow with the
    departments in it. Offsets are the group's; grants, dead letters, counts and logs stay each bus's own.
    """
    first = buses[0]
    if any(bus._sender is not first._sender for bus in buses):
        raise ValueError("buses that are served together share one sender")
    try:
        if any(bus._stopping for bus in buses):
            return
        services = [bus._make_service() for bus in buses]
        topics = sorted({topic for service in services for topic in service.topics})
        log = logs.logger("deptbus.bus").bind(group=group)
        actual = not first._namespace.name
        subscriber = Subscriber(
            group=group,
            receiver=first._transport.receiver(group, topics),
            sender=first._sender,
            services=services,
            handling=Handling(services, first._codec, first._learn, first._limits, log, actual=actual),
            limits=first._limits,
            clock=first._clock,
            log=log,
        )
        for bus, service in zip(buses, services, strict=True):
            bus._service, bus._subscriber, bus._running = service, subscriber, True
        log.info("running", topics=topics)
        await subscriber.run()
    finally:
        for bus in buses:
            bus._running = False
            bus.has_ended = True
            bus._log.info("stopped", **bus._service.counts if bus._service else {})


async def _pulse(observed: "Observed") -> None:
    while True:
        observed.beat()
        await asyncio.sleep(WRITE_S)
