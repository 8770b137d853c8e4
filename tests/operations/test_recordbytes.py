"""Record batches in bytes: what is cut and joined is what aiokafka reads, header for header."""

from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.recordbytes import (
    Outgoing,
    assembled,
    batches,
    has_header,
    header,
    headers_of,
    key_and_value,
    spans,
    value_of,
)

EXTRA = ("ce_replayid", "0195a1b2-0000-7000-8000-000000000000")
FIRST = ("ce_redrivenfor", "cdc")
START = 1_579_536_000_000
APPEND_TIME = 0x08

texts = st.text(max_size=20)
blobs = st.binary(max_size=300)
records = st.lists(
    st.tuples(
        st.none() | blobs,
        st.none() | blobs | st.just(b"x" * 9_000) | st.just(b"y" * 20_000),
        st.lists(st.tuples(texts, blobs), max_size=4) | st.lists(st.tuples(texts, blobs), min_size=61, max_size=70),
        st.integers(0, 100_000),
    ),
    min_size=1,
    max_size=12,
)
Records = list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]], int]]


def wellformed(headers: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    return [(name, value.decode()) for name, value in headers if value.isascii()]


def written(given: Records, codec: int, base: int = 0, attributes: int = 0) -> bytes:
    """A batch as a broker would hand it out."""
    builder = DefaultRecordBatchBuilder(
        2, codec, is_transactional=0, producer_id=7, producer_epoch=0, base_sequence=0, batch_size=10_000_000
    )
    for number, (key, value, headers, later) in enumerate(given):
        builder.append(number, START + later, key, value, headers)
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    if attributes:
        from aiokafka.record.util import calc_crc32c  # noqa: PLC0415

        data[22] |= attributes
        data[17:21] = calc_crc32c(data[21:]).to_bytes(4, "big")
    return bytes(data)


def read(data: bytes) -> list[Any]:
    return list(DefaultRecordBatch(bytearray(data)))


@settings(max_examples=50)
@given(records, st.sampled_from([0, 1, 2, 3, 4]), st.booleans())
def test_a_batch_passes_on_with_one_header_more(given: Records, codec: int, by_broker: bool) -> None:
    (batch,) = batches(written(given, codec, 17, APPEND_TIME if by_broker else 0))
    out = Outgoing(header(*EXTRA), header(*FIRST) if by_broker else b"")
    before = [(FIRST[0], FIRST[1].encode())] if by_broker else []
    out.take(batch, batch.records())
    out.take(batch, batch.records())  # two batches become one
    found = read(assembled(*_ready(out)))
    assert [(one.key, one.value, one.headers) for one in found] == [
        (key, value, [*before, *headers, (EXTRA[0], EXTRA[1].encode())]) for key, value, headers, _ in [*given, *given]
    ]
    latest = START + max(later for *_, later in given)
    times = [latest if by_broker else START + later for *_, later in [*given, *given]]
    assert [one.timestamp for one in found] == times
    assert [one.offset for one in found] == list(range(2 * len(given)))


@settings(max_examples=50)
@given(records, st.data())
def test_single_records_pass_on_like_whole_batches(given: Records, data: st.DataObject) -> None:
    (batch,) = batches(written(given, 3))
    content = batch.records()
    kept = [span for span in spans(content, batch.size) if data.draw(st.booleans())]
    out = Outgoing(header(*EXTRA))
    for span in kept:
        out.add(content, span, batch.first_ms + span.time_delta)
    chosen = [given[span.offset_delta] for span in kept]
    assert out.count == len(kept)
    if kept:
        found = read(assembled(*_ready(out)))
        assert [(one.key, one.value, one.timestamp) for one in found] == [
            (key, value, START + later) for key, value, _, later in chosen
        ]


@settings(max_examples=50)
@given(records)
def test_keys_values_and_headers_are_found_in_the_bytes(given: Records) -> None:
    (batch,) = batches(written(given, 3))
    content = batch.records()
    for span, (key, value, headers, later) in zip(spans(content, batch.size), given, strict=True):
        assert (*key_and_value(content, span), headers_of(content, span)) == (key, value, headers)
        assert value_of(content, span) == value
        assert batch.first_ms + span.time_delta == START + later
        assert all(
            has_header(content, span, content.find(header(*one), span.headers)) for one in wellformed(headers)[:1]
        )


def test_a_part_of_a_log_that_is_cut_off_gives_whole_batches_only() -> None:
    one, two = written([(b"k", b"v", [], 0)], 0), written([(b"k", b"w", [], 1)], 0, base=1)
    assert [batch.base for batch in batches(one + two)] == [0, 1]
    assert [batch.base for batch in batches((one + two)[:-1])] == [0]
    assert list(batches(one[:10])) == []


def test_a_damaged_batch_is_told_with_its_offset() -> None:
    data = bytearray(written([(b"k", b"v", [], 0)], 0, base=42))
    data[-1] ^= 1
    with pytest.raises(ClusterUnreachable, match="offset 42 is damaged"):
        list(batches(bytes(data)))


def _ready(out: Outgoing) -> tuple[bytes, int, int, int, tuple[int, int, int]]:
    count = out.count
    payload, first_ms, latest_ms = out.finish()
    return payload, count, first_ms, latest_ms, (1, 0, 0)


def test_what_looks_like_a_header_inside_another_is_none() -> None:
    inside = header("ce_type", "a.B")
    (batch,) = batches(written([(b"k", b"v", [("note", inside), ("ce_type", b"c.D")], 0)], 0))
    content = batch.records()
    (span,) = spans(content, 1)
    assert not has_header(content, span, content.find(inside, span.headers))
    assert has_header(content, span, content.find(header("ce_type", "c.D"), span.headers))
