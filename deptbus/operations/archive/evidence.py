"""What proves that the records of a partition are the same ones, in the same order. Pure.

A rolling hash goes over key, value, headers and timestamp of every record, and one over those of each of a few lanes,
into which keys are sorted: as long as the lanes agree, the events of each key stand in the order in which they stood.
"""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deptbus.operations.archive.entry import Entry, content

LANES = 16
_START = b"\0" * 32
_MARK_BYTES = 3
MARK_CHARS = 4
"""What a mark takes in an index."""


def digest(entry: Entry, held: bytes) -> bytes:
    """SHA-256 of one record: its timestamp, and key, value and headers as they stand in a block."""
    return hashlib.sha256(b"%d " % entry.timestamp_ms + held).digest()


def mark(entry: Entry, digested: bytes) -> str:
    """A few characters by which a record and its place are known again in an index."""
    place = zlib.crc32(b"%d %d %s" % (entry.offset, entry.timestamp_type, (entry.schema or "").encode()))
    mixed = (int.from_bytes(digested[:4]) ^ place) & 0xFFFFFF
    return base64.b64encode(mixed.to_bytes(_MARK_BYTES)).decode()


@dataclass(slots=True)
class Evidence:
    """Of the records of one partition so far."""

    records: int = 0
    content: bytes = _START
    """Rolling over all records."""
    lanes: list[bytes] = field(default_factory=lambda: [_START] * LANES)
    """Rolling over the records of the keys in each lane; records without a key are in the first."""

    def add(self, entry: Entry, held: bytes | None = None) -> bytes:
        """Take the next record in, and its content if that is at hand; answers its digest."""
        found = digest(entry, content(entry) if held is None else held)
        self.records += 1
        self.content = hashlib.sha256(self.content + found).digest()
        lane = zlib.crc32(entry.key or b"") % LANES
        self.lanes[lane] = hashlib.sha256(self.lanes[lane] + found).digest()
        return found

    def to_data(self) -> dict[str, Any]:
        """For JSON."""
        lanes = ["" if lane == _START else lane.hex() for lane in self.lanes]
        return {"records": self.records, "content": self.content.hex(), "key_order": lanes}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Evidence":
        """What ``to_data`` made; ``KeyError``, ``ValueError`` or ``TypeError`` for anything else."""
        lanes = [bytes.fromhex(lane) if lane else _START for lane in data["key_order"]]
        return cls(int(data["records"]), bytes.fromhex(data["content"]), lanes)
