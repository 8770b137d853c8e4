"""Reads the activations of an instance off ``government.levels``."""

from collections.abc import Collection, Iterator

from deptbus.desk.reading import Reading
from deptbus.envelope import from_headers
from deptbus.exports.cap.activation import ACTIVATED, CANCELLED, Confirmed
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_topic


def read_confirmed(reading: Reading, instance: str, joined: Collection[str]) -> Iterator[Confirmed]:
    """The activations and cancellations that name the instance, or that it has joined by its rules."""
    topic = reading.settings.world.physical(reading.catalogue.topic_of(ACTIVATED).name)
    for record in read_topic(reader_configuration(reading.settings), topic):
        envelope = from_headers(record.headers)
        belongs = envelope.correlationid == instance or envelope.id in joined
        if belongs and envelope.type in (ACTIVATED, CANCELLED):
            yield Confirmed(envelope.id, envelope.type, envelope.time_ms, envelope.mode, reading.decode(record))
