"""How long folding a journal takes, beside a single pass that only decodes it.

Ours is what ``deptbus workflows fold`` does: partitions side by side, one process for each core, every entry read,
decoded and applied, every instance's and key's last snapshot encoded and compared byte by byte with the one that stands
on ``workflow.instances``; it must find them equal. The peer is one pass of one process over the same journal.
"""

from collections.abc import Iterable
from functools import partial

from bench.journal import Journal
from bench.ours.wired import advance
from bench.snapshots import TOPICS
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import Run, alternate
from bench.suite.processes import MeasurementFailed, Side
from bench.suite.world import World
from deptbus.streams.wiring import JOURNAL

FOLD = Bound("fold of a journal of a million entries, against a single pass of decode only", 0.2)
BOUNDS = (FOLD,)


def measure(bench: Bench) -> Iterable[Result]:
    """About 9 minutes; a journal of 40,000 entries when quick."""
    world = World(bench, "bench-fold", TOPICS)
    entries = _write(bench, world, bench.of(1_000_000, 40_000))
    with (
        Side(bench.python, "bench.ours.fold", world.environment) as ours,
        Side(bench.python, "bench.peers.fold", world.environment) as peer,
    ):
        peer.ask("open")
        ratio = alternate(_ours(ours, entries), _peer(peer, world, entries), bench.of(5, 3))
    detail = f"{ratio.ours:,.0f} against {ratio.peer:,.0f} entries/s ({entries:,} entries)"
    return [FOLD.result(ratio.median, ratio.low, ratio.high, detail)]


def _write(bench: Bench, world: World, wanted: int) -> int:
    """Write a journal, and the snapshots it comes to; how many entries it has."""
    bench.say(f"writing a journal of {wanted:,} entries")
    wiring = advance(world.settings)
    count, partitions = 0, world.catalogue.topic(JOURNAL).partitions
    for number in range(partitions):
        journal = Journal(wiring.codec, number, wanted // partitions, partitions)
        prepare, send = partial(wiring.workflow.prepare, subject="bench", time_ms=0), wiring.sender.send
        for key, entry in journal:
            ready = prepare("workflow.EntryAppended", {"entry": entry}, key=key)
            send(ready.topic, ready.key, ready.value, ready.headers, ready.id, number)
            count += 1
        for name, snapshot in journal.snapshots.items():
            ready = prepare(snapshot.type, wiring.codec.decode(snapshot.value), key=name)
            send(ready.topic, ready.key, snapshot.value, ready.headers, ready.id, number)
    wiring.close()
    return count


def _ours(side: Side, entries: int) -> Run:
    def run() -> float:
        found = side.ask("fold")
        if not found["equal"] or found["entries"] != entries:
            raise MeasurementFailed(f"The fold comes to {found}; there are {entries} entries.")
        return entries / float(found["seconds"])

    return run


def _peer(side: Side, world: World, entries: int) -> Run:
    def run() -> float:
        found = side.ask("decode", topic=world.physical(JOURNAL), partitions=len(world.ends(JOURNAL)))
        if found["entries"] != entries or found["bodies"] < entries * 0.9:
            raise MeasurementFailed(f"The peer has decoded {found}; there are {entries} entries.")
        return entries / float(found["seconds"])

    return run
