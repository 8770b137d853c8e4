"""Since when a position does not move although there is something before it. Pure."""

from collections.abc import Hashable


class Standing:
    """Asked now and then, with where each partition is."""

    def __init__(self) -> None:
        self._moved: dict[Hashable, tuple[int, float]] = {}

    def stalled_s(self, partition: Hashable, reached: int, end: int, now_s: float) -> float:
        """How long ``partition`` has been seen at ``reached`` with ``end`` beyond it."""
        at, since_s = self._moved.get(partition, (-1, now_s))
        if at != reached or reached >= end:
            at, since_s = reached, now_s
        self._moved[partition] = at, since_s
        return now_s - since_s
