"""The counts of this process, as plain numbers: what the hot paths do with them is one addition.

A path asks once for the count of a label, and keeps it. Nothing here locks: an addition to an attribute is not
interrupted by another thread. Whoever exposes them (``exposing``) reads them when it is asked.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import NamedTuple

from deptbus.observe.names import Metric

BOUNDS = (
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
)  # fmt: skip
"""Upper bounds of a histogram's buckets, in seconds: from a handler in memory to one that asks another system."""

Labels = tuple[str, ...]


class Measure(NamedTuple):
    """One value of a gauge or counter, as of now."""

    metric: Metric
    labels: Labels
    value: float


Source = Callable[[], Iterable[Measure]]
"""What is asked at each scrape, from another thread: it must be quick, and touch nothing that may be half altered."""


class Count:
    """What only grows. ``count.value += 1``."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Timing:
    """How long something took, in buckets."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        """How many fell between one bound and the next; the last is beyond all bounds."""
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Take in one duration."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Counts:
    """All counts of a process, and the sources of what is known only when asked."""

    def __init__(self) -> None:
        self.counts: dict[Metric, dict[Labels, Count]] = {}
        self.timings: dict[Metric, dict[Labels, Timing]] = {}
        self.sources: list[Source] = []

    def count(self, metric: Metric, *labels: str) -> Count:
        """The count of these labels, always the same one."""
        return self.counts.setdefault(metric, {}).setdefault(labels, Count())

    def timing(self, metric: Metric, *labels: str) -> Timing:
        """The timing of these labels, always the same one."""
        return self.timings.setdefault(metric, {}).setdefault(labels, Timing())

    def ask(self, source: Source) -> Callable[[], None]:
        """Ask this source at each scrape, until the answer is called."""
        self.sources.append(source)

        def forget() -> None:
            if source in self.sources:
                self.sources.remove(source)

        return forget


PROCESS = Counts()
"""Those of this process: there is one process, whatever runs in it."""
