"""The inbox: which events have been handled, so that one delivered twice has its effect once (I2)."""

from collections import OrderedDict
from typing import Protocol

from deptbus.envelope import Envelope


class Inbox(Protocol):
    """Handled events by key. A service with a database keeps it there and lets its handlers add the key in the
    transaction of their own effects; ``record`` is then a second, harmless addition."""

    def handled(self, key: str) -> bool:
        """Whether an event with this key has had its effect."""

    def record(self, key: str) -> None:
        """Remember a handled event."""


class MemoryInbox:
    """The newest ``keys_max`` keys, in memory: what is handled twice within one process's life is caught."""

    def __init__(self, keys_max: int) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._keys_max = keys_max

    def handled(self, key: str) -> bool:
        """Whether the key is remembered."""
        return key in self._keys

    def record(self, key: str) -> None:
        """Remember a key and forget the oldest beyond the bound."""
        self._keys[key] = None
        if len(self._keys) > self._keys_max:
            self._keys.popitem(last=False)


def inbox_key(envelope: Envelope) -> str:
    """What identifies a delivery: the event's id; a deliberate replay counts as another delivery."""
    return envelope.id if envelope.replayid is None else f"{envelope.id}/{envelope.replayid}"
