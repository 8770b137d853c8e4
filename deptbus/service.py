"""``Service``: one department's part of a process: its handlers, and what they may read, remember and say.

A process runs one service or many; each keeps its own grants, dead letters, inbox, counts and logs.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from structlog.typing import FilteringBoundLogger

from deptbus.deadletters import DeadLetters
from deptbus.handlers import Handlers
from deptbus.inbox import Inbox
from deptbus.publishing import Publisher

Projection = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(slots=True, eq=False)
class Service:
    """See the module."""

    owner: str
    handlers: Handlers
    publisher: Publisher
    deadletters: DeadLetters
    log: FilteringBoundLogger
    topics: frozenset[str]
    """What it was granted, by logical names."""
    projections: Mapping[str, Projection]
    """Of an event type's data, what it was granted; a type that is not in it is granted whole."""
    check_access: Callable[[], int]
    """Raises ``NotGranted`` when a grant has lapsed; answers when the next one does, in ms since the epoch."""
    inbox: Inbox | None = None
    """Where the service itself remembers what it has handled."""
    counts: Counter[str] = field(default_factory=Counter)
