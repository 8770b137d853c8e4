"""How far a worker has come in its inputs, transaction markers included. Pure."""

from collections.abc import Hashable, Mapping

_Partition = Hashable


class Positions:
    """Positions of the assigned partitions.

    A partition's records may end in transaction markers that no client is shown: where every record that was
    delivered is processed, the position is where the next fetch begins; else it follows the last processed record.
    """

    def __init__(self) -> None:
        self._reached: dict[_Partition, int] = {}
        self._delivered: dict[_Partition, int] = {}
        self._processed: dict[_Partition, int] = {}

    def clear(self) -> None:
        """Nothing is assigned any more."""
        self._reached = {}
        self._delivered = {}
        self._processed = {}

    def fetched(self, reached: Mapping[_Partition, int], delivered: Mapping[_Partition, int]) -> None:
        """After a fetch: where the next one begins, and the offsets after the last records handed on."""
        self._reached.update(reached)
        self._delivered.update(delivered)

    def processed(self, partition: _Partition, offset: int) -> None:
        """Everything before ``offset`` is processed."""
        self._processed[partition] = max(offset, self._processed.get(partition, 0))

    def of(self, partition: _Partition) -> int | None:
        """The next offset that is not processed; None while that is not known."""
        processed = self._processed.get(partition)
        delivered = self._delivered.get(partition)
        reached = self._reached.get(partition)
        if delivered is not None and (processed is None or processed < delivered):
            return processed
        if processed is None or reached is None:
            return processed if reached is None else reached
        return max(processed, reached)

    def all(self) -> dict[_Partition, int]:
        """Every position that is known."""
        known = {*self._reached, *self._processed}
        return {partition: position for partition in known if (position := self.of(partition)) is not None}

    def cover(self, ends: Mapping[_Partition, int]) -> bool:
        """Whether everything before these offsets is processed."""
        return all((self.of(partition) or 0) >= end for partition, end in ends.items())
