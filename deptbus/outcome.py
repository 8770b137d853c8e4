"""What became of a publish: acknowledged, failed or unknown; never silence (I1)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from deptbus.errors import PublishFailed, PublishUnknown


@dataclass(frozen=True, slots=True)
class Outcome:
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


class Server(Protocol):
    """Whoever can make answers arrive."""

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""


class Pending:
    """A publish without its answer yet. ``result()`` waits for it; nothing else needs to be called."""

    __slots__ = ("_server", "_when_settled", "event_id", "outcome", "topic")

    def __init__(self, server: Server, topic: str, event_id: str) -> None:
        self._server = server
        self._when_settled: Callable[[Outcome], None] | None = None
        self.topic = topic
        self.event_id = event_id
        self.outcome: Outcome | None = None
        """The answer, once it is there."""

    def settle(self, outcome: Outcome) -> None:
        """Called once, by the transport."""
        self.outcome = outcome
        if self._when_settled is not None:
            self._when_settled(outcome)

    def when_settled(self, call: Callable[[Outcome], None]) -> None:
        """Have ``call`` called with the outcome, at once if it is there already."""
        self._when_settled = call
        if self.outcome is not None:
            call(self.outcome)

    def result(self) -> Outcome:
        """The answer, waiting for it. It always comes: the transport gives up by itself after its timeout."""
        while self.outcome is None:
            self._server.poll(0.01)
        return self.outcome
