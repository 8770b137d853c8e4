"""The recorder: what operators do to the bus goes on record, in a chain that shows every later change.

with auditor.act("replay", target="health.cases", reason="…", detail={"to": "new-topic"}) as act:
    act.detail(events=1_000)

An act that cannot be recorded is not done: the record at its start comes first.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Protocol

from deptbus.clock import Clock
from deptbus.errors import BusError
from deptbus.ids import IdSource
from deptbus.operations.acts import Act, ActReader, ActWriter, Audited, Outcome, Ready
from deptbus.operations.chain import Head, Verified, Verifier
from deptbus.record import Record

_log = logging.getLogger("deptbus.audit")
_CHARS_MAX = 100_000
"""Of one particular; more is cut."""


class Place(NamedTuple):
    """Where a record stands, and when the broker took it."""

    offset: int
    timestamp_ms: int


class AuditLog(Protocol):
    """A log that grows by one record at a time, whoever appends."""

    def append(self, event_id: str, make: Callable[[Head], Ready]) -> tuple[Ready, Place]:
        """Append what ``make`` makes of the head; another's record in between makes it be called again.

        ``AuditRefused`` where it cannot be done in time; then it may stand there all the same, never twice.
        """

    def records(self) -> Iterator[Record]:
        """Every record up to the end as of the first call."""

    def close(self) -> None:
        """Let go."""


class Recorded(NamedTuple):
    """An act that is on record."""

    id: str
    offset: int
    timestamp_ms: int
    """The broker's."""
    head: Head


class OpenAct:
    """An act between its start and its end."""

    def __init__(self, start: Recorded) -> None:
        self.start = start
        self.outcome: Outcome = "done"
        """Set it to ``failed`` where the act has ended without an exception and yet in vain."""
        self._detail: dict[str, object] = {}

    def detail(self, particulars: Mapping[str, object] | None = None, /, **more: object) -> None:
        """Add particulars to what the record at the end will say."""
        self._detail |= {**(particulars or {}), **more}


class Auditor:
    """Puts acts on record for one operator. A context manager; safe to use from several threads."""

    def __init__(
        self,
        log: AuditLog,
        writer: ActWriter,
        reader: ActReader,
        *,
        operator: str,
        account: str,
        clock: Clock,
        ids: IdSource,
        keep: Callable[[Head], None] = lambda head: None,
    ) -> None:
        self.operator = operator
        """Who acts, where an act does not say otherwise."""
        self._log = log
        self._writer = writer
        self._reader = reader
        self._account = account
        self._clock = clock
        self._ids = ids
        self._keep = keep

    def record(
        self,
        act: str,
        target: str,
        reason: str | None = None,
        detail: Mapping[str, object] | None = None,
        *,
        outcome: Outcome = "done",
        operator: str | None = None,
        basis: str | None = None,
        event_id: str | None = None,
        time_ms: int | None = None,
        start: str | None = None,
    ) -> Recorded:
        """Put one act on record; returns when it is there for good.

        ``act`` is ``<what>.<verb>`` (``topics.apply``), ``target`` what it is done to, ``start`` the id of the record
        at its start. ``AuditRefused``, ``ClusterUnreachable``, or ``NotFound`` where there is no ``bus.audit``.
        """
        given = Act(
            event_id or self._ids(), act, target, operator or self.operator, self._account, reason or None, outcome,
            {str(name): _text(value) for name, value in (detail or {}).items() if value is not None},
            self._clock() if time_ms is None else time_ms, start, basis,
        )  # fmt: skip
        ready, place = self._log.append(given.id, lambda head: self._writer.ready(given, head))
        self._keep(ready.head)
        return Recorded(given.id, *place, ready.head)

    @contextmanager
    def act(
        self,
        act: str,
        target: str,
        reason: str | None = None,
        detail: Mapping[str, object] | None = None,
        *,
        operator: str | None = None,
        basis: str | None = None,
        event_id: str | None = None,
        time_ms: int | None = None,
    ) -> Iterator[OpenAct]:
        """Record an act at its start, and at its end how it ended. Raises as ``record``; nothing is done then."""
        start = self.record(
            act, target, reason, detail, outcome="started", operator=operator, basis=basis, event_id=event_id,
            time_ms=time_ms,
        )  # fmt: skip
        opened = OpenAct(start)

        def end(outcome: Outcome, **more: object) -> None:
            self.record(
                act, target, reason, {**opened._detail, **more}, outcome=outcome, operator=operator, basis=basis,
                time_ms=time_ms, start=start.id,
            )  # fmt: skip

        try:
            yield opened
        except BaseException as error:  # an interrupt is an end, too
            try:
                end("failed", error=_told(error))
            except BusError as refused:
                _log.warning("the end of %s on %s is not on record: %s", act, target, refused)
            raise
        end(opened.outcome)

    def acts(self) -> Iterator[Audited | Record]:
        """Every act on record, from the first; what is none comes as it is."""
        for record in self._log.records():
            yield self._reader.read(record) or record

    def verify(self, *seen: Head) -> Verified:
        """Hold the whole log against itself, and against heads seen before."""
        verifier = Verifier(seen)
        for act in self.acts():
            if isinstance(act, Audited):
                verifier.add(act)
            else:
                verifier.foreign(act.offset)
        return verifier.end()

    def close(self) -> None:
        """Let go of the log."""
        self._log.close()

    def __enter__(self) -> "Auditor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, BusError) else f"{type(error).__name__}: {error}".removesuffix(": ")


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= _CHARS_MAX else f"{text[:_CHARS_MAX]}… ({len(text)} characters)"
