"""The process whose instructions are counted: each work once to warm up, and once between two marks.

A mark is a call of C's ``getloadavg``, which nothing else here makes and which Valgrind is told to wait for.
"""

import gc
import io
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from functools import partial
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


def names(kinds: Iterable[str]) -> list[str]:
    """What is counted and compared, in its order."""
    return [*(f"{what} {kind}" for kind in kinds for what in ("encode", "decode")), "advance"]


def works(given: Given) -> list[Callable[[], None]]:
    """What is counted, each before the work with which it is compared."""
    pairs = [work for kind, values in given.values.items() for work in (*_encode(kind, values), *_decode(kind, values))]
    return [*pairs, partial(advance, given.reads), dicts]


def _encode(kind: str, values: list[bytes]) -> tuple[Callable[[], None], Callable[[], None]]:
    known = codec()
    schema, events = known.schema(kind).parsed, [known.decode(value) for value in values]

    def ours() -> None:
        for data in events:
            known.encode(kind, data)

    def fastavro() -> None:
        for data in events:
            out = io.BytesIO()
            schemaless_writer(out, schema, data)
            out.getvalue()

    return ours, fastavro


def _decode(kind: str, values: list[bytes]) -> tuple[Callable[[], None], Callable[[], None]]:
    known = codec()
    schema, bodies = known.schema(kind).parsed, [value[5:] for value in values]

    def ours() -> None:
        for value in values:
            known.decode(value, kind)

    def fastavro() -> None:
        for body in bodies:
            schemaless_reader(io.BytesIO(body), schema)

    return ours, fastavro


def advance(reads: list[Read]) -> None:
    """Apply a journal to an empty partition."""
    partition = Partition(0, stepped=True, codec=codec())
    for begin in range(0, len(reads), BATCH):
        for _ in partition.chunks(reads[begin : begin + BATCH]):
            pass


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
    for work in found:
        work()
    gc.collect()
    gc.disable()
    for work in found:
        os.getloadavg()
        work()
    os.getloadavg()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
