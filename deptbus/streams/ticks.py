"""When a journal partition gets a tick in actual life (I5). Pure: reports go in, times come out."""

from collections.abc import Iterable


class TickPolicy:
    """Decides by broker time alone. ``input_wait_ms``: how long a due time waits for inputs to be read.

    ``inputs`` are all partitions that ``correlate`` reads, written ``<topic>/<number>``; while there are none, no
    due time is known to be covered.
    """

    def __init__(self, input_wait_ms: int, inputs: Iterable[str] = ()) -> None:
        self._input_wait_ms = input_wait_ms
        self.inputs = frozenset(inputs)
        self.now_ms = 0
        """The latest broker time heard of."""
        self._covered: dict[str, int] = {}

    def heard(self, time_ms: int, positions: Iterable[str] = (), covered_until: int | None = None) -> None:
        """A report on ``bus.progress`` was appended at ``time_ms``, broker time.

        A worker of ``correlate`` had then read the partitions in ``positions`` to their ends as of ``covered_until``.
        """
        self.now_ms = max(self.now_ms, time_ms)
        if covered_until is None:
            return
        for partition in positions:
            self._covered[partition] = max(covered_until, self._covered.get(partition, 0))

    @property
    def covered_ms(self) -> int:
        """The time as of which every input is read to its end; 0 while that is not known."""
        return min((self._covered.get(partition, 0) for partition in self.inputs), default=0)

    def tick(self, next_due: int | None, after_ms: int) -> int | None:
        """The time that a tick is to carry, if one is due: at least ``next_due``, more than ``after_ms``."""
        if next_due is None or next_due > self.now_ms:
            return None
        at: int | None = None
        covered = min(self.covered_ms, self.now_ms)
        if covered >= next_due:
            at = covered
        elif self.now_ms - next_due >= self._input_wait_ms:
            at = self.now_ms
        return at if at is not None and at > after_ms else None
