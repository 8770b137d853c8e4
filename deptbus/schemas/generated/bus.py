"""The events of bus, typed.

Written by `deptbus schemas generate` from schemas/bus/; change those, not this file.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, RecordData, Timestamp

ActOutcome: TypeAlias = Literal["started", "done", "failed"]
"""How far an act has come."""


class ActAudited(EventData, frozen=True):
    """An operator or process does something to the bus itself; each record names the one before."""

    EVENT_TYPE: ClassVar[str] = "bus.ActAudited"
    VERSION: ClassVar[int] = 1

    number: int
    """Its place in the chain: the first record is 1."""
    previous: str
    """SHA-256 of the record before, 64 hexadecimal digits; of the first record all are 0."""
    act: str
    """What is done: topics.apply, packs.activate and others."""
    target: str
    """What it is done to: a topic, a group, a pack, an event."""
    operator: str
    """Who answers for it. Personal data."""
    account: str
    """The account and machine that acted: user@machine. Personal data."""
    reason: str | None = None
    """Why."""
    outcome: ActOutcome
    """How far it has come; the record that ends an act names the one that started it as its cause."""
    detail: Mapping[str, str]
    """Particulars."""


class DeadHeader(RecordData, frozen=True):
    """A header of a dead letter."""

    name: str
    """Its name."""
    value: bytes | None = None
    """Its value."""


class DeadLettered(EventData, frozen=True):
    """A record could not be decoded or handled; it is kept whole with the reason."""

    EVENT_TYPE: ClassVar[str] = "bus.DeadLettered"
    VERSION: ClassVar[int] = 1

    topic: str
    """Where it was read."""
    partition: int
    """Its partition."""
    offset: int
    """Its offset."""
    timestamp: Timestamp
    """Its timestamp."""
    key: bytes | None = None
    """Its key."""
    value: bytes | None = None
    """Its value."""
    headers: tuple[DeadHeader, ...]
    """Its headers."""
    group: str
    """The consumer group that gave it up."""
    reason: str
    """bad_magic, unknown_schema, undecodable, too_large, headers, handler and others."""
    message: str
    """What went wrong, in words."""
    attempts: int
    """How often it was tried."""
    truncated: bool
    """Whether the value is only its head, because the whole would not fit."""


class LetterActed(EventData, frozen=True):
    """Something was done about a dead letter."""

    EVENT_TYPE: ClassVar[str] = "bus.LetterActed"
    VERSION: ClassVar[int] = 1

    letter: str
    """The letter's event id."""
    act: str
    """redriven, edited or discarded."""
    count: int
    """How often the record has been sent again by now."""
    group: str
    """The consumer group that gave the record up, and gets it again."""
    topic: str
    """Where the record was read, and is sent again."""
    partition: int
    """Its partition."""
    offset: int
    """Its offset when it was given up."""
    event: str | None = None
    """The id of the event that was sent."""
    forced: bool
    """Whether it was in quarantine."""
    reason: str
    """Why, in the operator's words."""
    run: str
    """What was done together has one run."""


class PackActivated(EventData, frozen=True):
    """A pack came into force: its rules count from now on."""

    EVENT_TYPE: ClassVar[str] = "bus.PackActivated"
    VERSION: ClassVar[int] = 1

    workflow: str
    """The workflow."""
    version: int
    """Its version."""
    hash: str
    """Content hash."""
    content: bytes
    """The pack: canonical JSON."""


class PackRetired(EventData, frozen=True):
    """A pack is no longer in force: it opens nothing more."""

    EVENT_TYPE: ClassVar[str] = "bus.PackRetired"
    VERSION: ClassVar[int] = 1

    workflow: str
    """The workflow."""
    hash: str
    """Content hash."""
    reason: str
    """Why."""


class ProgressReported(EventData, frozen=True):
    """How far a process has come."""

    EVENT_TYPE: ClassVar[str] = "bus.ProgressReported"
    VERSION: ClassVar[int] = 1

    role: str
    """clock, importer, desks, correlate or advance."""
    worker: str
    """The process."""
    step: int | None = None
    """The exercise step it is ready with."""
    positions: Mapping[str, int]
    """Next offset it will read, by <topic>/<partition>, all before it being done with."""
    outputs: Mapping[str, int]
    """End offsets after what it has written, by <topic>/<partition>."""
    next_at: Timestamp | None = None
    """When it has something to do next, as far as it knows."""
    covered_until: Timestamp | None = None
    """Broker time as of which it had read its inputs to their ends."""
    asked: int
    """Tasks asked for in this step."""


class StepAnnounced(EventData, frozen=True):
    """Exercise time moves: the step from starts_at up to, not including, ends_at."""

    EVENT_TYPE: ClassVar[str] = "bus.StepAnnounced"
    VERSION: ClassVar[int] = 1

    step: int
    """Number of the step, from 0; steps in which nothing happens are skipped."""
    starts_at: Timestamp
    """Beginning, exercise time."""
    ends_at: Timestamp
    """End, exercise time."""
    read: Mapping[str, int]
    """Offsets that must have been read before answering, by <topic>/<partition>."""
    last: bool
    """Whether the exercise ends with this step."""
