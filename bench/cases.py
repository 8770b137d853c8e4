"""What publishing and subscribing are measured with: ``health.CaseReported``, about 300 bytes each, over 500 keys."""

import hashlib
import json
import marshal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TYPE, TOPIC = "health.CaseReported", "health.cases"
REGION = "440100"
_KEYS = 500
_OWN = frozenset({"ce_id", "ce_time", "ce_traceparent"})
"""Headers that differ from event to event by their nature."""

_PLAIN = 2
"""The version of ``marshal`` that writes what is equal alike, whether it is one object or two."""

Cases = list[tuple[dict[str, Any], str]]
"""Data and subject of each event."""


def schema() -> dict[str, Any]:
    """Its schema. Times are integers on both sides: peers do not pay for a ``datetime`` that ours does not make."""
    found: dict[str, Any] = json.loads(Path("schemas", *TYPE.split("."), "v1.avsc").read_text())
    for field in found["fields"]:
        if isinstance(field["type"], dict):
            field["type"].pop("logicalType", None)
    return found


def cases(count: int) -> Cases:
    """So many events' data, each with its subject."""
    return [
        (
            {
                "case": f"R-{number:08d}",
                "region": REGION,
                "disease": "x" * 120,
                "facility": "y" * 150,
                "reported_at": 1_580_000_000_000 + number,
            },
            str(number % _KEYS),
        )
        for number in range(count)
    ]


class Digest:
    """A hash over records in order: key, value and headers, those apart that are each event's own."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.ids: set[bytes] = set()
        self.count = 0

    def add(self, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> None:
        """Take one record."""
        shared = []
        for header in headers:
            name, content = header
            if name not in _OWN:
                shared.append(header)
            elif name == "ce_id":
                self.ids.add(content)
        shared.sort()
        self._hash.update(marshal.dumps([key, value, shared], _PLAIN))
        self.count += 1

    def hex(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


def hash_of(seen: Iterable[str]) -> str:
    """A hash over the cases that were seen, in whatever order."""
    return hashlib.sha256("\n".join(sorted(seen)).encode()).hexdigest()
