"""What a rehearsal plays: past events dated in exercise time, and answers led to the tasks that it asks. Pure.

A rehearsal has the clock of an exercise. An event of actual life counts at the broker time that decided then; one of an
exercise keeps its own time and is played in the step in which it was published. An answer names the request that it
answers; under other rules the same request has another id, so answers wait until the rehearsal has asked and are led to
what it asked.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from deptbus.clock import from_iso, iso
from deptbus.envelope import Headers
from deptbus.record import Record

REQUESTED = "workflow.TaskRequested"
OPENED = "workflow.InstanceOpened"


class Step(NamedTuple):
    """A step of the exercise that is rehearsed."""

    heard_ms: int
    """The broker's time when it was announced."""
    starts_ms: int
    ends_ms: int


_heard_ms = attrgetter("heard_ms")


@dataclass(frozen=True, slots=True)
class Course:
    """How time goes in a rehearsal."""

    origin_ms: int
    step_ms: int
    until_ms: int
    """What is dated later is not compared."""
    limit_ms: int
    """No step begins at this time or later."""
    steps: tuple[Step, ...] = ()
    """Of the exercise; empty for a stretch of actual life."""
    heard_until_ms: int | None = None
    """Of an exercise that went on after the stretch: the broker's time up to which what happened is compared."""

    @property
    def restamped(self) -> bool:
        """Whether events count at their broker time, not their own."""
        return not self.steps

    def played_at(self, timestamp_ms: int, own_ms: int) -> int:
        """The time at which a record is played, by the broker's time and that of its event itself."""
        if not self.steps:
            return timestamp_ms
        index = max(0, bisect_right(self.steps, timestamp_ms, key=_heard_ms) - 1)
        following = self.steps[index + 1] if index + 1 < len(self.steps) else None
        # What the clock's own process publishes may reach its topic a moment before the announcement of its step.
        if following is not None and following.starts_ms <= own_ms < following.ends_ms:
            return following.starts_ms
        return self.steps[index].starts_ms


def own_time(record: Record) -> int:
    """The time that an event has itself, -1 where it has none that can be read."""
    try:
        return from_iso(dict(record.headers)["ce_time"].decode())
    except (KeyError, ValueError):
        return -1


def actual_course(first_ms: int, until_ms: int, step_ms: int) -> Course:
    """For a stretch of actual life: from the beginning of the step in which its first event came."""
    # What is asked in a step falls due no earlier than in the next one.
    return Course(first_ms - first_ms % step_ms, step_ms, until_ms, until_ms + step_ms)


def exercise_course(steps: Sequence[Step], origin_ms: int, last_ms: int | None) -> Course:
    """For a stretch of an exercise: its own steps, up to the one in which its last event came, or all of them.

    ``last_ms``: the broker's time of the last event; None where the stretch goes to the end.
    """
    step_ms = steps[0].ends_ms - steps[0].starts_ms
    count = len(steps)
    if last_ms is not None:
        count = max(1, bisect_right(steps, last_ms, key=_heard_ms))
    heard_until_ms = steps[count].heard_ms if count < len(steps) else None
    ends_ms = steps[count - 1].ends_ms
    return Course(origin_ms, step_ms, ends_ms, ends_ms, tuple(steps[:count]), heard_until_ms)


def restamped(record: Record, course: Course, replay_id: str, **others: str | None) -> Headers:
    """The headers of a record in a rehearsal; ``others`` in place of what it names, where they are given."""
    given = {f"ce_{name}": text.encode() for name, text in others.items() if text}
    headers: Headers = []
    for name, value in record.headers:
        if name == "ce_mode" or (name == "ce_time" and course.restamped):
            if name == "ce_time":
                headers.append(("ce_originaltime", value))
            continue
        headers.append((name, given.get(name, value)))
    if course.restamped:
        headers.append(("ce_time", iso(record.timestamp_ms).encode()))
    return [*headers, ("ce_mode", b"exercise"), ("ce_replayid", replay_id.encode())]


Place = tuple[str, str, str, str | None, int, int]
"""The instance, the step, its subject and region, the how manieth time it is asked so, and the attempt."""


@dataclass(slots=True)
class Requests:
    """What was asked in one world, so that it can be found again in another."""

    opened: dict[str, str] = field(default_factory=dict)
    """By instance, the event that opened it."""
    places: dict[str, Place] = field(default_factory=dict)
    """By the id of a request."""
    tasks: dict[str, str] = field(default_factory=dict)
    """By the id of a request, its task."""
    _instances: dict[str, str] = field(default_factory=dict)
    _at: dict[Place, str] = field(default_factory=dict)
    _times: Counter[tuple[str, str, str, str | None]] = field(default_factory=Counter)
    _nth: dict[str, int] = field(default_factory=dict)

    def instance(self, name: str, cause: str) -> None:
        """An instance was opened by an event."""
        self.opened.setdefault(name, cause)
        self._instances.setdefault(cause, name)

    def request(self, request_id: str, data: Mapping[str, Any]) -> None:
        """A task was asked for, or asked for again."""
        if request_id in self.places:
            return
        task = data["task"]
        what = data["instance"], data["step"], data["subject"], data["region"]
        if task not in self._nth:
            self._times[what] += 1
            self._nth[task] = self._times[what]
        place: Place = (*what, self._nth[task], data["attempt"])
        self.places[request_id], self.tasks[request_id] = place, task
        self._at.setdefault(place, request_id)

    def opened_by(self, cause: str) -> str | None:
        """The instance that an event opened."""
        return self._instances.get(cause)

    def find(self, place: Place) -> str | None:
        """The request at a place."""
        return self._at.get(place)


class Led(NamedTuple):
    """Where an answer leads."""

    request: str
    task: str


class Leading:
    """Leads what answers a request of then to the same request of now."""

    def __init__(self, then: Requests, now: Requests) -> None:
        self.then, self.now = then, now
        self._requests = {task: request for request, task in reversed(then.tasks.items())}
        """By task, its first request."""

    def request_of(self, cause: str | None, task: str | None) -> str | None:
        """The request of then that an event answers: by its cause, or by the task that its data name."""
        if cause is not None and cause in self.then.places:
            return cause
        return None if task is None else self._requests.get(task)

    def instance(self, name: str | None) -> str | None:
        """The instance of now in the place of one of then, where that is known."""
        cause = self.then.opened.get(name or "")
        return None if cause is None else self.now.opened_by(cause)

    def led(self, request: str) -> Led | None:
        """The request of now; None where it has not been made."""
        place = self.then.places[request]
        if self.now.places.get(request, ())[1:4] == place[1:4]:  # an id counts outputs: alone it says nothing
            return Led(request, self.now.tasks[request])
        found = self.now.find((self.instance(place[0]) or place[0], *place[1:]))
        return None if found is None else Led(found, self.now.tasks[found])
