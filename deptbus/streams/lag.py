"""How far a processor is behind in each of its partitions, as metrics."""

import time
from collections.abc import Iterator, Mapping

from faust.types import TP

from deptbus.observe.counting import Measure
from deptbus.observe.names import LAG, STALLED
from deptbus.observe.standing import Standing
from deptbus.streams.transport import Consumer
from deptbus.streams.wiring import Wiring


class Lag:
    """Of one processor; asked every few seconds."""

    def __init__(self, wiring: Wiring) -> None:
        self._group = wiring.role
        self._logical = wiring.world.logical
        self._standing = Standing()

    def measures(self, consumer: Consumer, done: Mapping[TP, int]) -> Iterator[Measure]:
        """``done``: the offset before which everything is done with, by partition."""
        now_s = time.monotonic()
        reached, ends = consumer.reached(), consumer.ends_seen()
        for tp, offset in done.items():
            if offset >= consumer.delivered.get(tp, 0):  # what else there is, are marks that nobody is shown
                offset = max(offset, reached.get(tp, 0))  # noqa: PLW2901  # where it really is
            end = ends.get(tp, offset)
            where = (self._group, self._logical(tp.topic), str(tp.partition))
            yield Measure(LAG, where, max(0, end - offset))
            yield Measure(STALLED, where, self._standing.stalled_s(tp, offset, end, now_s))
