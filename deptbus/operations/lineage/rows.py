"""What the index keeps of a record: what its headers say of where it comes from. No value is decoded. Pure."""

import re
from binascii import Error, unhexlify
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from deptbus.clock import from_iso
from deptbus.deadletters import TYPE as DEAD_LETTERED

ID_BYTES = 16
OPENED = "workflow.InstanceOpened"
_COORDINATES = re.compile(r"(.+)\[(\d{1,9})\]@(\d{1,18})")


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Row(NamedTuple):
    """One record of an event, as the index tells it."""

    id: bytes
    cause: bytes | None
    place: Place
    timestamp_ms: int
    """The broker's or the producer's, whichever the topic takes."""
    time_ms: int
    """When it happened, ``ce_time``."""
    type: str
    source: str
    instance: str | None
    basis: str | None
    replay: str | None
    """The replay that it comes from."""


class Said(NamedTuple):
    """What the headers of a record say, as bytes: what is kept once for many records is looked up by them."""

    id: bytes
    cause: bytes | None
    time: bytes
    type: bytes
    source: bytes
    instance: bytes | None
    basis: bytes | None
    replay: bytes | None


def said(headers: Mapping[str, bytes | None]) -> Said | None:
    """What a record's headers say; None where it is no event of the bus."""
    get = headers.get
    event_id, kind, source, time = get("ce_id"), get("ce_type"), get("ce_source"), get("ce_time")
    if not event_id or not kind or not source or not time:
        return None
    return Said(
        event_id, get("ce_causationid") or None, time, kind, source,
        get("ce_correlationid"), get("ce_legalbasis"), get("ce_replayid"),
    )  # fmt: skip


def packed(event_id: bytes) -> bytes:
    """An id in 16 bytes: a UUID's own, of any other text a hash."""
    try:
        short = unhexlify(event_id.replace(b"-", b""))
    except Error:
        short = b""
    return short if len(short) == ID_BYTES else blake2b(event_id, digest_size=ID_BYTES).digest()


def happened(time: bytes, timestamp_ms: int) -> int:
    """``ce_time`` in milliseconds; where it is none, the record's timestamp."""
    try:
        return from_iso(time.decode())
    except ValueError:
        return timestamp_ms


def unpacked(event_id: bytes) -> str:
    """The UUID of 16 bytes."""
    return str(UUID(bytes=event_id))


def buried(kind: bytes, headers: Mapping[str, bytes | None]) -> Place | None:
    """Where the record stood that a dead letter keeps; None for what is no letter."""
    if kind != DEAD_LETTERED.encode():
        return None
    found = _COORDINATES.fullmatch((headers.get("ce_subject") or b"").decode("utf-8", "replace"))
    return Place(found[1], int(found[2]), int(found[3])) if found else None
