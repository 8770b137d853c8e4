"""How long ``deptbus trace`` takes to find an event among 1 million and to tell its chain.

The events stand on seven topics in chains of ten: a report, its entry in the journal, what a workflow asks for and
records, and answers. Only their headers count; all have them whole. Measured are the first index of everything, traces
afterwards (of events drawn by seed, each with its causes and effects), traces before each of which 1,000 new events
were written, and the whole command as a person runs it. The bound is the command's, once there is an index; the first
trace reads everything besides, which is told.
"""

import random
import subprocess
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from confluent_kafka import Producer

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed
from bench.suite.world import World
from deptbus.clock import iso
from deptbus.ids import derived_id, random_id
from deptbus.kafka.configuration import producer_configuration
from deptbus.operations.lineage.index import Index
from deptbus.operations.lineage.indexing import Indexer
from deptbus.operations.lineage.tracing import Tracing

COMMAND = Bound("trace of an event among 1 million, the whole command", 5, at_most=True, unit="s")
BOUNDS = (COMMAND,)

SEED = 7
NEW = 1_000
_AT_MS = 1_580_000_000_000
_VALUE = b"\0\0\0\0\1" + b"x" * 295
_TASKS, _EVENTS, _TIMELINE, _JOURNAL = "workflow.tasks", "workflow.events", "workflow.timeline", "workflow.journal"
_TOPICS = ("health.cases", "health.tasks", "cdc.verifications", _TASKS, _EVENTS, _TIMELINE, _JOURNAL)


class Written(NamedTuple):
    """One event of a chain: its topic, type, source, and which of the chain before it is its cause."""

    topic: str
    type: str
    source: str
    cause: int | None


_CHAIN = (
    Written("health.cases", "health.CasesConfirmed", "/departments/health", None),
    Written(_JOURNAL, "workflow.EntryAppended", "/bus/correlate", 0),
    Written(_EVENTS, "workflow.InstanceOpened", "/bus/advance", 0),
    Written(_TASKS, "workflow.TaskRequested", "/bus/advance", 0),
    Written(_TIMELINE, "workflow.TimelineRecorded", "/bus/advance", 0),
    Written("health.tasks", "health.TaskAnswered", "/departments/health", 3),
    Written(_JOURNAL, "workflow.EntryAppended", "/bus/correlate", 5),
    Written(_TIMELINE, "workflow.TimelineRecorded", "/bus/advance", 5),
    Written("cdc.verifications", "cdc.CaseConfirmed", "/departments/cdc", 3),
    Written(_TIMELINE, "workflow.TimelineRecorded", "/bus/advance", 8),
)


def measure(bench: Bench) -> Iterable[Result]:
    """About 3 minutes; quick, of 100,000 events."""
    count = bench.of(1_000_000, 50_000)
    world = World(bench, "bench-trace", (*_TOPICS, "bus.deadletters"))
    source = _Source(world)
    bench.say(f"writing {count:,} events")
    ids = source.write(count)
    with TemporaryDirectory() as folder:
        settings = world.settings.model_copy(update={"run_dir": Path(folder)})
        began = time.perf_counter()
        Indexer(settings).bring_up_to_date()
        first_s = time.perf_counter() - began
        indexer = Indexer(settings)
        index = Index(indexer.path)
        if index.count() != count:
            raise MeasurementFailed(f"The index holds {index.count()} records, not {count}.")
        size_mb = indexer.path.stat().st_size / 1e6
        index.close()
        tracing = Tracing(settings, world.catalogue)
        chosen = random.Random(SEED).sample(ids, bench.of(100, 10))
        after = [_traced(tracing, event_id) for event_id in chosen]
        with_new = []
        for event_id in chosen[: bench.of(20, 3)]:
            _new(source)
            with_new.append(_traced(tracing, event_id))
        environment = world.environment | {"BUS_RUN_DIR": folder}
        commands = [_command(bench, environment, event_id) for event_id in chosen[: bench.of(10, 2)]]
    bench.say(f"first index of {count:,} events: {first_s:.1f} s, {count / first_s:,.0f} events/s, {size_mb:,.0f} MB")
    bench.say(f"a trace afterwards: {_told(after)}; with {NEW:,} new events: {_told(with_new)}")
    detail = f"first index {first_s:.1f} s; afterwards {median(after):.0f} ms, {median(with_new):.0f} with new events"
    yield COMMAND.result(median(commands), *interval(commands), detail)


def _told(milliseconds: list[float]) -> str:
    return f"median {median(milliseconds):.0f} ms, longest {max(milliseconds):.0f} ms of {len(milliseconds)}"


def _traced(tracing: Tracing, event_id: str) -> float:
    """Bring the index up to date and tell a chain; milliseconds."""
    began = time.perf_counter()
    tracing.bring_up_to_date(lambda done, total: None)
    chain, _ = tracing.of_event(event_id, 1_000)
    took = (time.perf_counter() - began) * 1_000
    (found,) = [node for node in chain.nodes() if node.asked]
    if len(chain.roots) != 1 or not chain.whole or chain.roots[0].row.type != _CHAIN[0].type:
        raise MeasurementFailed(f"The chain of {found} is not the one that was written.")
    return took


def _new(source: "_Source") -> None:
    source.write(NEW)


def _command(bench: Bench, environment: dict[str, str], event_id: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [bench.python, "-m", "deptbus", "trace", event_id], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or event_id not in done.stdout:
        raise MeasurementFailed(f"deptbus trace {event_id} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - began


class _Source:
    """Writes chains of events with all their headers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chains = 0

    def write(self, count: int) -> list[str]:
        """So many more; their ids."""
        producer = Producer(
            producer_configuration(self._world.settings) | {"linger.ms": 50, "queue.buffering.max.messages": 1_000_000}
        )
        ids = []
        for topic, key, headers, event_id in islice(self._events(), count):
            ids.append(event_id)
            while True:
                try:
                    producer.produce(topic, _VALUE, key, headers=headers)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        if producer.flush(60):
            raise MeasurementFailed("The broker did not take all events.")
        return ids

    def _events(self) -> Iterator[tuple[str, bytes, list[tuple[str, bytes]], str]]:
        physical = {written.topic: self._world.physical(written.topic) for written in _CHAIN}
        while True:
            self._chains += 1
            instance = f"epidemic/{self._chains:06}/1"
            ids: list[str] = []
            for number, (topic, kind, source, cause) in enumerate(_CHAIN):
                ids.append(random_id() if cause is None else derived_id(ids[cause], source, kind, instance, number))
                headers = {
                    "ce_specversion": "1.0", "content-type": "application/avro", "ce_type": kind, "ce_source": source,
                    "ce_dataschema": f"urn:deptbus:{kind}:v1", "ce_id": ids[-1], "ce_mode": "exercise",
                    "ce_time": iso(_AT_MS + self._chains * 60_000 + number), "ce_subject": instance,
                    "ce_legalbasis": "《中华人民共和国传染病防治法》（2013年修正）第三十条", "ce_region": "440100",
                    "ce_traceparent": f"00-{ids[0].replace('-', '')}-{ids[-1][-12:]}0000-01",
                }  # fmt: skip
                if cause is not None:
                    headers |= {"ce_causationid": ids[cause], "ce_correlationid": instance}
                made = [(name, value.encode()) for name, value in headers.items()]
                yield physical[topic], instance.encode(), made, ids[-1]
