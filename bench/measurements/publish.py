"""Publishing beside hand-written producers: closed loop, every outcome known, read back and hashed after each run.

Both sides run with the same librdkafka, in processes of their own, on one topic of four partitions: acks=all,
idempotent, lz4, linger 5 ms. The ready bytes are the same list of keys, values and headers on both sides. Runs are
short, many, and as many when quick: what else the machine does comes and goes within seconds.
"""

from collections.abc import Iterable
from functools import partial

from bench.cases import TOPIC, TYPE
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World

EVENTS = Bound("publish of events, validated, with envelope, against fastavro and librdkafka by hand", 0.8)
BYTES = Bound("publish of ready bytes, against raw librdkafka", 0.9)
BOUNDS = (EVENTS, BYTES)


def measure(bench: Bench) -> Iterable[Result]:
    """One result after the other."""
    world = World(bench, "bench-publish", [TOPIC])
    count = bench.of(60_000, 12_000)
    with (
        Side(bench.python, "bench.ours.publish", world.environment) as ours,
        Side(bench.python, "bench.peers.publish") as peer,
    ):
        ours.ask("open")
        peer.ask("open", servers=world.settings.bootstrap_servers, topic=world.physical(TOPIC),
                 schema_id=world.schema_ids[TYPE])  # fmt: skip
        for side in (ours, peer):
            side.ask("prepare", count=count)
        for bound, what, request, pairs in ((EVENTS, "events", {"count": count}, 15), (BYTES, "ready", {}, 25)):
            hashes: set[str] = set()
            run = partial(_run, world, what=what, request=request, count=count, hashes=hashes)
            ratio = alternate(run(ours), run(peer), pairs)
            detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} events/s"
            yield bound.result(ratio.median, ratio.low, ratio.high, detail)


def _run(world: World, side: Side, *, what: str, request: dict[str, int], count: int, hashes: set[str]) -> Run:
    """Publish; what then lies on the topic must be the same on both sides and after every run."""

    def run() -> float:
        starts = world.ends(TOPIC)
        seconds: float = side.ask(what, **request)
        hashes.add(world.check(TOPIC, starts, count))
        if len(hashes) > 1:
            raise MeasurementFailed(f"{side.module} wrote something else than before.")
        return count / seconds

    return run
