"""Record batches as they lie in a log (magic 2), read and written without making an object of each record. Pure.

A replay passes records on as they are with one header more. Their bytes are therefore cut and joined: the length, the
times and the number of headers are written anew, everything else is copied. The format is Kafka's:

    record: length, attributes, time delta, offset delta, key length, key, value length, value, header count, headers

all numbers but the attributes being zigzag varints.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cramjam
from aiokafka.codec import gzip_decode, snappy_decode
from aiokafka.record.util import calc_crc32c

from deptbus.errors import ClusterUnreachable

_HEAD = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and latest time, the
producer's id and epoch, base sequence, count."""
_AFTER_LENGTH = 12
"""The length counts what follows it."""
_CHECKED_FROM = 21
"""The checksum is of everything from the attributes on."""
_CODEC, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_LZ4 = 3
_LEVEL = 0
"""Of compression: higher ones take several times as long and save little."""
_MANY = 16_384
"""Numbers below are kept written."""

BATCH_BYTES = 900_000
"""A batch on its way out is closed at so many bytes before compression: below what a topic takes by default."""


class Batch(NamedTuple):
    """Consecutive records of one partition."""

    base: int
    end: int
    """The offset behind the last record; after compaction there are fewer records than offsets."""
    size: int
    """How many records."""
    attributes: int
    first_ms: int
    latest_ms: int
    """By a log with append times that of every record."""
    producer: int
    payload: memoryview

    @property
    def is_control(self) -> bool:
        """Whether it is a transaction's marker, of which no reader is told."""
        return bool(self.attributes & _CONTROL)

    @property
    def is_transactional(self) -> bool:
        """Whether it counts only when its transaction is committed."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def is_abort(self) -> bool:
        """Of a marker: whether it gives the transaction up."""
        content = self.records()
        key, _ = key_and_value(content, next(spans(content, 1)))
        return key is not None and key[2:4] == b"\x00\x00"  # behind the version

    @property
    def time_ms(self) -> int | None:
        """The time of all records, where the broker gave it."""
        return self.latest_ms if self.attributes & _APPEND_TIME else None

    def records(self) -> bytes:
        """The records' bytes, decompressed."""
        return _DECODERS[self.attributes & _CODEC](self.payload)


def _lz4(payload: memoryview) -> bytes:
    return bytes(cramjam.lz4.decompress(payload))


_DECODERS: dict[int, Callable[[memoryview], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: lambda payload: snappy_decode(bytes(payload)),
    3: _lz4,
    4: lambda payload: bytes(cramjam.zstd.decompress(payload)),
}


def batches(data: bytes) -> Iterator[Batch]:
    """The batches in a fetched part of a log; the last one, which may be cut off, is left out."""
    view, at = memoryview(data), 0
    while at + _HEAD.size <= len(view):
        base, length, _, magic, checksum, attributes, last, first_ms, latest_ms, producer, _, _, count = (
            _HEAD.unpack_from(view, at)
        )
        end = at + _AFTER_LENGTH + length
        if magic != 2:
            raise ClusterUnreachable(
                f"Records of an old format (magic {magic}) lie at offset {base}; convert them first."
            )
        if end > len(view):
            return
        if calc_crc32c(view[at + _CHECKED_FROM : end]) != checksum:
            raise ClusterUnreachable(f"The batch at offset {base} is damaged: its checksum is wrong.")
        yield Batch(
            base, base + last + 1, count, attributes, first_ms, latest_ms, producer, view[at + _HEAD.size : end]
        )
        at = end


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint, and where what follows begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def written(value: int) -> bytes:
    """A number as a zigzag varint."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


_WRITTEN = [written(number) for number in range(_MANY)]


def header(name: str, value: str) -> bytes:
    """A header as it stands in a record."""
    one, other = name.encode(), value.encode()
    return written(len(one)) + one + written(len(other)) + other


class Span(NamedTuple):
    """Where the parts of one record lie in its batch's bytes."""

    offset_delta: int
    time_delta: int
    key: int
    """The key's length."""
    headers: int
    """The number of headers."""
    end: int


def spans(data: bytes, count: int) -> Iterator[Span]:  # noqa: PLR0912  # as Outgoing.take
    """The records of a batch, one after the other. Numbers of one byte, or of two, are read on the spot."""
    at = 0
    for _ in range(count):
        length = data[at]
        at += 1
        if length > 127:
            length, at = varint(data, at - 1)
            end = at + length
        else:
            end = at + (length >> 1)
        time_delta = data[at + 1]
        at += 2
        if time_delta > 127:
            time_delta, at = varint(data, at - 1)
        else:
            time_delta = (time_delta >> 1) ^ -(time_delta & 1)
        offset_delta = data[at]
        at += 1
        if offset_delta > 127:
            second = data[at]
            if second > 127:
                offset_delta, at = varint(data, at - 1)
            else:
                offset_delta, at = (offset_delta & 127 | second << 7) >> 1, at + 1
        else:
            offset_delta >>= 1
        key = at
        for _part in ("key", "value"):
            length = data[at]
            at += 1
            if length > 127:
                second = data[at]
                if second > 127:
                    length, at = varint(data, at - 1)
                    at += length
                else:
                    at += 1 + ((length & 127 | second << 7) >> 1)
            elif length != 1:  # which is -1: none
                at += length >> 1
        yield Span(offset_delta, time_delta, key, at, end)
        at = end


def key_and_value(data: bytes, span: Span) -> tuple[bytes | None, bytes | None]:
    """What a record holds."""
    length, at = varint(data, span.key)
    key = None if length < 0 else data[at : at + length]
    length, at = varint(data, at + max(0, length))
    return key, None if length < 0 else data[at : at + length]


def headers_of(data: bytes, span: Span) -> list[tuple[str, bytes]]:
    """A record's headers; one without a value counts as empty."""
    count, at = varint(data, span.headers)
    found = []
    for _ in range(count):
        length, at = varint(data, at)
        name = data[at : at + length].decode(errors="replace")
        size, at = varint(data, at + length)
        found.append((name, data[at : at + max(0, size)]))
        at += max(0, size)
    return found


def value_of(data: bytes, span: Span) -> bytes | None:
    """A record's value alone."""
    length = data[span.key]
    at = span.key + 1
    if length > 127:
        length, at = varint(data, span.key)
        at += length
    elif length != 1:
        at += length >> 1
    length, at = varint(data, at)
    return None if length < 0 else data[at : at + length]


def has_header(data: bytes, span: Span, found: int) -> bool:
    """Whether a header begins where its bytes were found, so that they are not a part of another's value."""
    count, at = varint(data, span.headers)
    for _ in range(count):
        if at >= found:
            return at == found
        length, at = varint(data, at)
        size, at = varint(data, at + length)
        at += max(0, size)
    return False


class Outgoing:
    """Records of one partition on their way into one batch, each with ``extra`` as its last header.

    ``before`` is a header that becomes their first, where there is one.
    """

    def __init__(self, extra: bytes, before: bytes = b"") -> None:
        self._extra, self._before = extra, before
        self._added = 2 if before else 1
        # By the byte in which a record's number of headers is written: what stands there then, and what follows.
        self._marks = [written(number // 2 + self._added) + before for number in range(126)]
        # Behind each record the header, before it the next one's length: one piece for both.
        self._joints = [extra + _WRITTEN[length] for length in range(_MANY)]
        self.begin()

    def begin(self) -> None:
        """Start an empty batch."""
        self._parts: list[bytes] = []
        self._first_ms = self._latest_ms = 0
        self.count = 0
        self.bytes = 0

    def take(self, batch: Batch, data: bytes) -> None:  # noqa: PLR0912, PLR0915  # a call for each record costs more than all of this
        """Add a whole batch of source records."""
        time_ms = batch.time_ms
        if time_ms is None:
            for span in spans(data, batch.size):
                self.add(data, span, batch.first_ms + span.time_delta)
            return
        if not self.count:
            self._first_ms = time_ms
        self._latest_ms = max(self._latest_ms, time_ms)
        begins = b"\x00" + written(time_ms - self._first_ms)  # no attributes, the time
        fixed, more = len(begins), len(self._extra)
        joints, numbers, marks, add = self._joints, _WRITTEN, self._marks, self._parts.append
        index, at = self.count, 0
        for index in range(self.count, self.count + batch.size):
            length = data[at]
            at += 1
            if length > 127:
                second = data[at]
                at += 1
                length = length & 127 | second << 7
                if second > 127:
                    length, at = varint(data, at - 2)
                    length <<= 1
            end = at + (length >> 1)
            at += 1  # attributes
            while data[at] > 127:  # the time
                at += 1
            at += 1
            while data[at] > 127:  # the offset
                at += 1
            key = at = at + 1
            length = data[at]
            at += 1
            if length > 127:
                length, at = varint(data, at - 1)
                at += length
            elif length != 1:  # which is -1: none
                at += length >> 1
            length = data[at]
            at += 1
            if length > 127:
                second = data[at]
                at += 1
                if second > 127:
                    length, at = varint(data, at - 2)
                    at += length
                else:
                    at += (length & 127 | second << 7) >> 1
            elif length != 1:
                at += length >> 1
            number = numbers[index] if index < _MANY else written(index)
            headers = data[at]
            if headers > 125:  # so many that their number takes another byte
                count, after = varint(data, at)
                mark = written(count + self._added) + self._before
            else:
                mark, after = marks[headers], at + 1
            size = fixed + len(number) + at - key + len(mark) + end - after + more
            add(joints[size] if size < _MANY else self._joint(size))
            add(begins)
            add(number)
            add(data[key:at])
            add(mark)
            add(data[after:end])
            at = end
        self.count += batch.size
        self.bytes += len(data) + batch.size * (more + len(self._before) + 2)

    def add(self, data: bytes, span: Span, time_ms: int) -> None:
        """Add one record."""
        if not self.count:
            self._first_ms = self._latest_ms = time_ms
        elif time_ms > self._latest_ms:
            self._latest_ms = time_ms
        _, _, key, at, end = span
        headers = data[at]
        if headers > 125:
            count, after = varint(data, at)
            mark = written(count + self._added) + self._before
        else:
            mark, after = self._marks[headers], at + 1
        delta, count = time_ms - self._first_ms, self.count
        begins = b"\x00" + (_WRITTEN[delta] if 0 <= delta < _MANY else written(delta))
        number = _WRITTEN[count] if count < _MANY else written(count)
        size = len(begins) + len(number) + at - key + len(mark) + end - after + len(self._extra)
        self._parts += (self._joint(size), begins, number, data[key:at], mark, data[after:end])
        self.count += 1
        self.bytes += size + 3

    def finish(self) -> tuple[bytes, int, int]:
        """The records, compressed, their first and latest time; the next batch begins."""
        self._parts[0] = self._parts[0][len(self._extra) :]  # before the first there is no record
        self._parts.append(self._extra)
        compressor = cramjam.lz4.Compressor(level=_LEVEL, content_checksum=False, block_linked=False)
        compressor.compress(b"".join(self._parts))
        found = bytes(compressor.finish()), self._first_ms, self._latest_ms
        self.begin()
        return found

    def _joint(self, size: int) -> bytes:
        return self._joints[size] if size < _MANY else self._extra + written(size)


def assembled(payload: bytes, count: int, first_ms: int, latest_ms: int, producer: tuple[int, int, int]) -> bytearray:
    """A batch as it is sent, in a transaction; ``producer`` is its id, epoch and the sequence of the first record."""
    found = bytearray(_HEAD.size + len(payload))
    _HEAD.pack_into(
        found, 0, 0, len(found) - _AFTER_LENGTH, -1, 2, 0, _LZ4 | _TRANSACTIONAL, count - 1, first_ms, latest_ms,
        *producer, count,
    )  # fmt: skip
    found[_HEAD.size :] = payload
    struct.pack_into(">I", found, _CHECKED_FROM - 4, calc_crc32c(found[_CHECKED_FROM:]))
    return found
