"""Two ways to do the same work, measured in turns within one run, so that whatever the machine does meets both."""

from collections.abc import Callable, Sequence
from math import comb
from statistics import median
from typing import NamedTuple

Run = Callable[[], float]
"""Does the work once, checks what came of it, and answers the rate: work done in a second, or any cost."""

CONFIDENCE = 0.95


class Ratio(NamedTuple):
    """The median of the ratios of pairs, and the interval of its 95 %."""

    median: float
    low: float
    high: float
    ours: float
    """The median of our runs."""
    peer: float
    """The median of the peer's."""


def alternate(ours: Run, peer: Run, pairs: int, *, warm_up: int = 1) -> Ratio:
    """Run A B A B …; ``warm_up`` runs of each come before and do not count."""
    for _ in range(warm_up):
        ours(), peer()
    found = [(ours(), peer()) for _ in range(pairs)]  # a tuple is made from left to right
    low, high = interval([a / b for a, b in found])
    return Ratio(median(a / b for a, b in found), low, high, median(a for a, _ in found), median(b for _, b in found))


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between which of the values the true median lies with this confidence, whatever their distribution.

    The two order statistics whose binomial probability of holding the median between them is large enough; the
    smallest and the largest where there are too few values for that.
    """
    ordered, count = sorted(values), len(values)
    outside = 0.0
    rank = 0
    while rank < count // 2:
        outside += 2 * comb(count, rank) / 2**count
        if outside > 1 - confidence:
            break
        rank += 1
    at = max(0, rank - 1)
    return ordered[at], ordered[count - 1 - at]
