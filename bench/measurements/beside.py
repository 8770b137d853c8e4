"""A replay of 100,000 events beside live ones: 1,000 live events a second, with and without it, in turns.

Replayed into a new topic as fast as it goes, and into a rehearsal with its own workers at its own pace. A rehearsal
goes on for minutes: what is measured is its beginning, when it reads its stretch, makes its topics and starts its
workers, and the playing after that. Then it is broken off, the last one apart, which is played to its end. What came of
the live ones must be what follows from them alone: the journal holds each of them once and nothing else, and folding it
gives every output and snapshot, byte by byte.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

from bench.measurements.latency import CAUSING, run, watching
from bench.path.ground import Ground, ground_of
from bench.path.load import TOPIC
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import ROOT, MeasurementFailed
from deptbus.folding import fold_namespace
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_topic
from tests.interrupting import interruptible

INTO_TOPIC = Bound(
    "p99 from event to task while 100,000 events are replayed into a new topic, against without", 2.0, at_most=True
)
REHEARSED = Bound("p99 from event to task while 100,000 events are rehearsed, against without", 2.0, at_most=True)
BOUNDS = (INTO_TOPIC, REHEARSED)
_END_S = 900


def measure(bench: Bench) -> Iterator[Result]:
    """About 20 minutes; one when quick: fewer events beside fewer."""
    ground = ground_of(bench)
    pairs = bench.of(5, 1)
    replayed, rate = bench.of(100_000, 3_000), bench.of(1_000, 300)
    with ground.workers() as [worker], watching(bench, ground) as observer:
        ground.run(next(ground.runs), ground.ours, replayed, worker.check)
        run(ground, observer, CAUSING, rate, 4)
        for bound, target, seconds in (
            (INTO_TOPIC, "--to-topic", bench.of(20, 6)), (REHEARSED, "--rehearsal", bench.of(40, 12)),
        ):  # fmt: skip
            found = []
            for number in range(pairs):
                last = number == pairs - 1
                alone = run(ground, observer, CAUSING, rate, seconds, worker.check)
                name = f"beside-{target[2:4]}-{number}"
                with _replay(ground, target, replayed, name, whole=last or target == "--to-topic") as took_s:
                    beside = run(ground, observer, CAUSING, rate, seconds, worker.check)
                found.append((alone["p99"], beside["p99"]))
            ratios = [other / one for one, other in found]
            one, other = (median(pair[side] for pair in found) for side in (0, 1))
            detail = f"{other:.1f} against {one:.1f} ms at {rate:,} events/s; the last took {took_s[0]:.0f} s"
            yield bound.result(median(ratios), *interval(ratios), detail)
        _check(ground)


@contextlib.contextmanager
def _replay(ground: Ground, target: str, replayed: int, name: str, *, whole: bool) -> Iterator[list[float]]:
    """Replay the first events there were, beside what is done inside; how long it took, once it has ended.

    ``whole``: to its end; else it is broken off when what is done inside is over.
    """
    command = [
        sys.executable, "-m", "deptbus", "replay", "--topic", TOPIC, "--to", f"@{replayed // 4}", target, name,
    ]  # fmt: skip
    took: list[float] = []
    environment = {**os.environ, **ground.settings.environment(), "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    process = interruptible(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )  # fmt: skip
    try:
        yield took
        broken_off = not whole and process.poll() is None
        if broken_off:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=_END_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    took.append(time.monotonic() - began)
    if process.returncode and not broken_off:
        raise MeasurementFailed(f"the replay {target} ended with {process.returncode}: {errors.decode()}")


def _check(ground: Ground) -> None:
    """``MeasurementFailed`` unless the live outputs are those of the live events alone."""
    physical = ground.settings.world.physical
    reading = reader_configuration(ground.settings)
    live = {dict(record.headers)["ce_id"].decode() for record in read_topic(reading, physical(TOPIC))}
    entries = (
        ground.codec.decode(record.value)["entry"] for record in read_topic(reading, physical("workflow.journal"))
    )
    placed = Counter(entry["event"]["id"] for entry in entries if entry["event"] is not None)
    if placed.keys() != live or set(placed.values()) != {1}:
        raise MeasurementFailed(f"{len(live)} live events, {placed.total()} entries of {len(placed)}")
    folded = fold_namespace(ground.settings, outputs=True)
    if not folded.equal:
        raise MeasurementFailed(f"the live outputs are not those of the live events: {folded.differences[:3]}")
