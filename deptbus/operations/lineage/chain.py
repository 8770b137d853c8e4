"""The chain of an event, or of a whole instance, as a tree. Pure apart from the edges that it asks for.

An event stands below the one that caused it, and what was given up of it as a dead letter. Above the event stand its
causes up to the first, and the event that opened its instance with what is said of the opening.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deptbus.operations.lineage.rows import Place, Row

CAUSES_MAX = 1_000
"""How far up causes are followed."""


class Edges(Protocol):
    """What is known of events: by the index, or by whatever a test gives."""

    def by_ids(self, ids: Iterable[bytes]) -> list[Row]:
        """Every record of these events."""

    def effects(self, ids: Iterable[bytes], count_max: int) -> list[Row]:
        """Records of events that follow from these, at most so many."""

    def effects_counted(self, ids: Iterable[bytes]) -> Mapping[bytes, int]:
        """How many events follow from each of these."""

    def of_instance(self, instance: str, count_max: int) -> list[Row]:
        """Records of events that name an instance, oldest first."""

    def opening(self, instance: str) -> Row | None:
        """The record that an instance opened."""

    def letters(self, places: Iterable[Place]) -> Mapping[Place, list[Row]]:
        """The dead letters that records were given up in."""


@dataclass(slots=True)
class Node:
    """One event in the tree."""

    row: Row
    """Its first record."""
    again: list[Row] = field(default_factory=list)
    """Its other records: published twice, sent again, replayed."""
    effects: list["Node"] = field(default_factory=list)
    """What follows from it, oldest first."""
    letters: list["Node"] = field(default_factory=list)
    """The dead letters that its records were given up in."""
    more: int = 0
    """How many effects are not in the tree."""
    opened: list[str] = field(default_factory=list)
    """The instances that it opened."""
    asked: bool = False
    """Whether it is the one that was asked for."""
    cause_gone: bool = False
    """Whether its cause is on no topic, or not any more."""

    def all(self) -> Iterator["Node"]:
        """This node and all below."""
        left = [self]
        while left:
            node = left.pop()
            yield node
            left += [*reversed(node.letters), *reversed(node.effects)]

    @property
    def rows(self) -> list[Row]:
        """All its records."""
        return [self.row, *self.again]


@dataclass(frozen=True, slots=True)
class Chain:
    """The tree, or several where what belongs to one instance has several beginnings."""

    roots: list[Node]
    whole: bool
    """Whether nothing was left out because of the bound."""

    def nodes(self) -> Iterator[Node]:
        """Every node, parents before what is below them."""
        for root in self.roots:
            yield from root.all()


def chain_of_event(edges: Edges, event_id: bytes, count_max: int, *, whole: bool = False) -> Chain | None:
    """The causes of an event, all that follows from it, and what opened its instance; None where it is not known.

    ``whole``: all that follows from its causes, too.
    """
    found = _Found(edges, count_max)
    found.add(edges.by_ids([event_id]))
    if event_id not in found.nodes:
        return None
    found.nodes[event_id].asked = True
    up = found.causes([event_id])
    found.effects(up if whole else [event_id])
    named = [found.nodes[event_id], *found.effects_of(event_id)]
    found.open(dict.fromkeys(node.row.instance for node in named if node.row.instance))
    return found.chain()


def chain_of_instance(edges: Edges, instance: str, count_max: int) -> Chain | None:
    """All events that name an instance, with their causes, what opened it first; None where nothing names it."""
    found = _Found(edges, count_max)
    rows = edges.of_instance(instance, count_max + 1)
    if not rows:
        return None
    found.add(rows[:count_max])
    found.whole = len(rows) <= count_max
    found.causes(list(found.nodes))
    found.open([instance])
    return found.chain()


class _Found:
    """What was found so far; ``chain`` makes the tree of it."""

    def __init__(self, edges: Edges, count_max: int) -> None:
        self._edges = edges
        self._count_max = count_max
        self.nodes: dict[bytes, Node] = {}
        self.whole = True

    def add(self, rows: Iterable[Row]) -> list[bytes]:
        """Take records; the events among them that are new."""
        new = []
        for row in rows:
            node = self.nodes.get(row.id)
            if node is None:
                self.nodes[row.id] = Node(row)
                new.append(row.id)
            elif all(row.place != known.place for known in node.rows):
                node.again.append(row)
                if row.timestamp_ms < node.row.timestamp_ms:
                    node.again[-1], node.row = node.row, row
        return new

    def causes(self, ids: list[bytes]) -> list[bytes]:
        """Find the causes of events up to the first; the ids met, those asked for first."""
        met = list(ids)
        for _ in range(CAUSES_MAX):
            wanted = {cause for one in ids if (cause := self.nodes[one].row.cause)} - self.nodes.keys()
            if not wanted:
                break
            ids = self.add(self._edges.by_ids(wanted))
            met += ids
        return met

    def effects(self, ids: list[bytes]) -> None:
        """Find what follows from events, and what from that, as long as the bound allows."""
        while ids:
            left = max(0, self._count_max - len(self.nodes))
            rows = self._edges.effects(ids, left + 1)
            self.whole &= len(rows) <= left
            ids = self.add(rows[:left])

    def effects_of(self, event_id: bytes) -> list[Node]:
        """What was found to follow from an event."""
        return [node for node in self.nodes.values() if node.row.cause == event_id]

    def open(self, instances: Iterable[str]) -> None:
        """Find what opened instances, and its causes."""
        for instance in instances:
            opening = self._edges.opening(instance)
            if opening is None or opening.cause is None:
                continue
            self.add([opening])
            self.causes([opening.id])
            if opening.cause in self.nodes:
                self.nodes[opening.cause].opened.append(instance)

    def chain(self) -> Chain:
        """The tree of what was found, with dead letters."""
        self._bury()
        nodes = sorted(self.nodes.values(), key=lambda node: (node.row.timestamp_ms, node.row.time_ms))
        roots = []
        above = _Above({node.row.id: node.row.cause for node in nodes})
        for node in nodes:
            cause = node.row.cause
            if cause is not None and cause in self.nodes and above.free(node.row.id):
                self.nodes[cause].effects.append(node)
            else:
                node.cause_gone = cause is not None and cause not in self.nodes
                roots.append(node)
        counted = self._edges.effects_counted(self.nodes)
        for event_id, node in self.nodes.items():
            node.more = max(0, counted.get(event_id, 0) - len(node.effects))
        roots.sort(key=lambda node: (not node.opened, node.row.timestamp_ms))
        return Chain(roots, self.whole)

    def _bury(self) -> None:
        """Find the dead letters of all records, and what was done about them."""
        by_place = {row.place: node for node in self.nodes.values() for row in node.rows}
        letters = self._edges.letters(by_place)
        for place, rows in letters.items():
            for row in rows:
                if row.id not in self.nodes:
                    by_place[place].letters.append(Node(row))


class _Above:
    """Refuses the one edge that would close a circle: ids that come from outside may say anything."""

    def __init__(self, causes: Mapping[bytes, bytes | None]) -> None:
        self._causes = causes
        self._fine: set[bytes] = set()
        self._cut: set[bytes] = set()

    def free(self, event_id: bytes) -> bool:
        """Whether an event may stand below its cause."""
        path: list[bytes] = []
        on_path: set[bytes] = set()
        at: bytes | None = event_id
        while at is not None and at in self._causes and at not in self._fine and at not in self._cut:
            if at in on_path:
                self._cut.add(event_id)
                return False
            path.append(at)
            on_path.add(at)
            at = self._causes[at]
        self._fine.update(path)
        return event_id not in self._cut
