"""What the states of 100,000 open instances take in a worker's memory, beside the same states as plain dicts.

Ours is a worker process as operations run it (``advance``), which is given all four partitions. The peer reads and
decodes the same snapshots into dicts: the instance's and its key's for each. Compared is what the states add: private
memory (``Pss_Anon``) of the worker less that of the same worker over an empty namespace, and what reading the dicts
adds to the peer's process. The second bound is stricter: the resident memory of the whole worker process, Python, its
libraries and buffers included.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.snapshots import INSTANCES, TOPICS, populate
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World
from tests.streams.world import Workers, environment
from tests.waiting import wait_until

RATIO = Bound("memory of 100,000 open instances in a worker, against the same states in plain dicts", 0.5, at_most=True)
WHOLE = Bound("memory of a whole worker process with 100,000 open instances", 300, at_most=True, unit="MB")
BOUNDS = (RATIO, WHOLE)

INSTANCES_COUNT = 100_000
LIMIT_S = 120
MB = 1_000_000


def measure(bench: Bench) -> Iterable[Result]:
    """About 2 minutes; half of that when quick."""
    crowd = populate(bench, INSTANCES_COUNT)
    empty = World(bench, "bench-empty", TOPICS)
    servers, topic = crowd.world.settings.bootstrap_servers, crowd.world.physical(INSTANCES)
    ratios, wholes, details = [], [], []
    for _ in range(bench.of(5, 1)):
        without = _worker(bench, empty)
        ours = _worker(bench, crowd.world)
        with Side(bench.python, "bench.peers.start") as peer:
            found = peer.ask("hold", servers=servers, topic=topic, partitions=len(crowd.world.ends(INSTANCES)),
                             schema_ids=crowd.world.schema_ids)  # fmt: skip
        if found["instances"] != crowd.instances or ours["keys"] != crowd.instances:
            raise MeasurementFailed(f"The peer holds {found['instances']}, the worker {ours['keys']} instances.")
        ratios.append((ours["private"] - without["private"]) / found["bytes"])
        wholes.append(ours["resident"] / MB)
        details.append((ours["private"] - without["private"], found["bytes"], ours["seconds"], ours["peak"]))
    added, dicts, seconds, peak = (median(each) for each in zip(*details, strict=True))
    encoded = crowd.of_instances / crowd.instances
    yield RATIO.result(
        median(ratios), *interval(ratios),
        f"{added / MB:,.0f} against {dicts / MB:,.0f} MB; {encoded:,.0f} bytes encoded each",
    )  # fmt: skip
    yield WHOLE.result(
        median(wholes), *interval(wholes),
        f"at its peak {peak / MB:,.0f} MB; from the start of the process to the last partition {seconds:.1f} s",
    )  # fmt: skip


def _worker(bench: Bench, world: World) -> dict[str, float]:
    """Start a worker, wait until it has restored all partitions, and look at its memory."""
    with TemporaryDirectory() as folder, _ended(world, Path(folder), bench) as workers:
        began = time.monotonic()
        name = workers.start("advance")
        partitions = len(world.ends(INSTANCES))
        wait_until(lambda: workers.log(name).count('"restored"') >= partitions, "partitions restored", LIMIT_S)
        seconds = time.monotonic() - began
        keys = sum(_numbers(workers.log(name), "keys"))
        pid = workers.running[name].pid
        status, rollup = (Path(f"/proc/{pid}/{name}").read_text() for name in ("status", "smaps_rollup"))
        return {"seconds": seconds, "keys": keys, "private": _bytes(rollup, "Pss_Anon:"),
                "resident": _bytes(status, "VmRSS:"), "peak": _bytes(status, "VmHWM:")}  # fmt: skip


@contextmanager
def _ended(world: World, folder: Path, bench: Bench) -> Iterator[Workers]:
    workers = Workers(
        world.settings, environment(world.settings, bench.stack.environment(BUS_LOG_FORMAT="json"), folder), folder
    )
    try:
        yield workers
    finally:
        workers.end()


def _bytes(text: str, name: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(name))


def _numbers(log: str, name: str) -> list[int]:
    return [int(part.split(",")[0].rstrip("}")) for part in log.split(f'"{name}": ')[1:]]
