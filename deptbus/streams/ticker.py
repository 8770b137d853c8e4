"""Appends ticks in actual life: follows ``bus.progress`` and ``bus.packs``, and asks the policy."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from deptbus.clock import PROGRESS, REPORTED
from deptbus.envelope import from_headers
from deptbus.errors import CodecError
from deptbus.ids import derived_id
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import BEGINNING, END, Tail
from deptbus.record import Record
from deptbus.streams.owner import Done
from deptbus.streams.packs import PackShelf
from deptbus.streams.ticks import TickPolicy
from deptbus.streams.wiring import APPENDED, JOURNAL, PACKS, Wiring
from deptbus.workflow.correlate import tick

LOOK_S = 0.5
"""How long one look waits for news."""
SILENCE_S = 2.0
"""When nobody has reported for so long, we ask the broker for the time by a report of our own."""
AGAIN_S = 30.0
"""A tick that has not been applied after so long is appended again."""

_log = structlog.get_logger("deptbus.streams.ticker")


class Lane(Protocol):
    """What is to be known of an owned partition."""

    done: Done | None
    ticked_at: int


class Ticker:
    """For the partitions that ``lanes`` answers. Blocking, used from one thread at a time."""

    def __init__(self, wiring: Wiring, lanes: Callable[[], Iterable[tuple[int, Lane]]]) -> None:
        self._wiring = wiring
        self._lanes = lanes
        self._shelf = PackShelf()
        self._policy = TickPolicy(round(wiring.settings.input_wait_s * 1000))
        physical = wiring.world.physical
        self._tail = Tail(reader_configuration(wiring.settings), {physical(PROGRESS): END, physical(PACKS): BEGINNING})
        self._heard_s = 0.0
        self._appended_s: dict[int, float] = {}

    def look(self) -> None:
        """Wait a moment for news, then append the ticks that are due."""
        for record in self._tail.poll(LOOK_S):
            try:
                self._take(record)
            except CodecError as error:
                _log.error("undecodable", topic=record.topic, offset=record.offset, error=str(error))
        lanes = [(number, lane, lane.done) for number, lane in self._lanes()]
        now_s = time.monotonic()
        for number, lane, done in lanes:
            if done is None or done.more or (done.at < lane.ticked_at and now_s - self._appended_s[number] < AGAIN_S):
                continue
            at = self._policy.tick(done.next_due, done.at)
            if at is not None:
                self._append(number, at)
                lane.ticked_at = at
                self._appended_s[number] = now_s
        if now_s - self._heard_s > SILENCE_S and any(done and done.next_due for _, _, done in lanes):
            self._heard_s = now_s
            self._wiring.report({f"{JOURNAL}/{number}": done.offset for number, _, done in lanes if done})
        self._wiring.sender.poll(0)

    def close(self) -> None:
        """Let go of the broker."""
        self._tail.close()

    def _take(self, record: Record) -> None:
        if record.topic == PROGRESS:
            self._heard_s = time.monotonic()
            report = self._wiring.decode(record.value, REPORTED)
            covered = report["covered_until"] if report["role"] == "correlate" else None
            self._policy.heard(record.timestamp_ms, report["positions"], covered)
            return
        event_type = from_headers(record.headers).type
        if self._shelf.take(event_type, self._wiring.decode(record.value, event_type)):
            self._policy.inputs = self._shelf.inputs(self._wiring.catalogue)

    def _append(self, number: int, at: int) -> None:
        _log.info("tick", partition=number, at=at, covered_until=self._policy.covered_ms)
        pending = self._wiring.append(
            tick(at), "@tick", number, time_ms=at,
            id=derived_id(f"{JOURNAL}/{number}@{at}", "advance", APPENDED, "@tick"),
        )  # fmt: skip
        pending.result().require()
