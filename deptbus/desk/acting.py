"""Publishes what officers and commanders do, and waits until the timeline shows what came of an order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.desk.board import Board, OpenTask
from deptbus.desk.orders import Order, is_in_vain
from deptbus.desk.reading import TASKS, TIMELINE, Reading
from deptbus.desk.writing import parse_time
from deptbus.envelope import Envelope
from deptbus.errors import ActRefused
from deptbus.jsondata import from_json
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.outcome import Outcome
from deptbus.record import Event, Record

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an order."""

    order: Order
    outcome: Outcome
    effects: list[dict[str, Any]]
    """The lines of the timeline that follow from it; none where they were not waited for long enough."""

    @property
    def in_vain(self) -> bool:
        """Whether the workflow says that nothing came of it."""
        return any(is_in_vain(line) for line in self.effects)

    @property
    def applied(self) -> bool:
        """Whether the workflow has done what was ordered."""
        return any(self.order.settled_by(line) for line in self.effects) and not self.in_vain


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

    def order(self, orders: Sequence[Order], *, officer: str, basis: str, wait_s: float) -> list[Result]:
        """Publish directives, each after the one before, and wait until the timeline shows what came of all of them.

        ``PublishFailed`` or ``PublishUnknown`` for the first that the broker does not take.
        """
        settings = self._reading.settings
        tail = Tail(reader_configuration(settings), {settings.world.physical(TIMELINE): END}) if wait_s > 0 else None
        try:
            results = [Result(order, self._direct(order, officer, basis), []) for order in orders]
            if tail is not None:
                self._await(tail, results, wait_s)
            return results
        finally:
            if tail is not None:
                tail.close()

    def __enter__(self) -> "Acting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.close()

    def _direct(self, order: Order, officer: str, basis: str) -> Outcome:
        return self._bus.publish(
            self._type,
            order.data,
            subject=order.name,
            correlation_id=order.instance,
            region=order.region,
            legal_basis=basis,
            actor=officer,
            time_ms=self.at_ms,
        ).require()

    def _await(self, tail: Tail, results: list[Result], wait_s: float) -> None:
        """Give each result the lines that name its directive as their cause, until all are settled."""
        by_cause = {result.outcome.event_id.encode(): result for result in results}
        waiting = set(by_cause)
        limit = time.monotonic() + wait_s
        while waiting and time.monotonic() < limit:
            for record in tail.poll(_POLL_S):
                cause = dict(record.headers).get("ce_causationid") or b""
                if cause in by_cause:
                    line, result = self._reading.decode(record), by_cause[cause]
                    result.effects.append(line)
                    if result.order.settled_by(line):
                        waiting.discard(cause)

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
    return parse_time(at, "--at")
