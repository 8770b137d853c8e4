"""Runs all desks in one process: hears the clock, reads what is asked, publishes what is due, reports.

Nothing is kept: a process that starts again plays the clock's announcements and the tasks from their beginning
without publishing, up to the newest announcement, which it plays in earnest. Ids follow from the requests, so it finds
on the departments' topics what was published of that step already, and publishes the rest.
"""

import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from deptbus.clock import CLOCK
from deptbus.errors import DefinitionError
from deptbus.exercise.clock import TASKS, Announcement, Report
from deptbus.exercise.desks import AnswerWith, Desks
from deptbus.exercise.link import Link, event_of, partitions, to_announcement
from deptbus.failpoint import hit
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.consumer import BEGINNING, END, Tail
from deptbus.observe.counting import PROCESS, Measure
from deptbus.observe.names import STEP
from deptbus.record import Record
from deptbus.redriven import redriven_for

_LOOK_UP_S = 1.0
_log = logging.getLogger("deptbus.exercise.desks")


def find_desks(root: Path, departments: list[str]) -> dict[str, AnswerWith]:
    """``answer`` of every ``services/<department>/desk.py`` below ``root``; ``DefinitionError`` if one has none."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    found: dict[str, AnswerWith] = {}
    for department in departments:
        if not (root / "services" / department / "desk.py").exists():
            continue
        module = importlib.import_module(f"services.{department}.desk")
        try:
            found[department] = module.answer
        except AttributeError:
            raise DefinitionError(
                f"services/{department}/desk.py has no function `answer`; see docs/ARCHITECTURE.md."
            ) from None
    return found


class DeskProcess:
    """The desks of one exercise; ``run`` returns when the clock says that it is over."""

    def __init__(self, link: Link, desks: Desks) -> None:
        self._link = link
        self._desks = desks
        # What is announced up to here is history, except the newest of it.
        newest = link.tail({CLOCK: END})
        self._history = newest.reached.get((CLOCK, 0), 0)
        newest.close()
        self._told = told(link) if self._history else {}
        self._tail: Tail = link.tail({CLOCK: BEGINNING, TASKS: BEGINNING})
        self._unread: dict[int, list[Record]] = {}
        self._steps: list[Announcement] = []
        self._beat: Callable[[], None] = lambda: None
        self._heard = -1
        """Offset of the newest announcement heard."""

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Play every step until the last; ``beat`` is called every second or more often."""
        self._beat = beat
        played = -1
        forget = PROCESS.ask(lambda: [Measure(STEP, (), played)])
        try:
            while True:
                while not self._steps:
                    self._poll()
                step = self._steps.pop(0)
                if step.last:
                    return
                if self._is_history():
                    self._read(step)
                    self._desks.due(step.ends_at)
                else:
                    self._play(step)
                played = step.step
        finally:
            forget()
            self._tail.close()

    def _is_history(self) -> bool:
        """Whether a later announcement is known, or known to be there: then every answer of this step is out."""
        return bool(self._steps) or self._heard + 1 < self._history

    def _poll(self) -> None:
        self._beat()
        records = self._tail.poll(_LOOK_UP_S)
        for record in records:
            if record.topic == CLOCK:
                self._steps.append(to_announcement(self._link.data(record)))
                self._heard = record.offset
            elif redriven_for(record.headers) is None:
                self._unread.setdefault(record.partition, []).append(record)
        if not records:
            self._link.check()

    def _read(self, step: Announcement) -> None:
        """Take in what was asked before the step, and nothing after it."""
        ends = partitions(step.read)
        while not self._tail.has_reached(ends):
            self._poll()
        for partition in sorted(self._unread):
            end = ends.get((TASKS, partition), 0)
            records = self._unread[partition]
            count = next((n for n, record in enumerate(records) if record.offset >= end), len(records))
            for record in records[:count]:
                self._desks.take(event_of(record, self._link.data(record)))
            self._unread[partition] = records[count:]

    def _play(self, step: Announcement) -> None:
        self._read(step)
        outputs: dict[str, int] = {}
        for answer in self._desks.due(step.ends_at):
            if answer.id in self._told:
                partition, end = self._told[answer.id]
                outputs[partition] = max(end, outputs.get(partition, 0))
                continue
            draft = answer.draft
            self._link.publish(
                answer.department,
                draft.type,
                draft.data,
                subject=draft.subject or answer.cause.envelope.id,
                region=draft.region,
                legal_basis=draft.basis,
                actor=f"{answer.department}-desk",
                time_ms=answer.at_ms,
                id=answer.id,
                cause=answer.cause,
                correlation_id=answer.cause.data["instance"],
            )
        hit("after-outputs")
        for partition, end in self._link.flush().items():
            outputs[partition] = max(end, outputs.get(partition, 0))
        hit("after-append")
        self._told = {}  # what comes after the first step in earnest is new
        self._link.report(Report("desks", step.step, outputs=outputs, next_at=self._desks.next_at()))
        self._link.flush()


def told(link: Link) -> dict[str, tuple[str, int]]:
    """Every event on the departments' topics: its id, its partition (``<topic>/<number>``) and the offset after it."""
    owned = [name for name, topic in link.catalogue.topics.items() if topic.owner in link.catalogue.departments]
    ends = Admin(client_configuration(link.settings)).end_offsets(link.settings.world, owned)
    tail = link.tail(dict.fromkeys({topic for topic, _ in ends}, BEGINNING))
    found: dict[str, tuple[str, int]] = {}
    try:
        while not tail.has_reached(ends):
            for record in tail.poll(_LOOK_UP_S, 10_000):
                event_id = dict(record.headers).get("ce_id") or b""
                found[event_id.decode(errors="replace")] = f"{record.topic}/{record.partition}", record.offset + 1
    finally:
        tail.close()
    return found
