"""What became of a publish: acknowledged, failed or unknown; never silence (I1)."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from deptbus.errors import PublishFailed, PublishUnknown


class Outcome(NamedTuple):
    """The answer to one publish.

    ``acknowledged``: on the topic at ``partition`` and ``offset``, with the broker's time if the topic uses it.
    ``failed``: certainly not on the topic. ``unknown``: it was sent, or may have been, and no answer came.
    """

    state: Literal["acknowledged", "failed", "unknown"]
    event_id: str
    topic: str
    partition: int = -1
    offset: int = -1
    timestamp_ms: int = -1
    reason: str = ""

    @property
    def acknowledged(self) -> bool:
        """Whether the event is on the topic."""
        return self.state == "acknowledged"

    def require(self) -> "Outcome":
        """This outcome if acknowledged; else ``PublishFailed`` or ``PublishUnknown``."""
        if self.state == "failed":
            raise PublishFailed(f"The event {self.event_id} is not on {self.topic}: {self.reason}")
        if self.state == "unknown":
            raise PublishUnknown(
                f"Whether the event {self.event_id} is on {self.topic} is unknown: {self.reason}. "
                "Publish it again under the same id."
            )
        return self


Place = tuple[int, int, int]
"""Where an acknowledged record is: partition, offset, timestamp in milliseconds."""


class Server(Protocol):
    """Whoever can make answers arrive."""

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""


class Pending:
    """A publish without its answer yet. ``check()`` and ``result()`` wait for it; nothing else needs to be called."""

    # Nothing that Python's garbage collector has to look at is made for an answer: there are very many of them.
    __slots__ = ("_answer", "_partition", "_server", "_timestamp_ms", "_when_settled", "event_id", "topic")

    _partition: int
    _timestamp_ms: int

    def __init__(self, server: Server, topic: str, event_id: str) -> None:
        self._server = server
        self.topic = topic
        self.event_id = event_id
        self._answer: Outcome | int | None = None
        """The offset of what is acknowledged, the outcome of what is not."""
        self._when_settled: Callable[[Outcome], None] | None = None

    def settle(self, answer: Outcome | Place) -> None:
        """Called once, by the transport: with the place of what is acknowledged, or the outcome of what is not."""
        if isinstance(answer, Outcome):
            self._answer = answer
        else:
            self._partition, offset, self._timestamp_ms = answer
            self._answer = offset  # the last, for another thread may wait for it
        if self._when_settled is not None:
            self._when_settled(self._outcome(self._answer))

    def when_settled(self, call: Callable[[Outcome], None]) -> None:
        """Have ``call`` called with the outcome, at once if it is there already, after those given before."""
        if self._answer is not None:
            call(self._outcome(self._answer))
            return
        before = self._when_settled

        def both(outcome: Outcome) -> None:
            assert before is not None
            before(outcome)
            call(outcome)

        self._when_settled = call if before is None else both

    @property
    def outcome(self) -> Outcome | None:
        """The answer, once it is there."""
        return None if self._answer is None else self._outcome(self._answer)

    def result(self) -> Outcome:
        """The answer, waiting for it. It always comes: the transport gives up by itself after its timeout."""
        while self._answer is None:
            self._server.poll(0.01)
        return self._outcome(self._answer)

    def within(self, limit_s: float) -> bool:
        """Wait for the answer, so many seconds at most; whether it is there."""
        limit = time.monotonic() + limit_s
        while self._answer is None and (left := limit - time.monotonic()) > 0:
            self._server.poll(min(left, 0.05))
        return self._answer is not None

    def check(self) -> None:
        """Wait for the answer; ``PublishFailed`` or ``PublishUnknown`` unless the event is on the topic."""
        if type(self._answer) is not int:
            self.result().require()

    def _outcome(self, answer: Outcome | int) -> Outcome:
        if isinstance(answer, Outcome):
            return answer
        return Outcome("acknowledged", self.event_id, self.topic, self._partition, answer, self._timestamp_ms)
