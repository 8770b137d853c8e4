"""From an event's publishing to its task, at a rate that does not wait, beside two bare hops over the same broker.

The rate is a part of what one worker does at most with this load, measured first. A sample is an event of which tasks
come: from when it was to be sent until the first of its tasks can be read. The bare hops copy the same events as fast
and have neither a journal to keep nor a transaction to commit.
"""

import contextlib
import pickle
import tempfile
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
    together_s: float | None = None,
) -> Latencies:
    """``causing``: of which of a region's events something comes; ``alive`` says whether who was measured has ended.

    ``together_s``: regions come and go, those of so many seconds together. Else all take turns from the beginning to
    the end, and samples are of these two and of the moment when the region's level rises.
    """
    number = round(rate * seconds) // EVENTS_EACH * EVENTS_EACH
    each = number if together_s is None else min(number, round(rate * together_s) // EVENTS_EACH * EVENTS_EACH)
    with tempfile.NamedTemporaryFile() as file:
        events = [
            tuple(event) for first in range(0, number, each)
            for event in ground.events(next(ground.runs), min(each, number - first))
        ]  # fmt: skip
        Path(file.name).write_bytes(pickle.dumps(events))
        try:
            found: Latencies = side.ask("run", events=file.name, rate=rate, causing=causing)
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
