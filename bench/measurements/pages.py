"""The dashboard's live stream with very many pages open, beside a bare fan-out on Starlette.

Open-loop: a change counts from when it was meant to be published to when a page has read it. Pages are plain sockets
of one other process, on the same two cores. With ``stalled`` pages that stop reading and ``flapping`` ones that leave
and come back, the others must not notice, and those that come back must have missed nothing.
"""

from collections.abc import Iterable
from statistics import median
from typing import Any

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed, Side

LATE = Bound("a change to 1,000 pages at 10 a second, p99, ms", 250, at_most=True, unit="ms")
DISTURBED = Bound("the same with 100 stalled and 100 flapping pages more, p99, ms", 250, at_most=True, unit="ms")
MEMORY = Bound("memory of the server for a page, KB", 64, at_most=True, unit="KB")
RATE = Bound("highest rate of changes to 1,000 pages without a miss / a bare Starlette fan-out", 0.8)
BOUNDS = (LATE, DISTURBED, MEMORY, RATE)

PER_S = 10
OUR_PATH, PEER_PATH = "/api/stream", "/stream"
AFTER_S = 1.0
"""A rate is kept up with when all pages have all changes so soon after the last."""
_GROWTH, _CLOSE = 1.5, 1.08
"""Rates are tried in such steps up, then between the last two until they are so close."""


def measure(bench: Bench) -> Iterable[Result]:
    """All four."""
    pages, seconds, pairs = bench.of(1_000, 200), bench.of(60, 6), bench.of(5, 1)
    odd = bench.of(100, 20)
    environment = bench.stack.environment(BUS_LOG_LEVEL="warning")
    with (
        Side(bench.python, "bench.ours.fanout", environment) as ours,
        Side(bench.python, "bench.peers.fanout") as peer,
        Side(bench.peers_python, "bench.peers.crowd") as crowd,
    ):
        our_port, peer_port = ours.ask("start"), peer.ask("start")
        crowd.ask("connect", port=our_port, path=OUR_PATH, after=ours.ask("last"), reading=100)  # warm
        crowd.ask("disconnect")
        empty = ours.ask("memory")
        crowd.ask("connect", port=our_port, path=OUR_PATH, after=ours.ask("last"), reading=pages)
        each = (ours.ask("memory") - empty) / pages
        calm = _run(ours, crowd, PER_S, seconds)
        crowd.ask("disconnect")
        crowd.ask(
            "connect", port=our_port, path=OUR_PATH, after=ours.ask("last"), reading=pages, stalled=odd, flapping=odd
        )
        disturbed = _run(ours, crowd, PER_S, seconds)
        loaded = (ours.ask("memory") - empty) / (pages + 2 * odd)
        crowd.ask("disconnect")
        found = [
            (
                _highest(ours, crowd, our_port, OUR_PATH, pages, bench.of(4, 1)),
                _highest(peer, crowd, peer_port, PEER_PATH, pages, bench.of(4, 1)),
            )
            for _ in range(pairs)
        ]
    for bound, run in ((LATE, calm), (DISTURBED, disturbed)):
        yield bound.result(run["p99_ms"], run["p50_ms"], run["max_ms"], "between p50 and the slowest of all")
    yield MEMORY.result(max(each, loaded), min(each, loaded), max(each, loaded), "idle, and under load")
    ratios = [our / bare for our, bare in found]
    rates = [median(pair[side] for pair in found) for side in (0, 1)]
    yield RATE.result(median(ratios), *interval(ratios), f"{rates[0]:.0f} against {rates[1]:.0f} changes/s")


def _run(side: Side, crowd: Side, rate: float, seconds: float) -> dict[str, Any]:
    """Publish for a while; every page must have everything."""
    published = side.ask("publish", rate=rate, seconds=seconds)
    found: dict[str, Any] = crowd.ask("settle", last=published["last"], limit_s=10)
    if found["missed"] or found["resets"]:
        raise MeasurementFailed(f"{found['missed']} pages missed a change, {found['resets']} had to fetch all again")
    return found


def _highest(side: Side, crowd: Side, port: int, path: str, pages: int, seconds: float) -> float:
    """The highest rate that all pages keep up with."""

    def holds(rate: float) -> bool:
        crowd.ask("connect", port=port, path=path, after=side.ask("last"), reading=pages)
        try:
            published = side.ask("publish", rate=rate, seconds=seconds)
            found = crowd.ask("settle", last=published["last"], limit_s=AFTER_S)
            kept_up: bool = not (found["missed"] or found["resets"]) and published["late_ms"] < AFTER_S * 1000
            return kept_up
        finally:
            crowd.ask("disconnect")

    low, high = 0.0, float(PER_S)
    while holds(high):
        low, high = high, high * _GROWTH
    while high / max(low, 1.0) > _CLOSE and high > 1:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low or high
