"""How long a worker takes to hold the states of its partitions, beside a raw read of the same snapshots.

Ours: the owners of all four partitions are opened at once, as in a worker that is given them. Each fences older
owners, reads its partition of ``workflow.instances``, indexes what falls due, asks where the journal is to be read on,
and reports. The peer reads the same four partitions to their ends and touches every value. Both count what they found.
The process is running and connected to the registry on both sides; what a whole worker process takes, with the start of
the interpreter and the group's assignment, is told in ``memory``.
"""

from collections.abc import Iterable
from statistics import median

from bench.snapshots import INSTANCES, Crowd, populate
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate, interval
from bench.suite.processes import MeasurementFailed, Side

RAW = Bound("start of a worker with 100,000 open instances, against a raw read of its snapshots", 0.5)
LINEAR = Bound("start with 1 million open instances, against one with 100,000", 11, at_most=True)
BOUNDS = (RAW, LINEAR)


def measure(bench: Bench) -> Iterable[Result]:
    """About 6 minutes, most of them to write 1 million instances; quick, 100,000 are compared with 10,000."""
    few = populate(bench, 100_000)
    many = few if bench.quick else populate(bench, 1_000_000)
    less = populate(bench, 10_000) if bench.quick else few
    with Side(bench.python, "bench.ours.start", few.world.environment) as ours, Side(
        bench.python, "bench.peers.start"
    ) as peer:  # fmt: skip
        for crowd in {few, many, less}:
            ours.ask("open", namespace=crowd.world.settings.namespace)
        ratio = alternate(_ours(ours, few), _peer(peer, few), bench.of(15, 6))
        detail = (
            f"{ratio.ours:,.0f} against {ratio.peer:,.0f} records/s ({few.records:,} of {few.instances:,} instances)"
        )
        yield RAW.result(ratio.median, ratio.low, ratio.high, detail)
        yield LINEAR.result(*_compared(ours, many, less, bench.of(5, 2)))


def _compared(ours: Side, many: Crowd, less: Crowd, pairs: int) -> tuple[float, float, float, str]:
    _ours(ours, less)(), _ours(ours, many)()
    found = [(many.records / _ours(ours, many)(), less.records / _ours(ours, less)()) for _ in range(pairs)]
    ratios = [a / b for a, b in found]
    seconds = [median(side) for side in zip(*found, strict=True)]
    detail = f"{seconds[0]:.2f} s with {many.instances:,}, {seconds[1]:.2f} s with {less.instances:,}"
    return median(ratios), *interval(ratios), detail


def _ours(side: Side, crowd: Crowd) -> Run:
    def run() -> float:
        found = side.ask("start", namespace=crowd.world.settings.namespace)
        if (found["instances"], found["bytes"]) != (crowd.instances, crowd.of_instances) or not found["due"]:
            raise MeasurementFailed(f"The worker has restored {found}, not {crowd.instances} instances.")
        return crowd.records / float(found["seconds"])

    return run


def _peer(side: Side, crowd: Crowd) -> Run:
    servers, topic = crowd.world.settings.bootstrap_servers, crowd.world.physical(INSTANCES)

    def run() -> float:
        found = side.ask("raw", servers=servers, topic=topic, partitions=len(crowd.world.ends(INSTANCES)))
        if (found["records"], found["bytes"]) != (crowd.records, crowd.bytes):
            raise MeasurementFailed(f"The peer has read {found}, not {crowd.records} records.")
        return crowd.records / float(found["seconds"])

    return run
