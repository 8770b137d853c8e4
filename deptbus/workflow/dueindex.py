"""The earliest due time of every key of a partition, found by time. Pure."""

import heapq


class DueIndex:
    """See the module. Times that were replaced stay in the heap until they come to its top, or are too many."""

    def __init__(self, dues: dict[str, int] | None = None) -> None:
        """With the due times of keys, which it makes its own."""
        self._due: dict[str, int] = {} if dues is None else dues
        self._heap: list[tuple[int, str]] = []
        self._passed: dict[str, int] = {}
        """What was before a time that was asked for: no more in the heap."""
        self._build()

    def set(self, name: str, due: int | None) -> None:
        """From now on the earliest due time of a key is this one; None for none."""
        if due is None:
            self._due.pop(name, None)
            self._passed.pop(name, None)
        elif self._due.get(name) != due:
            self._due[name] = due
            self._passed.pop(name, None)
            heapq.heappush(self._heap, (due, name))
            if len(self._heap) > 2 * len(self._due) + 1_000:
                self._build()

    def _build(self) -> None:
        self._passed.clear()
        self._heap = [(due, name) for name, due in self._due.items()]
        heapq.heapify(self._heap)

    @property
    def earliest(self) -> int | None:
        """The earliest of all."""
        heap = self._heap
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return min([*self._passed.values(), *(due for due, _ in heap[:1])], default=None)

    def before(self, until: int) -> list[str]:
        """The keys in which something falls due before ``until``, in no order."""
        heap, passed = self._heap, self._passed
        while heap and heap[0][0] < until:
            due, name = heapq.heappop(heap)
            if self._due.get(name) == due:
                passed[name] = due
        return [name for name, due in passed.items() if due < until]
