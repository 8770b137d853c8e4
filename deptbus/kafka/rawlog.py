"""Reads a log as it lies there: batches of records in bytes, committed ones only. aiokafka carries the requests.

librdkafka hands out an object for each record; what passes millions on unchanged has no use for them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from deptbus.errors import BusError, ClusterUnreachable
from deptbus.kafka.recordbytes import Batch, batches

FETCH_BYTES = 1_000_000
"""In one answer at most, compressed; a larger batch still comes, alone."""
PARTITION_BYTES = 256_000
WAIT_MS = 100
SILENCE_S = 30.0
"""A reader with records before it that gets none for so long gives up."""
_PAUSE_S = 0.1

Partition = tuple[str, int]
"""Physical topic and number."""
Ranges = Mapping[Partition, tuple[int, int]]
"""The first offset, and the one behind the last."""


class Piece(NamedTuple):
    """One batch, and where it lies."""

    topic: str
    partition: int
    batch: Batch


class LogReader:
    """Reads ranges of partitions to their ends. ``pieces`` once, then ``close``."""

    def __init__(self, client: AIOKafkaClient, ranges: Ranges) -> None:
        self._client = client
        self._ends = {where: end for where, (start, end) in ranges.items() if start < end}
        self._at = {where: ranges[where][0] for where in self._ends}
        self._turn = 0

    async def pieces(self) -> AsyncGenerator[list[Piece], None]:
        """What was fetched together: in each partition in order, without markers and what was given up.

        A batch may begin before its range and end after it. The next answer is on its way while one is worked on.
        """
        for topic in {topic for topic, _ in self._ends}:
            await self._client._wait_on_metadata(topic)
        limit = time.monotonic() + SILENCE_S
        asked = self._ask()
        try:
            while asked:
                answers = await asyncio.gather(*asked)
                found = [piece for answer in answers for piece in self._taken(*answer)]
                before = len(self._at), sum(self._at.values())
                for where in [where for where, at in self._at.items() if at >= self._ends[where]]:
                    del self._at[where]
                asked = self._ask()
                if found or before != (len(self._at), sum(self._at.values())):
                    limit = time.monotonic() + SILENCE_S
                elif time.monotonic() > limit:
                    places = ", ".join(f"{topic}[{number}]@{at}" for (topic, number), at in sorted(self._at.items()))
                    raise ClusterUnreachable(
                        f"No record came for {SILENCE_S:.0f} s though there are some: {places}. The broker is away, or "
                        "a batch there cannot be read."
                    )
                yield found
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    def finished(self) -> list[tuple[Partition, int]]:
        """The partitions of which everything was handed on, and their ends."""
        return [(where, end) for where, end in self._ends.items() if where not in self._at]

    def _ask(self) -> "list[asyncio.Task[tuple[FetchRequest, Any]]]":
        """Ask each leader for what comes next; the partitions take turns in being first."""
        by_node: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        wanted = sorted(self._at.items())
        self._turn += 1
        for (topic, number), at in (
            wanted[self._turn % len(wanted) :] + wanted[: self._turn % len(wanted)] if wanted else ()
        ):
            leader = self._client.cluster.leader_for_partition(TopicPartition(topic, number))
            parts = by_node.setdefault(-1 if leader is None else leader, {}).setdefault(topic, [])
            parts.append((number, at, PARTITION_BYTES))
        return [
            asyncio.ensure_future(self._fetch(node, FetchRequest(WAIT_MS, 1, FETCH_BYTES, 1, list(topics.items()))))
            for node, topics in by_node.items()
        ]

    async def _fetch(self, node: int, request: FetchRequest) -> tuple[FetchRequest, Any]:
        """An answer; None, after a pause, where there is none."""
        try:
            if node < 0:
                raise errors.LeaderNotAvailableError
            return request, await self._client.send(node, request)
        except errors.KafkaError:
            await asyncio.sleep(_PAUSE_S)
            await self._client.force_metadata_update()
            return request, None

    def _taken(self, request: FetchRequest, response: Any) -> list[Piece]:
        found: list[Piece] = []
        for topic, parts in response.topics if response is not None else ():
            for number, code, _, *rest in parts:
                if code == 0:
                    aborted = rest[1 if response.API_VERSION == 4 else 2]  # later versions tell where the log starts
                    self._read((topic, number), aborted or [], rest[-1] or b"", found)
                elif not _passes(code):
                    raise _refused(topic, number, self._at[topic, number], code)
        return found

    def _read(self, where: Partition, aborted: list[tuple[int, int]], data: bytes, found: list[Piece]) -> None:
        pending, given_up = sorted(aborted, key=lambda each: each[1]), set[int]()
        end = self._ends[where]
        for batch in batches(data):
            while pending and pending[0][1] <= batch.base:
                given_up.add(pending.pop(0)[0])
            if batch.end <= self._at[where]:
                continue
            if batch.base >= end:
                self._at[where] = end
                return
            if batch.is_control:
                if batch.is_abort:
                    given_up.discard(batch.producer)
            elif batch.size and not (batch.is_transactional and batch.producer in given_up):
                found.append(Piece(*where, batch))
            self._at[where] = batch.end


def _passes(code: int) -> bool:
    """Whether an error is cured by asking again."""
    kind = errors.for_code(code)
    return bool(getattr(kind, "retriable", False) or getattr(kind, "invalid_metadata", False))


def _refused(topic: str, number: int, at: int, code: int) -> BusError:
    if code == errors.OffsetOutOfRangeError.errno:
        return BusError(
            f"{topic}[{number}]@{at} is not there any more: retention has ended it meanwhile. Begin anew with what is."
        )
    return ClusterUnreachable(f"{topic}[{number}]@{at} cannot be read: {errors.for_code(code).__name__}.")
