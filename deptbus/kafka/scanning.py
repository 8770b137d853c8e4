"""Goes through ranges of a log record by record, in bytes, without making an object of each."""

import asyncio
from collections.abc import Callable

from aiokafka import errors
from aiokafka.client import AIOKafkaClient

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.rawlog import LogReader, Ranges
from deptbus.kafka.recordbytes import Batch, Span, spans
from deptbus.kafka.security import connection
from deptbus.settings import Settings

Visit = Callable[[str, int, Batch, bytes, Span], None]
"""Physical topic, partition, the batch, its records' bytes, and where the record lies in them."""


def scan(settings: Settings, ranges: Ranges, visit: Visit, watch: Callable[[int], None] = lambda offsets: None) -> None:
    """Show every committed record of the ranges to ``visit``, those of a partition in order.

    ``watch`` is told now and then how many offsets are done with. ``ClusterUnreachable``.
    """
    try:
        asyncio.run(_scan(settings, ranges, visit, watch))
    except errors.KafkaError as error:
        raise ClusterUnreachable(f"The log cannot be read: {type(error).__name__}: {error}") from error


async def _scan(settings: Settings, ranges: Ranges, visit: Visit, watch: Callable[[int], None]) -> None:
    client = AIOKafkaClient(**connection(settings))
    try:
        await client.bootstrap()
        done = 0
        async for found in LogReader(client, ranges).pieces():
            for topic, partition, batch in found:
                start, end = ranges[topic, partition]
                data = batch.records()
                for span in spans(data, batch.size):
                    if start <= batch.base + span.offset_delta < end:
                        visit(topic, partition, batch, data, span)
                done += min(batch.end, end) - max(batch.base, start)
            watch(done)
    finally:
        await client.close()
