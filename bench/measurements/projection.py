"""Filling the dashboard's database from the topics, beside a consumer written by hand into the same database.

5,000 open incidents with 50,000 open tasks and their timelines, about 165,000 records. Both sides must keep the same
numbers of records, instances and open tasks.
"""

from collections.abc import Iterable
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.incidents import TASKS, populate
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed, Side
from services.dashboard.projection.store import Store

RATE = Bound("the dashboard's database filled from the topics, records a second", 20_000)
RATIO = Bound("the same / a consumer by hand into the same database", 0.8)
BOUNDS = (RATE, RATIO)
_NOT_FOLLOWED = ("workflow.journal", "workflow.events", "bus.progress", "bus.deadletters", "bus.packs")


def measure(bench: Bench) -> Iterable[Result]:
    """Both."""
    incidents = populate(bench, bench.of(5_000, 1_000))
    world, pairs = incidents.world, bench.of(7, 2)
    followed = [topic for topic in world.catalogue.topics.values() if topic.name.startswith("workflow.")]
    topics = {world.physical(topic.name): (topic.name, topic.partitions)
              for topic in followed if topic.name not in _NOT_FOLLOWED}  # fmt: skip
    numbers = count()
    with (
        TemporaryDirectory() as folder,
        Side(bench.python, "bench.ours.projection", world.environment) as ours,
        Side(bench.python, "bench.peers.projection") as peer,
    ):

        def run(side: Side) -> float:
            file = Path(folder) / f"{next(numbers)}.db"
            if side is ours:
                found: dict[str, Any] = side.ask("fill", namespace=world.settings.namespace, url=f"sqlite:///{file}")
            else:
                with closing(Store(f"sqlite:///{file}")):
                    pass  # the tables
                found = side.ask("fill", servers=world.settings.bootstrap_servers, topics=topics, file=str(file))
            kept = found["kept"]
            if (kept["instances"], kept["open_tasks"]) != (incidents.instances, incidents.instances * TASKS):
                raise MeasurementFailed(f"{side.module} kept {kept}")
            return incidents.records / float(found["seconds"])

        rates = [(run(ours), run(peer)) for _ in range(pairs + 1)][1:]
    mine = [our for our, _ in rates]
    ratios = [our / by_hand for our, by_hand in rates]
    detail = f"{median(mine):,.0f} against {median(by_hand for _, by_hand in rates):,.0f} records/s"
    yield RATE.result(median(mine), *interval(mine), f"{incidents.records:,} records")
    yield RATIO.result(median(ratios), *interval(ratios), detail)
