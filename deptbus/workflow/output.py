"""What ``advance`` puts out: a value for a topic, with all that its envelope needs."""

from typing import Any, NamedTuple


class Output(NamedTuple):
    """One event to be written in the transaction of its journal entry."""

    topic: str
    """Logical name: ``workflow.tasks``, ``.instances``, ``.timeline``, ``.events`` or ``.journal``."""
    key: str
    """The record's key."""
    type: str
    id: str
    """Derived from its cause; a snapshot's from the offset that it names."""
    time_ms: int
    data: dict[str, Any]
    subject: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    legalbasis: str | None = None
    region: str | None = None
    elsewhere: bool = False
    """Whether it goes to the partition of its key, and not to that of its journal entry."""
