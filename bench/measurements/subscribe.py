"""Subscribing beside a hand-written loop: decoded, duplicates skipped, dead letters ready, one commit for each batch.

A backlog of events, one in a hundred of them twice, is read by a new group in every run, from the first event handled
to the last; joining the group does not count. Both sides run with the same librdkafka and the same settings of it, read
committed, take at most 1,000 records at once and tell which cases their handler got.
"""

from collections.abc import Iterable
from itertools import count

from bench.cases import REGION, TOPIC, TYPE, cases, hash_of
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World
from deptbus import bootstrap
from deptbus.ids import random_id

EVENTS = Bound("subscribe, decoded, manual commits, dedupe, against a consume loop by hand", 0.8)
BOUNDS = (EVENTS,)
_TWICE = 100
"""One event in so many is on the topic twice."""


def measure(bench: Bench) -> Iterable[Result]:
    """The one result."""
    world = World(bench, "bench-subscribe", [TOPIC])
    number, pairs = bench.of(100_000, 20_000), bench.of(15, 6)
    records = _publish(world, number)
    groups = (f"bench-{number}" for number in count())
    wanted = hash_of(data["case"] for data, _ in cases(number))
    with (
        Side(bench.python, "bench.ours.subscribe", world.environment) as ours,
        Side(bench.python, "bench.peers.subscribe") as peer,
    ):
        ours.ask("open")
        peer.ask("open", servers=world.settings.bootstrap_servers, topic=world.physical(TOPIC),
                 schema_id=world.schema_ids[TYPE])  # fmt: skip

        def run(side: Side) -> Run:
            def consume() -> float:
                group = next(groups)
                told = side.ask("consume", group=group if side is ours else world.physical(group), count=number)
                if (told["hash"], told["duplicates"]) != (wanted, records - number):
                    raise MeasurementFailed(f"{side.module} did not handle every event once: {told}")
                return number / float(told["seconds"])

            return consume

        ratio = alternate(run(ours), run(peer), pairs)
    detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} events/s"
    yield EVENTS.result(ratio.median, ratio.low, ratio.high, detail)


def _publish(world: World, number: int) -> int:
    """Lay the backlog down; how many records it has."""
    bus = bootstrap.connect(world.settings, "health", catalogue=world.catalogue)
    pending = []
    for index, (data, subject) in enumerate(cases(number)):
        event_id = random_id()
        pending += [
            bus.publish_soon(TYPE, data, subject=subject, region=REGION, id=event_id)
            for _ in range(1 + (index % _TWICE == 0))
        ]
    bus.flush()
    for one in pending:
        one.check()
    bus.close()
    return len(pending)
