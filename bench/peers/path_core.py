"""The pure core as a program without our workers would use it: records in, keys, values and headers out.

The same Correlator, Partition and codec, and the same headers as our workers write, made as directly as by hand.
"""

import gc
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bench.suite.processes import ROOT
from deptbus.clock import iso
from deptbus.codec import Codec
from deptbus.envelope import from_headers
from deptbus.ids import derived_id
from deptbus.record import Record
from deptbus.schemas.codecs import codec_schemas
from deptbus.schemas.store import load_schemas
from deptbus.workflow.correlate import Correlator
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.partition import Partition

VALUE_BYTES_MAX = 5_000_000
GARBAGE_AFTER = (50_000, 20, 100)
"""As our workers have it; with Python's own, states cost every peer a half more."""
APPENDED = "workflow.EntryAppended"
_HEAD = [("ce_specversion", b"1.0"), ("content-type", b"application/avro")]
Headers = list[tuple[str, bytes]]


@contextmanager
def ended_by_errors() -> Iterator[None]:
    """An error ends the process, wherever it is raised: whoever measures sees that."""
    try:
        yield
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class Out(NamedTuple):
    """A record to write."""

    topic: str
    """The logical name."""
    key: bytes
    value: bytes
    headers: Headers


class Core:
    """One pack's correlator, and the partitions of the journal."""

    def __init__(self, pack: str, ids: list[tuple[str, int, int]]) -> None:
        """``pack``: its bytes, in hexadecimal digits; ``ids``: type, version and registry id of every schema."""
        gc.set_threshold(*GARBAGE_AFTER)
        known = {(event_type, version): schema_id for event_type, version, schema_id in ids}
        self.codec = Codec(codec_schemas(load_schemas(ROOT), known), VALUE_BYTES_MAX)
        self._correlator = Correlator([Pack.from_bytes(bytes.fromhex(pack))])
        self.partitions: dict[int, Partition] = {}
        self._fixed: dict[str, Headers] = {}

    def correlate(self, record: Record) -> list[Out]:
        """The journal entries of one event of a department."""
        envelope = from_headers(record.headers)
        if envelope.type not in self._correlator.event_types:
            return []
        data = self.codec.decode(record.value, envelope.type)
        outs = []
        for key, entry in self._correlator.entries(envelope, data, record, record.timestamp_ms):
            assert key is not None, "the load has no rule that goes to every partition"
            rule = f"{entry['pack']}/{entry['rule']}/{key}"
            digits = (event_id := derived_id(envelope.id, "correlate", APPENDED, rule)).replace("-", "")
            trace = envelope.traceparent.split("-")[1] if envelope.traceparent else digits
            headers = [
                *self._head(APPENDED, b"/bus/correlate"), ("ce_id", event_id.encode()),
                ("ce_time", iso(record.timestamp_ms).encode()), ("ce_subject", key.encode()),
                ("ce_causationid", envelope.id.encode()), ("ce_region", (envelope.region or "").encode()),
                ("ce_classification", b"internal"), ("ce_traceparent", f"00-{trace}-{digits[16:]}-01".encode()),
            ]  # fmt: skip
            outs.append(Out("workflow.journal", key.encode(), self.codec.encode(APPENDED, {"entry": entry}), headers))
        return outs

    def advance(self, number: int, records: list[tuple[int, bytes]]) -> list[Output]:
        """What consecutive entries (offset, value) of a partition of the journal put out."""
        decode = self.codec.decode
        reads = []
        for offset, value in records:
            entry = decode(value, APPENDED)["entry"]
            body = None
            if entry["event"] is not None and entry["body"] is not None:
                body = decode(entry["body"], entry["event"]["type"])
            reads.append((offset, entry, body))
        partition = self.partitions.get(number)
        if partition is None:
            partition = Partition(number, stepped=False, codec=self.codec)
            self.partitions[number] = partition
        return [output for chunk in partition.chunks(reads) for output in chunk]

    def written(self, output: Output) -> Out:
        """An output as the record that our workers write."""
        headers = [
            *self._head(output.type, b"/bus/advance"),
            ("ce_id", output.id.encode()),
            ("ce_time", iso(output.time_ms).encode()),
        ]
        for name, value in (
            ("ce_subject", output.subject), ("ce_correlationid", output.correlationid),
            ("ce_causationid", output.causationid), ("ce_legalbasis", output.legalbasis), ("ce_region", output.region),
        ):  # fmt: skip
            if value is not None:
                headers.append((name, value.encode()))
        return Out(output.topic, output.key.encode(), output.value(self.codec.encode), headers)

    def _head(self, event_type: str, source: bytes) -> Headers:
        head = self._fixed.get(event_type)
        if head is None:
            schema = f"urn:deptbus:{event_type}:v{self.codec.schema(event_type).version}".encode()
            head = self._fixed[event_type] = [
                *_HEAD, ("ce_type", event_type.encode()), ("ce_source", source), ("ce_mode", b"actual"),
                ("ce_dataschema", schema),
            ]  # fmt: skip
        return head
