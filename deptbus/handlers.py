"""Handlers: which function takes which events, and what it is given to work with."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from deptbus.envelope import Envelope
from deptbus.errors import CatalogueError
from deptbus.ids import derived_id
from deptbus.publishing import EventData, Prepared, Publisher
from deptbus.record import Event

Where = Callable[[Envelope], bool]
"""Whether an event concerns a handler, told from its headers alone."""


class Context:
    """What a handler has besides the event. What it publishes leaves when it has returned, and only then."""

    __slots__ = ("_log", "_ordinals", "_publisher", "attempt", "event", "handler", "prepared")

    def __init__(
        self, event: Event, handler: str, attempt: int, log: FilteringBoundLogger, publisher: Publisher
    ) -> None:
        self.event = event
        self.handler = handler
        self.attempt = attempt
        """1 at the first call, then one more each time."""
        self.prepared: list[Prepared] = []
        self._log = log
        self._publisher = publisher
        self._ordinals: dict[tuple[str, str], int] = {}

    @property
    def log(self) -> FilteringBoundLogger:
        """A logger that says which event and which handler."""
        record = self.event.record
        return self._log.bind(
            topic=record.topic, partition=record.partition, offset=record.offset,
            event_id=self.event.envelope.id, handler=self.handler,
        )  # fmt: skip

    def publish(self, event_type: str, data: EventData, *, subject: str, **envelope: Any) -> str:
        """Publish what follows from the event, and return its id; ``envelope`` as in ``Bus.publish``.

        Stamps correlation and causation, mode and trace. The id follows from the event's, so that the same event
        delivered twice publishes the same ids. The offset is committed after the broker has acknowledged.
        """
        ordinal = self._ordinals.get((event_type, subject), 0)
        self._ordinals[event_type, subject] = ordinal + 1
        envelope.setdefault(
            "id",
            derived_id(
                self.event.envelope.id,
                f"{self._publisher.source}#{self.handler}",
                event_type,
                subject,
                ordinal,
            ),
        )
        prepared = self._publisher.prepare(event_type, data, subject=subject, cause=self.event, **envelope)
        self.prepared.append(prepared)
        return prepared.id


Function = Callable[..., Awaitable[None] | None]
"""A handler ``(event, context)`` or ``(event)``: ``def`` or ``async def``."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One function and the events that it takes. ``name`` enters into the ids of what it publishes."""

    name: str
    function: Function
    where: Where | None
    wants_context: bool


class Handlers:
    """The handlers of one bus by event type, called in the order in which they were added."""

    def __init__(self) -> None:
        self._by_type: dict[str, list[Handler]] = {}

    def add(
        self,
        event_types: tuple[str, ...],
        function: Callable[..., Any],
        where: Where | None,
        name: str | None,
    ) -> None:
        """Add one; two of one name for one type are a ``CatalogueError``, since names enter into ids."""
        handler = Handler(name or function.__name__, function, where, len(inspect.signature(function).parameters) > 1)
        for event_type in event_types:
            known = self._by_type.setdefault(event_type, [])
            if any(other.name == handler.name for other in known):
                raise CatalogueError(
                    f"Two handlers of {event_type} are named {handler.name}; give one another with name=…."
                )
            known.append(handler)

    def types(self) -> tuple[str, ...]:
        """The event types that have a handler."""
        return tuple(self._by_type)

    def of(self, event_type: str) -> list[Handler]:
        """The handlers of a type; none if it is not for this bus."""
        return self._by_type.get(event_type, [])
