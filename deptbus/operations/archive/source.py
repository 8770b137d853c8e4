"""Records of a cluster as an archive holds them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from deptbus.kafka.configuration import Configuration
from deptbus.kafka.consumer import read_messages
from deptbus.namespace import Namespace
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.schemas import SchemaBook
from deptbus.operations.stretch import Range

_BOUNDED = {"queued.max.messages.kbytes": 4 * 1024, "max.partition.fetch.bytes": 128 * 1024}
"""What is fetched ahead: a record takes twice its size in memory, and what is fetched is compressed."""


class KafkaSource:
    """One namespace of a cluster. ``book`` tells the fingerprints of schemas; None where nobody asks for them.

    ``wait`` is called before each record.
    """

    def __init__(
        self,
        configuration: Configuration,
        namespace: Namespace,
        book: SchemaBook | None,
        wait: Callable[[], object] | None = None,
    ) -> None:
        self._wait = wait
        self._configuration = configuration | _BOUNDED
        self._namespace = namespace
        self._book = book

    def entries(self, topic: str, ranges: Mapping[int, Range]) -> Iterator[Sequence[tuple[int, Entry]]]:
        """The committed records of some partitions between offsets, with their partitions, many at a time."""
        fingerprint = self._book.fingerprint if self._book else lambda value: None
        physical = self._namespace.physical(topic)
        for messages in read_messages(self._configuration, physical, ranges):
            found = []
            for message in messages:
                if self._wait:
                    self._wait()
                found.append(self._entry(message, fingerprint(message.value())))
            yield found

    @staticmethod
    def _entry(message: Any, fingerprint: str | None) -> tuple[int, Entry]:
        kind, time_ms = message.timestamp()
        return message.partition(), Entry(
            message.offset(), time_ms, kind, message.key(), message.value(), message.headers() or [], fingerprint
        )
