"""Publishes what officers and commanders do, and waits until the timeline shows what came of an order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from deptbus import bootstrap
from deptbus.bus import Bus
from deptbus.catalogue import Catalogue
from deptbus.codec import Codec
from deptbus.desk.answering import Answer
from deptbus.desk.board import Board, OpenTask
from deptbus.desk.orders import ISSUED, Order, is_in_vain
from deptbus.desk.reading import TASKS, TIMELINE, Reading
from deptbus.desk.refused import Refused
from deptbus.desk.writing import parse_time
from deptbus.envelope import Envelope
from deptbus.jsondata import from_json
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.outcome import Outcome
from deptbus.record import Event, Record
from deptbus.settings import Settings
from deptbus.workflow.said import Said

Decode = Callable[[Record], dict[str, Any]]
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
    """Publishes as one department, for as long as it is open. A context manager; safe to use from several threads.

    ``codec`` knows the event types that are published, ``decode`` reads the timeline.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, codec: Codec, decode: Decode, department: str) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._decode = decode
        self._bus: Bus = bootstrap.connect(settings, department, catalogue=catalogue, codec=codec)

    def answer(self, answer: Answer, *, officer: str, basis: str | None, at_ms: int) -> Outcome:
        """Publish what a department says of a task or does for it, dated ``at_ms``; waits for the broker's answer.

        ``CodecError`` when the data do not fit; ``PublishFailed`` or ``PublishUnknown``.
        """
        task = answer.task
        schema = self._catalogue.schemas.newest(answer.type).schema
        return self._bus.publish(
            answer.type,
            from_json(schema, answer.data),
            subject=answer.subject,
            region=task.region,
            legal_basis=basis or task.basis,
            actor=officer,
            time_ms=at_ms,
            cause=self._request(task),
        ).require()

    def order(
        self, orders: Sequence[Order], *, officer: str, basis: str, at_ms: int, wait_s: float = 0
    ) -> list[Result]:
        """Publish directives, each after the one before, and wait until the timeline shows what came of all of them.

        ``PublishFailed`` or ``PublishUnknown`` for the first that the broker does not take.
        """
        settings = self._settings
        tail = Tail(reader_configuration(settings), {settings.world.physical(TIMELINE): END}) if wait_s > 0 else None
        try:
            results = [Result(order, self._direct(order, officer, basis, at_ms), []) for order in orders]
            if tail is not None:
                self._await(tail, results, wait_s)
            return results
        finally:
            if tail is not None:
                tail.close()

    def close(self) -> None:
        """Let go of the broker."""
        self._bus.close()

    def __enter__(self) -> "Acting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _direct(self, order: Order, officer: str, basis: str, at_ms: int) -> Outcome:
        return self._bus.publish(
            ISSUED,
            order.data,
            subject=order.name,
            correlation_id=order.instance,
            region=order.region,
            legal_basis=basis,
            actor=officer,
            time_ms=at_ms,
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
                    line, result = self._decode(record), by_cause[cause]
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
            mode=self._settings.world.mode,
        )
        return Event(envelope, {}, Record(TASKS, -1, -1, task.requested_at, None, None, []))


def act_as(reading: Reading, department: str, event_type: str) -> Acting:
    """Acts as a department for one act, with no more schemas than that takes."""
    codec = bootstrap.load_codec(reading.settings, reading.catalogue, reading.registry, {event_type})
    return Acting(reading.settings, reading.catalogue, codec, reading.decode, department)


def dated(settings: Settings, board: Board, at: str | None) -> int:
    """When the act is dated: now, or in an exercise what the caller says, by default how far its time has come."""
    if at is None:
        return board.now_ms
    if not settings.namespace:
        raise Refused(
            Said(
                "只有演练可以另定时间（BUS_NAMESPACE）；实际运行以当前时间为准。",
                "Only an exercise has a time of its own: set BUS_NAMESPACE; in actual life the time is now.",
            ),
            see="--at",
        )
    return parse_time(at, "--at")
