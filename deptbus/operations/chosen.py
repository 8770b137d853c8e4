"""Which records are meant, told from their bytes as a log holds them: for those who look at millions."""

from collections.abc import Callable, Mapping

from deptbus.envelope import from_headers
from deptbus.errors import CodecError
from deptbus.kafka.recordbytes import Batch, Span, has_header, header, headers_of, value_of
from deptbus.operations.filters import Filter

Decode = Callable[[bytes | None, str], Mapping[str, object]]
"""The data in a value, by its event type; ``CodecError``."""


class Chosen:
    """Applies a filter to records in bytes: first a search for the type, then the headers, then the value.

    What cannot be decoded is left out where fields are asked for, and counted.
    """

    def __init__(self, filter_: Filter, decode: Decode) -> None:
        self._filter = filter_
        self._decode = decode
        self._types = [(name, header("ce_type", name)) for name in sorted(filter_.types)]
        self._by_type_alone = bool(filter_.types) and filter_ == Filter(types=filter_.types, where=filter_.where)
        """Whether no other header says anything."""
        self.undecodable = 0

    def chosen(self, topic: str, partition: int, batch: Batch, data: bytes, span: Span) -> bool:
        """Whether a record is meant."""
        kind, at = self._typed(data, span)
        if self._types and at < 0:
            return False
        if self._by_type_alone:
            return (not self._filter.where or self._fits(data, span, kind)) and has_header(data, span, at)
        try:
            envelope = from_headers(headers_of(data, span))
        except CodecError:
            return False
        if not self._filter.envelope(envelope):
            return False
        return not self._filter.where or self._fits(data, span, envelope.type)

    def _typed(self, data: bytes, span: Span) -> tuple[str, int]:
        """The type that is meant and whose header's bytes are found first, and where; -1 for none."""
        for kind, written in self._types:
            at = data.find(written, span.headers, span.end)
            if at >= 0:
                return kind, at
        return "", -1

    def _fits(self, data: bytes, span: Span, kind: str) -> bool:
        try:
            return self._filter.data(self._decode(value_of(data, span), kind))
        except CodecError:
            self.undecodable += 1
            return False


def undecoded(value: bytes | None, event_type: str) -> Mapping[str, object]:
    """The decoding for a filter that asks for no field."""
    return {}
