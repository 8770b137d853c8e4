"""Departments, topics and grants, as the catalogue holds them."""

from collections.abc import Mapping
from dataclasses import dataclass

BUS_OWNERS = ("workflow", "bus")
"""Owners of topics that are not departments: the bus's own processes."""
RESERVED = frozenset({*BUS_OWNERS, "ns", "common"})
TASKS = "workflow.tasks"
"""The topic that every department reads without a grant."""


@dataclass(frozen=True, slots=True)
class Department:
    """One organisation."""

    id: str
    org_code: str
    level: str
    """``district``, ``city``, ``province`` or ``nation``."""
    region: str
    """GB/T 2260, six digits."""
    titles: Mapping[str, str]
    """Its name in ``zh`` and ``en``."""
    has_database: bool
    """Whether handled event ids live in its database; if not, effects may repeat after a crash."""
    elements: tuple[str, ...] = ()
    """Data elements whose one source it is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A department's right to read a topic."""

    department: str
    purpose: str
    legal_basis: str
    until: str | None = None
    """ISO date of the last day on which it holds, in China Standard Time."""
    fields: tuple[str, ...] | None = None
    """Field paths that may be read; None is all."""
    lapses_ms: int | None = None
    """The first moment at which it no longer holds."""

    def holds(self, at_ms: int) -> bool:
        """Whether it is in force at a time."""
        return self.lapses_ms is None or at_ms < self.lapses_ms


@dataclass(frozen=True, slots=True)
class Topic:
    """A named, owned, keyed log of one owner's events."""

    name: str
    owner: str
    key: str
    """What the key is: ``subject``, ``instance``, …; ``none`` for a topic without keys."""
    partitions: int
    replication: int
    """-1 is the brokers' default."""
    retention_ms: int
    """-1 is for ever."""
    cleanup: str
    message_bytes_max: int
    timestamp_type: str
    event_types: tuple[str, ...]
    compatibility: str
    classification: str
    sharing: str
    grants: tuple[Grant, ...] = ()
    file: str = ""
    """Where it is declared: file and line, for messages."""
