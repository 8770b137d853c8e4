"""What is told of a chain: by what right, where, when, how long each hop took, who handled it, where it failed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deptbus.catalogue import Catalogue
from deptbus.clock import iso
from deptbus.operations.lineage.chain import Chain, Node
from deptbus.operations.lineage.rows import Place, Row, unpacked
from deptbus.transport import Partition

Committed = Mapping[str, Mapping[Partition, int]]
"""By group, the next offset that it will read of each partition."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a dead letter says."""

    group: str
    reason: str
    message: str
    attempts: int
    letter: Place


@dataclass(frozen=True, slots=True)
class Handling:
    """Who has read a record, and who has not yet, by the groups that read its partition at all."""

    handled: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(slots=True)
class Teller:
    """Tells of the events of a chain. ``failures``: what its dead letters say, by their ids."""

    catalogue: Catalogue
    committed: Committed
    failures: Mapping[bytes, Failure]
    foreign: Mapping[bytes, str] = field(default_factory=dict)
    """Ids that are no UUIDs, as they were written."""

    def id(self, event_id: bytes) -> str:
        """An id as it is written."""
        return self.foreign.get(event_id) or unpacked(event_id)

    def department(self, row: Row) -> str:
        """Who published it: a department's id, or the bus's process."""
        return row.source.rsplit("/", 1)[-1]

    def title(self, department: str, lang: str) -> str | None:
        """A department's name; None for what is none."""
        known = self.catalogue.departments.get(department)
        return known.titles.get(lang) if known else None

    def failed(self, node: Node) -> list[Failure]:
        """Where it was given up, as far as that is known."""
        return [self.failures[one.row.id] for one in node.letters if one.row.id in self.failures]

    def handling(self, node: Node) -> Handling:
        """Who has read its first record and not given it up."""
        topic, partition, offset = node.row.place
        given_up = {failure.group for failure in self.failed(node)}
        handled: list[str] = []
        waiting: list[str] = []
        for group, offsets in sorted(self.committed.items()):
            at = offsets.get((topic, partition))
            if at is not None and group not in given_up:
                (handled if at > offset else waiting).append(group)
        return Handling(tuple(handled), tuple(waiting))

    def to_json(self, chain: Chain) -> dict[str, Any]:
        """The chain for programs."""
        return {"whole": chain.whole, "chain": [self._node(root, None) for root in chain.roots]}

    def _node(self, node: Node, above: Node | None) -> dict[str, Any]:
        row, handling = node.row, self.handling(node)
        return {
            "id": self.id(row.id),
            "type": row.type,
            "cause": None if row.cause is None else self.id(row.cause),
            "cause_gone": node.cause_gone,
            "asked": node.asked,
            "department": self.department(row),
            "source": row.source,
            "basis": row.basis,
            "instance": row.instance,
            "opened": node.opened,
            **_record(row),
            "time": iso(row.time_ms),
            "latency_ms": latency_ms(node, above),
            "again": [_record(one) for one in node.again],
            "handled_by": list(handling.handled),
            "waiting_for": list(handling.waiting),
            "failed": [
                {"group": one.group, "reason": one.reason, "message": one.message, "attempts": one.attempts,
                 "letter": one.letter._asdict()}
                for one in self.failed(node)
            ],
            "effects_left_out": node.more,
            "effects": [self._node(effect, node) for effect in node.effects],
            "letters": [self._node(letter, node) for letter in node.letters],
        }  # fmt: skip


def latency_ms(node: Node, above: Node | None) -> int | None:
    """From the record of what caused an event to its own, by the topics' timestamps; None for a beginning."""
    return None if above is None else node.row.timestamp_ms - above.row.timestamp_ms


def letter_places(chain: Chain, count_max: int) -> list[tuple[bytes, Place]]:
    """The dead letters of a chain, at most so many."""
    found = [(letter.row.id, letter.row.place) for node in chain.nodes() for letter in node.letters]
    return found[:count_max]


def ids_of(chain: Chain) -> Iterable[bytes]:
    """Every id in a chain, those of causes that are gone included."""
    for node in chain.nodes():
        yield node.row.id
        if node.row.cause is not None:
            yield node.row.cause


def _record(row: Row) -> dict[str, Any]:
    return {**row.place._asdict(), "timestamp": iso(max(0, row.timestamp_ms)), "replayid": row.replay}
