"""Records that nothing can be made of, in every way that the bus must survive, on topics that correlate reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from deptbus.codec import Codec
from deptbus.envelope import Headers
from deptbus.ids import random_id
from deptbus.kafka.configuration import producer_configuration
from deptbus.kafka.producer import KafkaSender
from deptbus.record import Record
from deptbus.settings import Settings

LARGE_BYTES = 2_000_000
_MARK = "~mark~"
_NOT_UTF8 = b"\xff\xfe\xc3\x28\xa0\xa1"
"""As long as the mark."""


@dataclass(frozen=True, slots=True)
class Poison:
    """One record, where it was put, and the reason with which it must come back."""

    kind: str
    reason: str
    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    partition: int = -1
    offset: int = -1


def brew(example: Record, codec: Codec, field: str) -> list[Poison]:
    """One of each kind, like ``example``; ``field`` names a string field of its data that may hold anything.

    ``codec`` takes values of ``LARGE_BYTES`` and more.
    """
    value = example.value or b""
    event_type = dict(example.headers)["ce_type"].decode()
    data = codec.decode(value, event_type)
    marked = codec.encode(event_type, {**data, field: _MARK})
    assert _MARK.encode() in marked
    bodies = [
        ("bad magic", "bad_magic", b"\x07" + value[1:]),
        ("unknown schema id", "unknown_schema", b"\x00\x7f\xff\xff\xfe" + value[5:]),
        ("truncated Avro", "undecodable", value[: len(value) // 2]),
        ("2 MB value", "too_large", codec.encode(event_type, {**data, field: "x" * LARGE_BYTES})),
        ("invalid UTF-8 in a value", "undecodable", marked.replace(_MARK.encode(), _NOT_UTF8)),
        ("invalid UTF-8 in a header", "headers", value),
    ]
    return [
        Poison(kind, reason, example.topic, example.key, body, _headers(example, broken=reason == "headers"))
        for kind, reason, body in bodies
    ]


def _headers(example: Record, *, broken: bool) -> Headers:
    changed: Mapping[str, bytes] = {"ce_id": random_id().encode()}
    if broken:
        changed = {**changed, "ce_subject": _NOT_UTF8}
    return [(name, changed.get(name, value)) for name, value in example.headers]


def pour(settings: Settings, poisons: list[Poison]) -> list[Poison]:
    """Publish them; where each was put."""
    sender = KafkaSender(producer_configuration(settings), settings.world, settings.publish_timeout_s)
    pending = [sender.send(poison.topic, poison.key, poison.value, poison.headers, poison.kind) for poison in poisons]
    sender.flush()
    outcomes = [one.result().require() for one in pending]
    sender.close()
    return [
        Poison(
            poison.kind, poison.reason, poison.topic, poison.key, poison.value, poison.headers,
            outcome.partition, outcome.offset,
        )
        for poison, outcome in zip(poisons, outcomes, strict=True)
    ]  # fmt: skip
