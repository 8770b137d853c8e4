"""The process whose instructions are counted: each work once to warm up, and once between two marks.

A mark is a call of C's ``getloadavg``, which nothing else here makes and which Valgrind is told to wait for.
"""

import gc
import io
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from fastavro import schemaless_reader, schemaless_writer

from deptbus.workflow.partition import Partition
from deptbus.workflow.state import Read
from tests.workflow.world import codec

BATCH = 100


class Given(NamedTuple):
    """What is worked on."""

    values: dict[str, list[bytes]]
    """Framed values by event type."""
    reads: list[Read]
    """A journal; the first entry is its pack's activation."""


REFERENCES = {"encode": "fastavro encode", "decode": "fastavro decode", "advance": "dicts"}
"""What each work is compared with."""
NAMES = tuple(name for pair in REFERENCES.items() for name in pair)
"""All of them, in the order in which they are done."""


def works(given: Given) -> dict[str, Callable[[], None]]:
    """What is counted, by name."""
    known = codec()
    schemas = {kind: known.schema(kind).parsed for kind in given.values}
    framed = [(kind, value) for kind, values in given.values.items() for value in values]
    data = [(kind, known.decode(value)) for kind, value in framed]

    def encode() -> None:
        for kind, one in data:
            known.encode(kind, one)

    def fastavro_encode() -> None:
        for kind, one in data:
            out = io.BytesIO()
            schemaless_writer(out, schemas[kind], one)
            out.getvalue()

    def decode() -> None:
        for kind, value in framed:
            known.decode(value, kind)

    def fastavro_decode() -> None:
        for kind, value in framed:
            schemaless_reader(io.BytesIO(value[5:]), schemas[kind])

    def advance() -> None:
        partition = Partition(0, stepped=True, codec=known)
        for begin in range(0, len(given.reads), BATCH):
            for _ in partition.chunks(given.reads[begin : begin + BATCH]):
                pass

    return dict(zip(NAMES, (encode, fastavro_encode, decode, fastavro_decode, advance, dicts), strict=True))


def dicts() -> None:
    """A fixed work of plain Python on dicts, lists and text, as ``advance`` does."""
    states: dict[str, dict[str, Any]] = {}
    for number in range(20_000):
        state = states.setdefault(f"key/{number % 500}", {"n": 0, "ids": [], "last": None})
        state["n"] += 1
        state["last"] = {"id": number, "at": number * 1000}
        state["ids"] = [*state["ids"][-9:], number]
        sorted(state.items(), key=lambda item: item[0])


def main(path: Path) -> None:
    """Do all works on what was pickled here."""
    given: Given = pickle.loads(path.read_bytes())
    found = works(given)
    for work in found.values():
        work()
    gc.collect()
    gc.disable()
    for work in found.values():
        os.getloadavg()
        work()
    os.getloadavg()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
