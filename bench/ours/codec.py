"""Our side of ``codec``, and where its values come from: the epidemic exercise that ``advance`` plays."""

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bench.ours.advance import Journal
from bench.suite.child import serve
from deptbus.codec import Codec
from deptbus.schemas.codecs import codec_schema, timestamps_as_int
from deptbus.workflow.partition import Partition
from tests.workflow.world import codec, schemas


def spread(journal: Journal, types: Iterable[str], each: int) -> dict[str, list[bytes]]:
    """Values of each type from all over the exercise, framed with the ids of the tests' codec."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for _, entry, _ in journal.reads:
        found["workflow.EntryAppended"].append(codec().encode("workflow.EntryAppended", {"entry": entry}))
        if entry["event"]:
            found[entry["event"]["type"]].append(entry["body"])
    partition = Partition(0, stepped=True, codec=codec())
    for batch in journal.batches():
        for chunk in partition.chunks(batch):
            for output in chunk:
                found[output.type].append(codec().encode(output.type, output.data))
    return {kind: found[kind][:: max(1, len(found[kind]) // each)][:each] for kind in types}


class Ours:
    """A codec with the ids of the run's registry."""

    def sample(self, types: list[str], each: int) -> dict[str, Any]:
        """By event type its schema, self-contained, and the bodies of values."""
        return {
            kind: {
                "schema": timestamps_as_int(schemas().newest(kind).schema),
                "bodies": [value[5:].hex() for value in values],
            }
            for kind, values in spread(Journal(), types, each).items()
        }

    def start(self, sample: dict[str, Any], ids: dict[str, int]) -> None:
        """Take these types, under these ids."""
        self.codec = Codec([codec_schema(kind, 1, ids[kind], sample[kind]["schema"]) for kind in ids])
        self.values = {
            kind: [ids[kind].to_bytes(5, "big") + bytes.fromhex(body) for body in sample[kind]["bodies"]]
            for kind in ids
        }
        self.data = {kind: [self.codec.decode(value) for value in values] for kind, values in self.values.items()}

    def encode(self, kind: str, rounds: int) -> float:
        """Events of one type encoded in a second of CPU time."""
        encode, events = self.codec.encode, self.data[kind] * rounds
        began = time.process_time()
        for data in events:
            encode(kind, data)
        seconds = time.process_time() - began
        assert [encode(kind, data) for data in self.data[kind]] == self.values[kind]
        return len(events) / seconds

    def decode(self, kind: str, rounds: int) -> float:
        """Events of one type decoded in a second of CPU time."""
        decode, values = self.codec.decode, self.values[kind] * rounds
        began = time.process_time()
        for value in values:
            decode(value, kind)
        seconds = time.process_time() - began
        assert [decode(value, kind) for value in self.values[kind]] == self.data[kind]
        return len(values) / seconds


if __name__ == "__main__":
    ours = Ours()
    serve({"sample": ours.sample, "start": ours.start, "encode": ours.encode, "decode": ours.decode})
