"""The whole workflow path in one worker: from a department's topic over the journal to tasks, timeline and states.

Closed loop: all events of a run are there at once, and the run is over when everything that follows is committed and
readable. A run's rate is its events by the time from the first event's append to the last output. Both sides of a pair
get the same events under the same ids and must come to the same tasks, as many entries of the timeline, and the same
states.
"""

from collections.abc import Iterator

from bench.path.ground import ground_of
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import alternate

BOUNDS = (
    Bound("whole path, one worker / the same core in a hand-written transactional loop", 0.7),
    Bound("whole path, one worker / Quix Streams with the same core, state and outputs", 1.0),
    Bound("whole path, one worker / FastStream with the same core and a state topic", 3.0),
)
PEERS = ("loop", "quix", "faststream")


def measure(bench: Bench) -> Iterator[Result]:
    """Against one peer after the other."""
    ground = ground_of(bench)
    events, pairs = bench.of(10_000, 4_000), bench.of(10, 2)
    with ground.workers() as [worker]:
        for bound, name in zip(BOUNDS, PEERS, strict=True):
            with ground.peer(name) as (side, place):
                runs = [next(ground.runs) for _ in range(pairs + 1)]
                ours, peers = iter(runs), iter(runs)
                ratio = alternate(
                    lambda: ground.run(next(ours), ground.ours, events, worker.check),  # noqa: B023  # used up here
                    lambda: ground.run(next(peers), place, events, side.check),  # noqa: B023  # likewise
                    pairs,
                )
            detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} events/s, {pairs} pairs of {events:,} events"
            yield bound.result(ratio.median, ratio.low, ratio.high, detail)
