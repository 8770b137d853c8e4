"""What an event costs in a process of 1,000 departments, beside one of 10.

Each department has a topic of one partition, publishes on it, and has a handler for what its neighbour grants it. A run
publishes events, 100 in turn from every department, and handles them all, in one process as ``deptbus run departments``
does; cost is wall time of both parts, and the number of events the same on both sides. Events published one by one in
turn from 1,000 departments would each be a request, for a request of librdkafka carries one partition.

Two runs warm up: at the second write of a new partition the broker maps the pages of its index, which takes
it 20 s for a thousand of them, once.
"""

from collections.abc import Iterable

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World

MANY, FEW = 1_000, 10
COST = Bound(
    "1,000 departments, one-partition topics and handlers in one process, cost per event at 10", 1.3, at_most=True
)
BOUNDS = (COST,)


def measure(bench: Bench) -> Iterable[Result]:
    """The one result."""
    count, pairs = bench.of(200_000, 30_000), bench.of(11, 3)
    worlds = {number: World(bench, f"bench-departments-{number}", ["bus.deadletters"]) for number in (MANY, FEW)}
    with (
        Side(bench.python, "bench.ours.departments", worlds[MANY].environment) as many,
        Side(bench.python, "bench.ours.departments", worlds[FEW].environment) as few,
    ):
        spent: dict[Side, list[tuple[float, float]]] = {many: [], few: []}

        def run(side: Side) -> Run:
            def once() -> float:
                published: float = side.ask("publish", count=count)
                told = side.ask("handle", count=count)
                if told["wrong"]:
                    raise MeasurementFailed(f"{side.module}: {told['wrong']}")
                spent[side].append((published / count * 1e6, told["seconds"] / count * 1e6))
                return float(published + told["seconds"]) / count

            return once

        for side, number in ((many, MANY), (few, FEW)):
            side.ask("open", number=number)
        ratio = alternate(run(many), run(few), pairs, warm_up=2)
        spent = {side: found[2:] for side, found in spent.items()}
        detail = "; ".join(
            f"{number:,}: {_median(spent[side], 0):.1f} µs to publish, {_median(spent[side], 1):.1f} to handle, "
            "{threads} threads, {megabytes:.0f} MB".format(**side.ask("size"))
            for side, number in ((many, MANY), (few, FEW))
        )
    yield COST.result(ratio.median, ratio.low, ratio.high, detail)


def _median(spent: list[tuple[float, float]], part: int) -> float:
    return sorted(one[part] for one in spent)[len(spent) // 2]
