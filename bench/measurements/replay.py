"""Replaying a million events: raw beside ``kcat -C`` into a file, filtered by fields beside a loop by hand, and memory.

Both sides begin with nothing connected and end when all is done; what was written is read back afterwards and does not
count. kcat reads and writes a file; a replay writes every event to Kafka again, with a header more, in transactions.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from statistics import median

from bench.cases import REGION, TOPIC, TYPE, cases
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Ratio, alternate
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World
from deptbus import bootstrap
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.ends import bounds
from deptbus.kafka.recordbytes import Batch, Span
from deptbus.kafka.scanning import scan
from deptbus.operations.digests import Digest, differences
from deptbus.topics.plan import TopicState

RAW = Bound("replay of a million events into a new topic, against kcat -C into a file", 0.5)
FILTERED = Bound("replay decoded and filtered by a field, against a loop by hand with fastavro", 0.8)
MEMORY = Bound("memory of a replay of a million events", 200, at_most=True, unit="MB")
BOUNDS = (RAW, FILTERED, MEMORY)
MB = 1_000_000
_BEGINS = 1_580_000_000_000
"""When the first case was reported; each a millisecond later than the one before."""


def measure(bench: Bench) -> Iterable[Result]:
    """About 5 minutes; one when quick."""
    if shutil.which("kcat") is None:
        raise MeasurementFailed("kcat is not installed; it is in the package kcat of Debian and Ubuntu.")
    world = World(bench, "bench-replay", [TOPIC])
    number, pairs = bench.of(1_000_000, 100_000), bench.of(9, 2)
    _publish(world, number)
    servers, source = world.settings.bootstrap_servers, world.physical(TOPIC)
    runs = count()
    peaks: list[float] = []
    with (
        Side(bench.python, "bench.ours.replay", world.environment) as ours,
        Side(bench.python, "bench.peers.replay") as peer,
    ):
        ours.ask("open", topic=TOPIC)
        peer.ask("open", servers=servers, topic=source, schema_id=world.schema_ids[TYPE])

        def raw() -> float:
            target = _target(world, f"raw-{next(runs)}")
            told = ours.ask("copy", target=target, types=[], where=[])
            peaks.append(told["peak"] / MB)
            _check(world, target, number)
            world.admin.delete(world.settings.world, [target])
            return number / float(told["seconds"])

        def filtered() -> float:
            target = _target(world, f"some-{next(runs)}")
            told = ours.ask("copy", target=target, types=[TYPE], where=[f"reported_at>={_since(number)}"])
            _count(world, target, number - number // 2)
            world.admin.delete(world.settings.world, [target])
            return number / float(told["seconds"])

        def by_hand() -> float:
            target = _target(world, f"hand-{next(runs)}")
            told = peer.ask("copy", target=world.physical(target), kind=TYPE, since=_since(number))
            _count(world, target, number - number // 2)
            world.admin.delete(world.settings.world, [target])
            return number / float(told["seconds"])

        yield _result(RAW, alternate(raw, lambda: _kcat(servers, source, number), pairs))
        yield MEMORY.result(median(peaks), min(peaks), max(peaks), "of the whole process, at its peak")
        yield _result(FILTERED, alternate(filtered, by_hand, bench.of(5, 2)))


def _since(number: int) -> int:
    return _BEGINS + number // 2


def _result(bound: Bound, ratio: Ratio) -> Result:
    detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} events/s"
    return bound.result(ratio.median, ratio.low, ratio.high, detail)


def _publish(world: World, number: int) -> None:
    bus = bootstrap.connect(world.settings, "health", catalogue=world.catalogue)
    for data, subject in cases(number):
        bus.publish_soon(TYPE, data, subject=subject, region=REGION)
    bus.flush()
    bus.close()
    if sum(world.ends(TOPIC).values()) != number:
        raise MeasurementFailed(f"{TOPIC} does not hold {number} events.")


def _target(world: World, name: str) -> str:
    configs = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    world.admin.create(world.settings.world, [TopicState(name, len(world.ends(TOPIC)), 1, configs)])
    return name


def _kcat(servers: str, topic: str, number: int) -> float:
    """Read everything into a file, one value a line."""
    with tempfile.NamedTemporaryFile() as file:
        began = time.perf_counter()
        subprocess.run(
            ["kcat", "-b", servers, "-C", "-t", topic, "-o", "beginning", "-e", "-q"], stdout=file, check=True
        )
        seconds = time.perf_counter() - began
        size = Path(file.name).stat().st_size
    if size < number * 270:
        raise MeasurementFailed(f"kcat wrote {size} bytes, fewer than {number} values have.")
    return number / seconds


def _digests(world: World, topic: str) -> dict[tuple[str, int], Digest]:
    found: dict[tuple[str, int], Digest] = {}

    def visit(_: str, partition: int, batch: Batch, data: bytes, span: Span) -> None:
        found.setdefault((topic, partition), Digest()).add(data[span.key : span.headers])

    physical = world.physical(topic)
    ranges = {
        (physical, number): each for number, each in bounds(reader_configuration(world.settings), physical).items()
    }
    scan(world.settings, ranges, visit)
    return found


def _check(world: World, target: str, number: int) -> None:
    """``MeasurementFailed`` unless the target is what the source is."""
    read, written = _digests(world, TOPIC), _digests(world, target)
    wrong = differences(read, written, {TOPIC: target})
    if wrong or sum(each.count for each in read.values()) != number:
        raise MeasurementFailed(f"{target} is not what was replayed: {wrong}")


def _count(world: World, target: str, number: int) -> None:
    found = sum(each.count for each in _digests(world, target).values())
    if found != number:
        raise MeasurementFailed(f"{target} holds {found} events, not {number}.")
