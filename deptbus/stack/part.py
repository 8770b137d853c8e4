"""The parts of a stack, what is known about each, and what every kind of stack can do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

PARTS = ("kafka", "registry")

Report = Callable[[str], None]
"""Is told in a few words what is being waited for."""


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part as it is now; ``pid`` and ``data_bytes`` are None where they cannot be known."""

    part: str
    running: bool
    healthy: bool
    address: str
    pid: int | None = None
    data_bytes: int | None = None
    remark: str = ""


class Stack(Protocol):
    """What the commands ask of a stack. Everything raises ``StackError`` with one sentence."""

    kind: str

    def up(self, report: Report) -> None:
        """Start what does not run and return when both parts answer. Safe to repeat."""

    def down(self, report: Report) -> None:
        """Stop both parts; their data stay. Safe to repeat."""

    def status(self) -> list[PartStatus]:
        """Each part as it is now."""

    def logs(self, parts: Sequence[str], lines: int, follow: bool) -> Iterator[tuple[str, str]]:
        """The last ``lines`` log lines of each part as (part, line), then new ones while ``follow``."""
