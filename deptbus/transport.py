"""What a bus needs of whatever carries its records: Kafka, or memory in tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from deptbus.envelope import Headers
from deptbus.outcome import Pending
from deptbus.record import Record

Partition = tuple[str, int]
"""A logical topic name and a partition number."""


class Sender(Protocol):
    """Puts records on topics. Every ``send`` is answered once, through the ``Pending`` it returns."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        event_id: str,
        partition: int = -1,
    ) -> Pending:
        """Hand over a record without waiting; a full buffer is waited for, within the publish timeout.

        ``partition`` -1 leaves it to the key.
        """

    def poll(self, timeout_s: float) -> None:
        """Let answers in, waiting at most ``timeout_s`` for the first."""

    def flush(self) -> None:
        """Wait until everything handed over is answered."""

    def waiting(self) -> int:
        """How many records are not answered yet."""

    def close(self) -> None:
        """Flush and let go; what is then unanswered is answered as unknown."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a receiver has come in one partition, and since when it stands still with records before it."""

    topic: str
    partition: int
    reached: int
    end: int
    stalled_s: float

    @property
    def lag(self) -> int:
        """Offsets between the position and the end; transaction markers count."""
        return max(0, self.end - self.reached)


class Receiver(Protocol):
    """Reads topics as a member of a group."""

    joined: bool
    """Whether the group has given this member its share, be it none."""

    def poll(self, count_max: int, timeout_s: float) -> list[Record]:
        """The next records, in order within each partition; waits at most ``timeout_s`` for the first."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Have the group remember, soon, that everything before these offsets is handled."""

    def hold(self, partition: Partition, offset: int) -> None:
        """Go back to ``offset`` and deliver nothing of this partition until ``release``."""

    def release(self, partition: Partition) -> None:
        """Deliver a held partition again."""

    def positions(self) -> list[Position]:
        """How far this member has come in each of its partitions."""

    def close(self) -> None:
        """Leave the group."""


class Transport(Protocol):
    """Makes senders and receivers within one namespace."""

    def sender(self) -> Sender:
        """A new sender."""

    def receiver(self, group: str, topics: Iterable[str]) -> Receiver:
        """A new member of ``group`` (logical name) on these topics."""
