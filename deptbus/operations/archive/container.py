"""Avro object container files, block by block, so that every block's place is known. Pure but for the file at hand."""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import cramjam
import fastavro
import orjson

from deptbus.operations.archive.entry import SCHEMA
from deptbus.operations.archive.varints import read_long, write_long

SYNC_BYTES = 16
CODECS = ("deflate", "zstandard", "null")
"""Deflate is what every Avro library must read; zstandard is quicker and smaller."""
_MAGIC = b"Obj\x01"
_HEADER_BYTES_MAX = 64 * 1024
_DEFLATE_LEVEL = 1
_ZSTANDARD_LEVEL = 3
_HEADER = fastavro.parse_schema(
    {
        "type": "record",
        "name": "header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": SYNC_BYTES}},
        ],
    },
    named_schemas={},
)


class ContainerBroken(Exception):
    """What stands in the file is not what a container holds there; the text says what."""


@dataclass(frozen=True, slots=True)
class Header:
    """How a container file begins."""

    codec: str
    sync: bytes
    length: int
    """The position of the first block."""


def write_header(codec: str, sync: bytes, meta: Mapping[str, str]) -> bytes:
    """The beginning of a file."""
    out = io.BytesIO()
    everything = {"avro.schema": orjson.dumps(SCHEMA).decode(), "avro.codec": codec, **meta}
    content = {name: value.encode() for name, value in everything.items()}
    fastavro.schemaless_writer(out, _HEADER, {"magic": _MAGIC, "meta": content, "sync": sync})
    return out.getvalue()


def read_header(file: BinaryIO) -> Header:
    """The beginning of an open file; ``ContainerBroken``."""
    source = io.BytesIO(file.read(_HEADER_BYTES_MAX))
    try:
        data: Any = fastavro.schemaless_reader(source, _HEADER, None)
        codec = data["meta"]["avro.codec"].decode()
    except Exception:  # all kinds come
        raise ContainerBroken("its header cannot be read") from None
    if data["magic"] != _MAGIC or codec not in CODECS:
        raise ContainerBroken("its header is not one of an archive's files")
    return Header(codec, data["sync"], source.tell())


def write_block(codec: str, sync: bytes, count: int, content: bytes) -> bytes:
    """A block of ``count`` records."""
    packed = _PACK[codec](content)
    return b"".join((write_long(count), write_long(len(packed)), packed, sync))


def read_block(header: Header, block: bytes, expected: int) -> bytes:
    """What the block at hand, with all its bytes, holds; ``ContainerBroken`` where that is not ``expected`` records."""
    packed = _packed(header, block, expected)
    try:
        return _UNPACK[header.codec](packed)
    except Exception:  # zlib's and cramjam's own
        raise ContainerBroken("it cannot be unpacked") from None


def read_what_can_be(header: Header, block: bytes) -> bytes:
    """What can be unpacked from the start of a broken block."""
    try:
        _, position = read_long(block, 0)
        _, position = read_long(block, position)
    except ValueError:
        return b""
    if header.codec != "deflate":
        try:
            return _UNPACK[header.codec](block[position:-SYNC_BYTES])
        except Exception:  # cramjam's own
            return b""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    found = bytearray()
    try:
        for place in range(position, len(block)):
            found += unpacking.decompress(block[place : place + 1])
    except zlib.error:
        pass
    return bytes(found)


def _packed(header: Header, block: bytes, expected: int) -> bytes:
    try:
        count, position = read_long(block, 0)
        length, position = read_long(block, position)
    except ValueError:
        raise ContainerBroken("it is cut off") from None
    if count != expected:
        raise ContainerBroken(f"it says that it has {count} records, not {expected}")
    if position + length + SYNC_BYTES != len(block):
        raise ContainerBroken("its length is not the one in the index")
    if block[-SYNC_BYTES:] != header.sync:
        raise ContainerBroken("its sync marker is not that of the file")
    return block[position:-SYNC_BYTES]


def _deflate(content: bytes) -> bytes:
    packing = zlib.compressobj(_DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


_PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "deflate": _deflate,
    "zstandard": lambda content: bytes(cramjam.zstd.compress(content, _ZSTANDARD_LEVEL)),
    "null": lambda content: content,
}
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "deflate": lambda packed: zlib.decompress(packed, -zlib.MAX_WBITS),
    "zstandard": lambda packed: bytes(cramjam.zstd.decompress(packed)),
    "null": lambda packed: packed,
}
