"""From an event's publishing to its task, at a rate that does not wait, beside two bare hops over the same broker.

The rate is a part of what one worker does at most with this load, measured first. A sample is an event of which tasks
come: from when it was to be sent until the first of its tasks can be read. The bare hops copy the same events as fast
and have neither a journal to keep nor a transaction to commit.
"""

import contextlib
import pickle
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.path.ground import Ground, ground_of
from bench.path.load import EVENTS_EACH, TOPIC
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed, Side
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace

BOUNDS = (
    Bound("event to task at half load, p50 / two bare hops", 3.0, at_most=True),
    Bound("event to task at half load, p99 / two bare hops", 3.0, at_most=True),
)
BARE = Namespace("path-bare")
HOPS = (TOPIC, "workflow.journal", "workflow.tasks")

CAUSING = [0, 4, 24]
"""The events of a region that raise its level, by the epidemic's pack: at one case, at ten and at fifty."""
ALL = list(range(EVENTS_EACH))
LIFE_S = 2.0
"""From a region's first event to its last."""

Latencies = dict[str, float]


def measure(bench: Bench) -> Iterator[Result]:
    """The rate, then pairs at half of it; without haste a quarter and three quarters as well."""
    ground = ground_of(bench)
    pairs, seconds = bench.of(10, 2), bench.of(8, 4)
    with ground.workers() as [worker], _bare(bench, ground) as bare, watching(bench, ground) as ours:
        runs = bench.of(5, 2)
        rates = [ground.run(next(ground.runs), ground.ours, 5_000, worker.check) for _ in range(runs + 1)]
        rate = median(rates[1:])
        details = []
        for share in () if bench.quick else (0.25, 0.75):
            mine = run(ground, ours, CAUSING, share * rate, seconds, worker.check)
            peer = run(ground, bare, ALL, share * rate, seconds)
            details.append(f"at {share:.0%} {_told(mine)} against {_told(peer)}")
        found = [
            (run(ground, ours, CAUSING, rate / 2, seconds, worker.check), run(ground, bare, ALL, rate / 2, seconds))
            for _ in range(pairs + 1)
        ][1:]
    for name, bound in zip(("p50", "p99"), BOUNDS, strict=True):
        ratios = [mine[name] / peer[name] for mine, peer in found]
        ms = [median(pair[side][name] for pair in found) for side in (0, 1)]
        detail = f"{ms[0]:.1f} against {ms[1]:.1f} ms at {rate / 2:,.0f} of {rate:,.0f} events/s; {'; '.join(details)}"
        yield bound.result(median(ratios), *interval(ratios), detail.rstrip("; "))


def _told(found: Latencies) -> str:
    return f"{found['p50']:.1f} and {found['p99']:.1f} ms"


def run(
    ground: Ground,
    side: Side,
    causing: list[int],
    rate: float,
    seconds: int,
    alive: Callable[[], None] = lambda: None,
) -> Latencies:
    """``causing``: of which of a region's events something comes; ``alive`` says whether who was measured has ended.

    Regions come and go, for an event that opens an incident is three times the work of one that only joins: at every
    moment some begin, others rise or end. So many ``seconds`` of it are sampled, without the time in which the first
    regions begin and that in which the last ones end.
    """
    lags = EVENTS_EACH - 1
    apart = max(1, round(rate * LIFE_S / EVENTS_EACH / lags))  # regions that begin between two events of one
    regions = lags * apart + round(rate * seconds / EVENTS_EACH)
    made = ground.events(next(ground.runs), regions * EVENTS_EACH)
    turns = sorted((region + lag * apart, lag, region) for lag in range(EVENTS_EACH) for region in range(regions))
    events = [tuple(made[lag * regions + region]) for _, lag, region in turns]
    first, last = (bisect_left(turns, (turn,)) for turn in (lags * apart, regions))
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(pickle.dumps(events))
        try:
            found: Latencies = side.ask("run", events=file.name, rate=rate, causing=causing, sampled=[first, last])
        except MeasurementFailed:
            alive()
            raise
    return found


@contextlib.contextmanager
def watching(bench: Bench, ground: Ground) -> Iterator[Side]:
    with _observer(bench, ground, Namespace()) as observer:
        yield observer


@contextlib.contextmanager
def _bare(bench: Bench, ground: Ground) -> Iterator[Side]:
    topics = [ground.catalogue.topic(name) for name in HOPS]
    Admin(client_configuration(ground.settings)).create_namespace_topics(BARE, topics)
    with Side(bench.peers_python, "bench.peers.path_bare") as hops:
        hops.ask("start", servers=ground.settings.bootstrap_servers, topics=[BARE.physical(name) for name in HOPS])
        with _observer(bench, ground, BARE) as observer:
            yield observer
        hops.ask("stop")


@contextlib.contextmanager
def _observer(bench: Bench, ground: Ground, world: Namespace) -> Iterator[Side]:
    with Side(bench.peers_python, "bench.peers.path_observer") as observer:
        observer.ask(
            "connect", servers=ground.settings.bootstrap_servers, source=world.physical(TOPIC),
            sink=world.physical("workflow.tasks"),
        )  # fmt: skip
        yield observer
        observer.ask("close")
