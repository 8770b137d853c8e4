"""The whole workflow path in one worker: from a department's topic over the journal to tasks, timeline and states.

Closed loop: all events of a run are there at once, and the run is over when everything that follows is committed and
readable. A run's rate is its events by the time from the first event's append to the last output. Both sides of a pair
get the same events under the same ids and must come to the same tasks, as many entries of the timeline, and the same
states.
"""

from collections.abc import Callable, Iterator
from itertools import count

from bench.path.ground import Ground
from bench.path.place import Place
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate

LOOP = Bound("whole path, one worker / the same core in a hand-written transactional loop", 0.7)
BOUNDS = (LOOP,)
PEERS = {"loop": LOOP}


def measure(bench: Bench) -> Iterator[Result]:
    """Against one peer after the other."""
    ground = Ground(bench)
    events, pairs = bench.of(20_000, 10_000), bench.of(10, 3)
    runs = iter(range(100))
    for name, bound in PEERS.items():
        with ground.workers() as [worker], ground.peer(name) as (side, place):
            first = next(runs)
            ours = _run(ground, ground.ours, count(first), events, worker.check)
            peer = _run(ground, place, count(first), events, side.check)
            ratio = alternate(ours, peer, pairs)
            for _ in range(pairs):
                next(runs)
        detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} events/s, {pairs} pairs of {events:,} events"
        yield bound.result(ratio.median, ratio.low, ratio.high, detail)


def _run(ground: Ground, place: Place, numbers: Iterator[int], events: int, alive: Callable[[], None]) -> Run:
    def run() -> float:
        number = next(numbers)
        made = ground.events(number, events)
        watch = place.watch()
        began_ms = place.publish(made)
        came = watch.wait(ground.regions(made), ground.expected, alive, lambda: None)
        ground.same(number, came)
        return events / (came.ended_ms - began_ms) * 1000

    return run
