"""What a snapshot says in its first bytes, read without decoding the rest. Pure.

A worker that starts looks at every snapshot, and decoding one takes longer than reading several. What it must know of
each therefore comes first in the schemas: whether the instance is open, and when something falls due. Only values that
the newest schema has written are looked at in this way (``Partition`` sees to that); a test holds schemas to ``FIRST``.
"""

from deptbus.avro.functions import Unusual
from deptbus.avro.varints import read_varint
from deptbus.errors import CodecError

FIRST = {
    "workflow.InstanceChanged": ("status", "due", "region", "offset"),
    "workflow.KeyChanged": ("due", "offset"),
}
"""The fields that the schemas begin with."""

INSTANCE = 6
"""Where, after the framing and the status, an instance's ``due`` stands."""
KEY = 5
"""Where a key's ``due`` stands."""
_STATUS = 5
_OPEN = 0


def is_open(instance: bytes) -> bool:
    """Whether the snapshot is one of an open instance."""
    return instance[_STATUS] == _OPEN


def due(value: bytes, at: int) -> int | None:
    """The time that stands at ``at`` (``INSTANCE`` or ``KEY``): when something falls due; None for never."""
    return None if value[at] == 0 else read_varint(value, at + 1)[0]


def region(instance: bytes) -> str | None:
    """The instance's region."""
    at = _after(instance, INSTANCE)
    if instance[at] == 0:
        return None
    length, at = read_varint(instance, at + 1)
    return instance[at : at + length].decode()


def offset(event_type: str, value: bytes) -> int:
    """The journal offset that the snapshot names; ``CodecError`` where the value ends before."""
    try:
        if event_type == "workflow.KeyChanged":
            return read_varint(value, _after(value, KEY))[0]
        at = _after(value, INSTANCE)
        length, at = read_varint(value, at + 1) if value[at] else (0, at + 1)
        return read_varint(value, at + length)[0]
    except (IndexError, Unusual):
        raise CodecError("undecodable", f"the value is too short for a {event_type}") from None


def _after(value: bytes, at: int) -> int:
    """Where the optional number at ``at`` ends."""
    if value[at]:
        at += 1
        while value[at] & 0x80:
            at += 1
    return at + 1
