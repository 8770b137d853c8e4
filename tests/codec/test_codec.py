"""The codec: what is written is read back, and bytes that nobody vouches for raise nothing but CodecError."""

import contextlib
import struct
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.codec import Codec, RegisteredSchema
from deptbus.errors import CodecError
from deptbus.schemas.codecs import codec_schema

TYPE = "health.Everything"
PERSON = {"type": "record", "name": "Person", "namespace": "health", "fields": [
    {"name": "name", "type": "string"}, {"name": "age", "type": "int"},
]}  # fmt: skip
SCHEMA = {
    "type": "record", "name": "Everything", "namespace": "health",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "large", "type": "long"},
        {"name": "ratio", "type": "double"},
        {"name": "text", "type": "string"},
        {"name": "raw", "type": "bytes"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "level", "type": {"type": "enum", "name": "Level", "symbols": ["I", "II", "III", "IV"]}},
        {"name": "code", "type": {"type": "fixed", "name": "Code", "size": 4}},
        {"name": "person", "type": ["null", PERSON], "default": None},
        {"name": "others", "type": {"type": "array", "items": "health.Person"}, "default": []},
        {"name": "counts", "type": {"type": "map", "values": "long"}, "default": {}},
        {"name": "choice", "type": ["null", "long", "string"], "default": None},
    ],
}  # fmt: skip

LONG = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(max_size=20)
PEOPLE = st.fixed_dictionaries({"name": TEXT, "age": st.integers(-(2**31), 2**31 - 1)})
DATA = st.fixed_dictionaries({
    "flag": st.booleans(), "small": st.integers(-(2**31), 2**31 - 1), "large": LONG,
    "ratio": st.floats(allow_nan=False), "text": TEXT, "raw": st.binary(max_size=20),
    "at": LONG, "level": st.sampled_from(["I", "II", "III", "IV"]), "code": st.binary(min_size=4, max_size=4),
    "person": st.none() | PEOPLE, "others": st.lists(PEOPLE, max_size=3),
    "counts": st.dictionaries(TEXT, LONG, max_size=3), "choice": st.none() | LONG | TEXT,
})  # fmt: skip


def codec(**options: Any) -> Codec:
    return Codec([codec_schema(TYPE, 1, 7, SCHEMA)], **options)


CODEC = codec()


def decode_or_codec_error(value: bytes) -> None:
    """Whatever the bytes are, no other error comes out."""
    with contextlib.suppress(CodecError):
        CODEC.decode(value, TYPE)


@given(DATA)
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    value = CODEC.encode(TYPE, data)
    assert value[:5] == struct.pack(">bI", 0, 7)
    assert CODEC.decode(value, TYPE) == data


@given(DATA, st.data())
def test_truncated_values_are_refused(data: dict[str, Any], draw: st.DataObject) -> None:
    value = CODEC.encode(TYPE, data)
    cut = draw.draw(st.integers(0, len(value) - 1))
    with pytest.raises(CodecError):
        CODEC.decode(value[:cut], TYPE)


@given(DATA, st.data())
@settings(max_examples=300)
def test_flipped_bits_raise_nothing_else(data: dict[str, Any], draw: st.DataObject) -> None:
    value = bytearray(CODEC.encode(TYPE, data))
    for _ in range(draw.draw(st.integers(1, 3))):
        bit = draw.draw(st.integers(0, len(value) * 8 - 1))
        value[bit // 8] ^= 1 << bit % 8
    decode_or_codec_error(bytes(value))


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_random_bytes_raise_nothing_else(body: bytes) -> None:
    decode_or_codec_error(b"\x00\x00\x00\x00\x07" + body)
    decode_or_codec_error(body)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "framing"),
        (b"", "framing"),
        (b"\x00\x00\x00", "framing"),
        (b"\x01\x00\x00\x00\x07abc", "bad_magic"),
        (b"\x00\x00\x00\x00\x08abc", "unknown_schema"),
        (b"\x00\x00\x00\x00\x07", "undecodable"),
    ],
)
def test_each_fault_has_its_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode(value, TYPE)
    assert caught.value.reason == reason


def test_a_value_of_another_type_than_the_envelope_says_is_refused() -> None:
    with pytest.raises(CodecError, match=r"the envelope says cdc\.Other") as caught:
        CODEC.decode(b"\x00\x00\x00\x00\x07", "cdc.Other")
    assert caught.value.reason == "wrong_type"


def small(schema: dict[str, Any], event_type: str = "a.B", version: int = 1, number: int = 1) -> RegisteredSchema:
    return RegisteredSchema(number, event_type, version, fastavro.parse_schema(schema, named_schemas={}))


def record(*fields: dict[str, Any], name: str = "B") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "a", "fields": list(fields)}


def test_sizes_are_bounded_both_ways_and_per_type() -> None:
    schema = small(record({"name": "x", "type": "bytes"}))
    strict, wide = Codec([schema], 100), Codec([schema], 100, {"a.B": 1000})
    value = wide.encode("a.B", {"x": b"x" * 500})
    assert wide.decode(value) == {"x": b"x" * 500}
    for attempt in (lambda: strict.encode("a.B", {"x": b"x" * 500}), lambda: strict.decode(value)):
        with pytest.raises(CodecError) as caught:
            attempt()
        assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    "field",
    [
        {"type": "array", "items": "null"},
        {"type": "array", "items": {"type": "fixed", "name": "Nothing", "size": 0}},
        {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}},
        ["null", "a.B"],
        {"type": "array", "items": "a.B"},
        {"type": "map", "values": ["null", {"type": "record", "name": "C", "fields": [{"name": "d", "type": "a.B"}]}]},
    ],
)
def test_schemas_under_which_few_bytes_ask_for_endless_memory_or_depth_are_refused(field: Any) -> None:
    with pytest.raises(CodecError) as caught:
        Codec([small(record({"name": "x", "type": field}))])
    assert caught.value.reason == "unsafe_schema"


def test_an_older_version_is_read_as_the_newest() -> None:
    first = small(record({"name": "x", "type": "int"}), number=1)
    second = small(
        record({"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 5}), version=2, number=2
    )
    old, new = Codec([first]), Codec([first, second])
    assert new.decode(old.encode("a.B", {"x": 1})) == {"x": 1, "y": 5}
    assert new.encode("a.B", {"x": 1})[:5] == b"\x00\x00\x00\x00\x02"
    assert not old.knows(2)
    old.add(second)
    assert old.decode(new.encode("a.B", {"x": 1, "y": 2})) == {"x": 1}
    assert old.encode("a.B", {"x": 1})[:5] == b"\x00\x00\x00\x00\x01"
