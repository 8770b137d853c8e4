"""How long 100,000 deadlines that are missed at once keep a partition busy, and what goes on meanwhile.

Figures without a bound, measured when named: ``python -m bench timers``. First the pure core, in memory. Then actual
life on a broker: the states are written to ``workflow.instances`` as an outage would leave them, a worker restores
them, and the tick comes. While it is applied, entries are appended to another partition one by one, to see how long
each takes.
"""

import tempfile
import threading
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.child import serve
from bench.suite.processes import Side
from deptbus.envelope import Envelope, to_headers
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.workflow.correlate import tick
from tests.broker import shared_stack
from tests.streams.crowd import keys
from tests.streams.world import Workers, World, environment
from tests.waiting import wait_until
from tests.workflow.crowd import CROWDED, crowd, crowded
from tests.workflow.world import HOUR, START, sample
from tests.workflow.world import World as MemoryWorld

BOUNDS: tuple[Bound, ...] = ()

LIMIT_S = 600
BUSY, OTHER = 0, 1
"""The partition in which everything is due, and one in which nothing is."""
PROBE_S = 0.05
"""Between two entries of the other partition."""
HEAD = "{:<34}{:>10}{:>9}{:>9}{:>9}{:>13}{:>13}"


def measure(bench: Bench) -> Iterable[Result]:
    """About 5 minutes; 1 when quick, with a tenth of the deadlines."""
    due = bench.of(100_000, 10_000)
    shapes = [(due, 1), (due // 1_000, 1_000)]
    bench.say(HEAD.format("", "seconds", "chunks", "longest", "outputs", "RSS before", "RSS peak"))
    for count, tasks in shapes:
        for stepped in (False, True):
            with Side(bench.python, __name__) as side:  # of its own, so that the peak of memory is this case's
                bench.say(side.ask("pure", count=count, tasks=tasks, stepped=stepped))
    for count, tasks in shapes:
        with (
            shared_stack("local") as stack,
            tempfile.TemporaryDirectory() as directory,
        ):  # actual life has one namespace
            settings = stack.settings(namespace="", input_wait_s=1)
            variables = environment(settings, stack.environment(), Path(directory)) | {"BUS_INPUT_WAIT_S": "1"}
            workers = Workers(settings, variables, Path(directory))
            try:
                for line in _on_kafka(World(settings), workers, count, tasks):
                    bench.say(line)
            finally:
                workers.end()
    return ()


def _pure(count: int, tasks: int, stepped: bool) -> str:
    partition = crowded(count, tasks, stepped=stepped)
    before, began = _peak_mb("self"), time.perf_counter()
    outputs, longest, last = [], 0.0, began
    for chunk in partition.chunks([(10, tick(START + 2 * HOUR, 0 if stepped else None), None)]):
        outputs.append(len(chunk))
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    return _line(f"memory, {_shape(count, tasks)}, {'exercise' if stepped else 'actual'}", last - began, len(outputs),
          longest, sum(outputs), before, _peak_mb("self"))  # fmt: skip


def _on_kafka(world: World, workers: Workers, count: int, tasks: int) -> Iterable[str]:
    seed(world, BUSY, count, tasks)
    world.activate(CROWDED)
    name, began = workers.start("advance"), time.perf_counter()
    wait_until(lambda: workers.log(name).count("restored") >= 4, "the partitions to be restored", LIMIT_S)
    restored_s = time.perf_counter() - began
    pid = str(workers.running[name].pid)
    rss = _rss_mb(pid)
    probe = Probe(world)
    probe.start()
    chunks, outputs = _follow(world, count * tasks)
    probe.end()
    yield _line(f"Kafka, {_shape(count, tasks)}, actual", chunks[-1] - chunks[0], len(chunks) - 1,
          max(b - a for a, b in pairwise(chunks)), outputs, rss, _peak_mb(pid))  # fmt: skip
    yield f"    restored in {restored_s:.1f} s; {probe.told()}"
    assigned = workers.log(name).count("assigned")
    yield f"    the worker was assigned its partitions {assigned} time(s)"
    world.close()


def _follow(world: World, due: int) -> tuple[list[float], int]:
    """When the first output and then each chunk became readable, in seconds; and how many outputs there were."""
    physical = world.settings.world.physical
    topics = {"workflow.tasks": END, "workflow.timeline": END, "workflow.instances": END}
    tail = Tail(reader_configuration(world.settings), {physical(topic): start for topic, start in topics.items()})
    chunks: list[float] = []
    outputs = escalated = 0
    began = float("inf")
    limit = time.monotonic() + LIMIT_S
    while escalated < due or not chunks:
        if time.monotonic() > limit:
            raise AssertionError(f"{escalated} of {due} were escalated in {LIMIT_S} s")
        for record in tail.poll(1, 10_000):
            if record.partition == BUSY:
                kind = dict(record.headers)["ce_type"]
                outputs += 1
                escalated += kind == b"workflow.TaskEscalated"
                began = min(began, record.timestamp_ms / 1000)
                if kind == b"workflow.PartitionAdvanced":
                    chunks.append(record.timestamp_ms / 1000)
    tail.close()
    return [began, *chunks], outputs


def seed(world: World, partition: int, count: int, tasks: int) -> None:
    """Have a partition look as if these instances had asked for their tasks two hours ago."""
    at = round(time.time() * 1000) - 2 * HOUR
    source = "/bus/workflow"
    for output in crowd(keys(partition, count), tasks, at):
        envelope = Envelope(id=output.id, type=output.type, source=source, time_ms=at, mode="actual")
        value = world.codec.encode(output.type, output.data)
        world.sender.send(output.topic, output.key.encode(), value, to_headers(envelope), output.id, partition)
    world.sender.flush()


class Probe(threading.Thread):
    """Appends entries to the other partition, one after the other, and sees how long each takes to be applied."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        self._world = world
        self._over = threading.Event()
        self._memory = MemoryWorld(CROWDED)
        self._times: list[float] = []

    def run(self) -> None:
        physical = self._world.settings.world.physical
        tail = Tail(reader_configuration(self._world.settings), {physical("workflow.timeline"): END})
        for key in keys(OTHER, 1_000_000):
            began = time.perf_counter()
            self._append(key)
            while not any(record.partition == OTHER for record in tail.poll(1)):
                if self._over.is_set():
                    break
            self._times.append(time.perf_counter() - began)
            if self._over.wait(PROBE_S):
                break
        tail.close()

    def _append(self, key: str) -> None:
        data = sample("health.CasesConfirmed", region=key, source_reference="s")
        at = round(time.time() * 1000)
        [entry] = self._memory.entries("health.CasesConfirmed", data, at=at, region=key)
        entry = entry | {"body": self._world.codec.encode("health.CasesConfirmed", data)}  # by this registry's ids
        publisher = self._world.publisher("workflow")
        ready = publisher.prepare("workflow.EntryAppended", {"entry": entry}, subject=key, key=f"small/{key}")
        sender = self._world.sender
        sender.send(ready.topic, ready.key, ready.value, ready.headers, ready.id, OTHER).result().require()

    def end(self) -> None:
        """Append no more."""
        self._over.set()
        self.join()

    def told(self) -> str:
        """How long entries took."""
        times = sorted(self._times)
        middle, high = times[len(times) // 2], times[int(len(times) * 0.95)]
        return (
            f"meanwhile in another partition {len(times)} entries took {middle * 1000:.0f} ms each, 95 % at most "
            f"{high * 1000:.0f} ms, the longest {times[-1] * 1000:.0f} ms"
        )


def _shape(count: int, tasks: int) -> str:
    return f"{count:,} x {tasks:,}"


def _peak_mb(pid: str) -> float:
    return _status_mb(pid, "VmHWM:")


def _rss_mb(pid: str) -> float:
    return _status_mb(pid, "VmRSS:")


def _status_mb(pid: str, name: str) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def _line(what: str, took: float, chunks: int, longest: float, outputs: int, before: float, peak: float) -> str:
    numbers = (f"{took:.1f}", str(chunks), f"{longest:.2f}", f"{outputs:,}", f"{before:.0f} MB", f"{peak:.0f} MB")
    return HEAD.format(what, *numbers)


if __name__ == "__main__":
    serve({"pure": _pure})
