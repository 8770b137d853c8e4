"""Two workers beside one, against what two cores leave.

The ceiling follows from what an event costs with one worker, in CPU seconds, measured in the same pair: ``w`` of the
worker, ``b`` of the broker, ``o`` of whoever publishes and watches. Two workers can run at once and the broker beside
them, so two cores come to at most 2 / (w + b + o) events per second, and two workers to no more than twice what one
does. The number is the share of that ceiling which two workers reach: what sharing the journal out costs, in smaller
batches above all. It holds only where nothing else wants the two cores.
"""

import os
from collections.abc import Iterator
from statistics import median

from bench.path.ground import JOURNAL_PARTITIONS, Ground, ground_of
from bench.path.worker import Worker, broker_pid, cpu_s
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from tests.waiting import wait_until

BOUNDS = (Bound("whole path, two workers / one, of what two cores leave", 0.85),)
CORES = 2
SHARED_S = 60
WARM_UP = 1_000
"""Events with which a second worker is warmed up."""


def measure(bench: Bench) -> Iterator[Result]:
    """Pairs of one and two workers; the second is started for its half of the pair."""
    ground = ground_of(bench)
    events, pairs = bench.of(20_000, 5_000), bench.of(10, 2)
    shares, rates, ceilings = [], [], []
    with ground.workers() as [worker]:
        for _ in range(bench.of(2, 1)):
            ground.run(next(ground.runs), ground.ours, events, worker.check)
        for _ in range(pairs):
            one, ceiling = _one(ground, worker, events)
            two = _two(ground, worker, events)
            shares.append(two / ceiling)
            rates.append((one, two))
            ceilings.append(ceiling)
    one, two = (median(pair[side] for pair in rates) for side in (0, 1))
    detail = f"{two:,.0f} against {one:,.0f} events/s; two cores leave {median(ceilings):,.0f}"
    yield BOUNDS[0].result(median(shares), *interval(shares), detail)


def _one(ground: Ground, worker: Worker, events: int) -> tuple[float, float]:
    """Events per second of one worker, and the ceiling of two."""
    processes = (worker.process.pid, broker_pid(ground.settings), os.getpid())
    before = sum(map(cpu_s, processes))
    after: list[float] = []
    rate = ground.run(
        next(ground.runs), ground.ours, events, worker.check, lambda: after.append(sum(map(cpu_s, processes)))
    )
    return rate, min(CORES * events / (after[0] - before), 2 * rate)


def _two(ground: Ground, first: Worker, events: int) -> float:
    journal = len(JOURNAL_PARTITIONS)
    with Worker(ground.settings, 1) as second:
        wait_until(lambda: first.partitions == second.partitions == journal // 2, "the journal to be shared", SHARED_S)

        def alive() -> None:
            first.check()
            second.check()

        ground.run(next(ground.runs), ground.ours, WARM_UP, alive)
        rate = ground.run(next(ground.runs), ground.ours, events, alive)
    wait_until(lambda: first.partitions == journal, "the journal to be one worker's again", SHARED_S)
    return rate
