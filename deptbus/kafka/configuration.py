"""What every librdkafka client is told: addresses, security, and the choices that hold for all of them."""

import logging
from typing import Any

from deptbus.settings import Settings

Configuration = dict[str, Any]

REPEAT_S = 30.0
"""librdkafka's complaints of one kind by one client are logged once in so many seconds."""


class _Seldom(logging.Filter):
    """Lets one complaint of a kind through per ``REPEAT_S``: a broker that is away is told of ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        kind = record.getMessage().partition("]")[0]
        if record.created - self._told.get(kind, 0.0) < REPEAT_S:
            return False
        if len(self._told) > 1_000:
            self._told.clear()
        self._told[kind] = record.created
        return True


_log = logging.getLogger("deptbus.kafka")
_log.addFilter(_Seldom())
_log.addHandler(logging.NullHandler())  # a command that sets up no logs stays quiet: its sentence tells enough


def client_configuration(settings: Settings) -> Configuration:
    """Addresses and security, shared by producers, consumers and the admin client."""
    configuration: Configuration = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "reconnect.backoff.max.ms": 1_000,
        "logger": _log,
    }
    optional = {
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password and settings.sasl_password.get_secret_value(),
        "ssl.ca.location": settings.ssl_ca_location and str(settings.ssl_ca_location),
        "ssl.certificate.location": settings.ssl_certificate_location and str(settings.ssl_certificate_location),
        "ssl.key.location": settings.ssl_key_location and str(settings.ssl_key_location),
    }
    configuration.update({name: value for name, value in optional.items() if value is not None})
    return configuration


def producer_configuration(settings: Settings) -> Configuration:
    """An idempotent producer that waits for all replicas and places keys where Java clients do."""
    return client_configuration(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",  # as Java; the default puts a fifth of the keys elsewhere
        "compression.type": "lz4",
        "linger.ms": settings.publish_linger_ms,
        "message.max.bytes": PRODUCED_BYTES_MAX,
        "message.timeout.ms": int(settings.publish_timeout_s * 1000),
        "topic.metadata.propagation.max.ms": 5_000,  # then a topic that is not there is an error
        "queue.buffering.max.messages": settings.publish_buffer_max,
        "queue.buffering.max.kbytes": 256 * 1024,
        "statistics.interval.ms": 0,
    }


def reader_configuration(settings: Settings) -> Configuration:
    """A consumer without a group of its own: read_committed, and quick to see what is new."""
    return client_configuration(settings) | {
        "group.id": "unused",  # librdkafka wants one; nothing is committed under it
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,  # tells the position where a log ends in transaction markers
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 50,
        "fetch.queue.backoff.ms": 10,  # 1,000 by default
        "fetch.error.backoff.ms": 100,
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 32 * 1024,
        "statistics.interval.ms": 0,
    }


def consumer_configuration(settings: Settings, group: str) -> Configuration:
    """A member of ``group`` (a physical name) that commits by hand."""
    return reader_configuration(settings) | {
        "group.id": group,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_500,
        "max.poll.interval.ms": 300_000,
        "fetch.wait.max.ms": 500,  # data end the wait; only partitions in which nothing happens are asked less often
    }


PRODUCED_BYTES_MAX = 6_000_000
"""The largest record a client sends, in bytes: above what the largest topic takes (5 MB)."""
