"""From records to notifications: what a channel is told of what it reads, as far as that is granted to it."""

from collections.abc import Callable
from typing import Any

from deptbus.catalogue import Catalogue
from deptbus.deadletters import TYPE
from deptbus.envelope import from_headers
from deptbus.grants import projection
from deptbus.jsondata import to_json
from deptbus.notify.config import EVENT_OF, Channel
from deptbus.notify.message import Notification, may_tell, notification
from deptbus.notify.wording import Names
from deptbus.record import Record
from deptbus.redriven import is_for

Decide = Callable[[Record], Notification | None]
"""What the channel is told of a record; None if nothing. ``CodecError`` for a record that cannot be read."""
Decode = Callable[[Record, str], dict[str, Any]]
"""The data of a record of an event type; ``CodecError``."""


def decider(channel: Channel, catalogue: Catalogue, decode: Decode, namespace: str, names: Names, at_ms: int) -> Decide:
    """What a channel is told of records of the topics that it reads. ``at_ms``: the grants in force then count."""
    wanted = {EVENT_OF[what] for what in channel.part.what}
    schemas = {event_type: catalogue.schemas.newest(event_type).schema for event_type in wanted}
    grants = {topic: catalogue.may_read(channel.department, topic, at_ms) for topic in channel.topics}
    granted = {topic: projection(grant.fields) for topic, grant in grants.items() if grant and grant.fields}

    def decide(record: Record) -> Notification | None:
        event_type = _type_of(record)
        if event_type not in wanted or not is_for(record.headers, channel.group):
            return None
        envelope = from_headers(record.headers)
        if not may_tell(channel, envelope, namespace):
            return None  # before it is decoded: what it may not tell of is none of its dead letters either
        data = decode(record, event_type)
        if record.topic in granted:
            data = granted[record.topic](data)
        shown = to_json(schemas[event_type], data)
        return notification(channel, envelope, data, shown=shown, namespace=namespace, names=names)

    return decide


def asked_again(group: str, decode: Decode, decide: Decide) -> Decide:
    """What a dead letter of ``group`` tells, by what ``decide`` says of the record in it; None for any other letter."""

    def told(record: Record) -> Notification | None:
        if _type_of(record) != TYPE:
            return None
        letter = decode(record, TYPE)
        if letter["group"] != group or letter["truncated"]:
            return None
        inner = Record(
            letter["topic"],
            letter["partition"],
            letter["offset"],
            letter["timestamp"],
            letter["key"],
            letter["value"],
            [(header["name"], header["value"]) for header in letter["headers"]],
        )
        return told(inner) if _type_of(inner) == TYPE else decide(inner)  # given up when it was asked again

    return told


def _type_of(record: Record) -> str:
    """The event type in a record's headers; empty where there is none."""
    return next((value.decode("utf-8", "replace") for name, value in record.headers if name == "ce_type" and value), "")
