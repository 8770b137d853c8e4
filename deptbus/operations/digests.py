"""Whether what was written is what was read: counts and hashes of keys and values, in order, per partition. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, int]
"""A topic and a partition's number."""


@dataclass(slots=True)
class Digest:
    """Of records in order."""

    count: int = 0
    _hash: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def add(self, key_and_value: bytes) -> None:
        """Take one record: key and value as they lie in the log, their lengths before them."""
        self._hash.update(key_and_value)
        self.count += 1

    @property
    def hex(self) -> str:
        """The hash so far."""
        return str(self._hash.hexdigest())


def differences(read: Mapping[Place, Digest], written: Mapping[Place, Digest], into: Mapping[str, str]) -> list[str]:
    """One sentence for each partition that holds something else than was read; ``into``: target by source topic."""
    found = []
    for (topic, number), source in sorted(read.items()):
        place = into[topic], number
        target = written.get(place, Digest())
        if source.count != target.count:
            found.append(
                f"{place[0]}[{number}] holds {target.count} of the replay's events; {topic}[{number}] has "
                f"{source.count}."
            )
        elif source.hex != target.hex:
            found.append(
                f"{place[0]}[{number}] holds as many events as {topic}[{number}], but others or in another order."
            )
    return found
