"""Publishes what officers and commanders do, and waits until the timeline shows what came of an order."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.clock import from_iso
from deptbus.desk import orders
from deptbus.desk.board import Board, OpenTask
from deptbus.desk.reading import TASKS, TIMELINE, Reading
from deptbus.envelope import Envelope
from deptbus.errors import ActRefused
from deptbus.jsondata import from_json
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.outcome import Outcome
from deptbus.record import Event, Record

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What a commander orders, and by what right."""

    data: Mapping[str, Any]
    """Of ``command.DirectiveIssued``."""
    officer: str
    basis: str
    instance: str | None
    """Open instances are meant by name; none when one is to be opened."""
    region: str | None


class Acting:
    """Publishes as one department. A context manager; ``at_ms`` is the time that the events name."""

    def __init__(self, reading: Reading, department: str, event_type: str, board: Board, at: str | None = None) -> None:
        settings = reading.settings
        self._reading = reading
        self.at_ms = _time(reading, board, at)
        codec = bootstrap.load_codec(settings, reading.catalogue, reading.registry, {event_type})
        self._type = event_type
        self._bus: Bus = bootstrap.connect(settings, department, catalogue=reading.catalogue, codec=codec)

    def answer(
        self, task: OpenTask, data: Mapping[str, Any], *, officer: str, basis: str | None, subject: str | None = None
    ) -> Outcome:
        """Publish what a department says of a task or does for it; waits for the broker's answer.

        ``CodecError`` when the data do not fit; ``PublishFailed`` or ``PublishUnknown``.
        """
        schema = self._reading.catalogue.schemas.newest(self._type).schema
        return self._bus.publish(
            self._type,
            from_json(schema, data),
            subject=subject or task.task,
            region=task.region,
            legal_basis=basis or task.basis,
            actor=officer,
            time_ms=self.at_ms,
            cause=self._request(task),
        ).require()

    def order(self, order: Order, wait_s: float) -> tuple[Outcome, list[dict[str, Any]]]:
        """Publish a directive; answers the lines of the timeline that follow from it, none after ``wait_s``."""
        settings = self._reading.settings
        data = order.data
        tail = Tail(reader_configuration(settings), {settings.world.physical(TIMELINE): END}) if wait_s > 0 else None
        try:
            outcome = self._bus.publish(
                self._type,
                data,
                subject=order.instance or f"{data['workflow']}/{data['key']}",
                correlation_id=order.instance,
                region=order.region,
                legal_basis=order.basis,
                actor=order.officer,
                time_ms=self.at_ms,
            ).require()
            return outcome, self._effects(tail, data["act"], outcome.event_id, wait_s) if tail else []
        finally:
            if tail is not None:
                tail.close()

    def __enter__(self) -> "Acting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.close()

    def _effects(self, tail: Tail, act: str, event_id: str, wait_s: float) -> list[dict[str, Any]]:
        limit = time.monotonic() + wait_s
        lines: list[dict[str, Any]] = []
        cause = ("ce_causationid", event_id.encode())
        while time.monotonic() < limit:
            records = tail.poll(_POLL_S)
            lines += [self._reading.decode(record) for record in records if cause in record.headers]
            if any(orders.is_effect(act, line) for line in lines):
                return lines
        return lines

    def _request(self, task: OpenTask) -> Event:
        """The request as a cause: its snapshot says all that an answer takes from it."""
        envelope = Envelope(
            id=task.request,
            type="workflow.TaskRequested",
            source="/bus/advance",
            time_ms=task.requested_at,
            correlationid=task.instance,
            mode=self._reading.settings.world.mode,
        )
        return Event(envelope, {}, Record(TASKS, -1, -1, task.requested_at, None, None, []))


def _time(reading: Reading, board: Board, at: str | None) -> int:
    """When the act is dated: now, or in an exercise what the caller says, by default how far its time has come."""
    if at is None:
        return board.now_ms
    if not reading.settings.namespace:
        raise ActRefused("--at belongs to exercises: set BUS_NAMESPACE; in actual life the time is now.")
    try:
        return from_iso(at)
    except ValueError:
        raise ActRefused(f"--at {at} is no time with a zone, such as 2020-01-20T00:00:00+08:00.") from None
