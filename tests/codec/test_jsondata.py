"""Avro data as JSON for people."""

from typing import Any

from deptbus.jsondata import from_json, to_json

SCHEMA = {
    "type": "record", "name": "R", "namespace": "a",
    "fields": [
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "raw", "type": "bytes"},
        {"name": "parts", "type": {"type": "array", "items": {
            "type": "record", "name": "Part", "namespace": "a",
            "fields": [{"name": "raw", "type": ["null", "bytes"]}]}}},
        {"name": "more", "type": {"type": "map", "values": ["null", "a.Part"]}},
    ],
}  # fmt: skip
DATA: dict[str, Any] = {"at": 0, "raw": b"\xff", "parts": [{"raw": b"a"}, {"raw": None}], "more": {"k": {"raw": b"b"}}}
JSON: dict[str, Any] = {
    "at": "1970-01-01T00:00:00.000Z", "raw": "/w==", "parts": [{"raw": "YQ=="}, {"raw": None}],
    "more": {"k": {"raw": "Yg=="}},
}  # fmt: skip


def test_times_and_bytes_are_text_and_back() -> None:
    assert to_json(SCHEMA, DATA) == JSON
    assert from_json(SCHEMA, JSON) == DATA


def test_what_does_not_fit_is_left_for_the_codec_to_refuse() -> None:
    odd = {"at": "yesterday", "raw": "!", "parts": 5, "unknown": 1}
    assert from_json(SCHEMA, odd) == odd
