"""When groups last committed: the broker's own record of it, which no request tells."""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from deptbus.errors import BusError
from deptbus.kafka.configuration import Configuration
from deptbus.kafka.ends import watermarks
from deptbus.namespace import Namespace
from deptbus.operations.lag import Where

TOPIC = "__consumer_offsets"
LOOKED_BACK_MAX = 100_000
"""So many commits of each partition of the topic are looked through at most; an older one is not known."""
_SILENCE_S = 5.0
_BATCH = 10_000
_OFFSET_KEYS = (0, 1)
"""Versions of the keys of commits; others are about members."""


class CommitTimes:
    """Follows the topic in which the broker keeps offsets. Asked again, it reads only what has come since."""

    def __init__(self, configuration: Configuration, namespace: Namespace) -> None:
        self._consumer = Consumer(configuration)
        self._namespace = namespace
        self._at: dict[Where, int] = {}
        self._reached: dict[int, int] = {}
        """The next offset of each partition that is followed."""

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def of(self, groups: Iterable[str]) -> dict[Where, int]:
        """When groups (logical names) last committed in each partition, in milliseconds since the epoch, if known.

        A cluster that does not let us read the topic tells nothing.
        """
        try:
            bounds = watermarks(self._consumer, TOPIC)
        except (BusError, KafkaException):
            return {}
        wanted = set(groups)
        homes = {home(self._namespace.physical(group), len(bounds)) for group in wanted}
        if not homes <= self._reached.keys():
            for partition in homes - self._reached.keys():
                low, high = bounds[partition]
                self._reached[partition] = max(low, high - LOOKED_BACK_MAX)
            self._consumer.assign([TopicPartition(TOPIC, p, offset) for p, offset in self._reached.items()])
        self._follow({partition: bounds[partition][1] for partition in homes})
        return {where: at for where, at in self._at.items() if where[0] in wanted}

    def _follow(self, ends: dict[int, int]) -> None:
        limit = time.monotonic() + _SILENCE_S
        while any(self._reached[p] < end for p, end in ends.items()) and time.monotonic() < limit:
            for message in self._consumer.consume(_BATCH, 0.05):
                if self._take(message):
                    limit = time.monotonic() + _SILENCE_S

    def _take(self, message: Message) -> bool:
        """Note what a message says; False where it is an error."""
        partition, offset, error = message.partition(), message.offset(), message.error()
        if partition is None or offset is None:
            return False
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                return False
            self._reached[partition] = max(offset, self._reached[partition])
            return True
        self._reached[partition] = offset + 1
        where = committed_where(message.key() or b"")
        if where is None or not (self._namespace.owns(where[0]) and self._namespace.owns(where[1])):
            return True
        where = (self._namespace.logical(where[0]), self._namespace.logical(where[1]), where[2])
        if message.value() is None:
            self._at.pop(where, None)
        else:
            self._at[where] = message.timestamp()[1]
        return True


def home(group: str, partitions: int) -> int:
    """The partition in which the broker keeps a group: Java's hash of its name."""
    code = 0
    for unit in _units(group):
        code = (31 * code + unit) & 0xFFFFFFFF
    signed = code - (1 << 32) if code >= 1 << 31 else code
    return (0 if signed == -(1 << 31) else abs(signed)) % partitions


def _units(text: str) -> list[int]:
    """The UTF-16 units of a text, which is what Java hashes."""
    encoded = text.encode("utf-16-be")
    return [int.from_bytes(encoded[i : i + 2], "big") for i in range(0, len(encoded), 2)]


def committed_where(key: bytes) -> Where | None:
    """Group, topic and partition of a commit's key, by their physical names; None for keys of another kind."""
    if len(key) < 4 or int.from_bytes(key[:2], "big") not in _OFFSET_KEYS:
        return None
    group, at = _text(key, 2)
    topic, at = _text(key, at)
    return group, topic, int.from_bytes(key[at : at + 4], "big")


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : end].decode("utf-8", "replace"), end
