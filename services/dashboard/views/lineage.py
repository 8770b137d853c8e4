"""What an event follows from and what follows from it, as a tree. Personal data are masked for all but operators.

It is drawn of the index of ``deptbus trace``, which is brought up to date first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from deptbus.desk.refused import Missing
from deptbus.errors import CodecError, NotFound
from deptbus.jsondata import to_json
from deptbus.operations.lineage.chain import Chain, Node
from deptbus.operations.lineage.told import Teller, latency_ms
from deptbus.operations.lineage.tracing import Tracing
from deptbus.operations.masking import HIDDEN, Masker
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.projection.store import Stored

EVENTS_MAX = 500
"""Events in the tree at most."""
ABOVE_MAX, DEPTH_MAX = 40, 100
"""Causes shown above the event, and levels of the tree, at most: ids from outside may make a chain of any length."""


def lineage(look: Look, person: Person, event_id: str) -> dict[str, Any]:
    """The tree with the event in it, and others that belong to it. ``Missing``, also for what may not be seen."""
    tracing = Tracing(look.settings, look.catalogue)
    tracing.bring_up_to_date(lambda done, total: None)
    try:
        chain, teller = tracing.of_event(event_id, EVENTS_MAX)
    except NotFound:  # told as of one that may not be seen, and in both languages
        raise _missing(event_id) from None
    stored = {one.envelope.id: one for one in look.store.events([teller.id(node.row.id) for node in chain.nodes()])}
    drawing = Drawing(look, person, teller, stored)
    trees = drawing.trees(chain, event_id)
    return {"tree": trees[0], "others": trees[1:], "whole": chain.whole}


def _missing(event_id: str) -> Missing:
    return Missing(Said(f"没有事件 {event_id}。", f"There is no event {event_id}."))


class Drawing:
    """Draws a chain for one person."""

    def __init__(self, look: Look, person: Person, teller: Teller, stored: Mapping[str, Stored]) -> None:
        self._look = look
        self._person = person
        self._teller = teller
        self._stored = stored
        self._unmasked = person.has("operator")
        self._seen: dict[str, bool] = {}

    def trees(self, chain: Chain, event_id: str) -> list[dict[str, Any]]:
        """The trees, that of the event first; ``Missing`` where the person may see nothing that it belongs to."""
        named = {name for node in chain.nodes() for name in (node.row.instance, *node.opened) if name}
        asked = next(node for node in chain.nodes() if node.asked)
        own = {asked.row.instance} if asked.row.instance else named
        if not (self._sees_any(own) or self._person.sees([self._teller.department(asked.row)])):
            raise _missing(event_id)
        around = self._sees_any(named)
        first = _near(chain, asked)
        others = [root for root in chain.roots if all(not node.asked for node in root.all())]
        return [self._tree(root, around) for root in (first, *others)]

    def _tree(self, root: Node, around: bool) -> dict[str, Any]:
        drawn = self._node(root, None, around)
        left = [(root, drawn, 1)]
        while left:
            node, into, depth = left.pop()
            below = [*node.effects, *node.letters]
            if depth == DEPTH_MAX:
                into["more"] += len(below)
                continue
            for one in below:
                into["effects"].append(self._node(one, node, around))
                left.append((one, into["effects"][-1], depth + 1))
        return drawn

    def _sees_any(self, instances: Iterable[str]) -> bool:
        return any(self._sees(name) for name in instances)

    def _sees(self, instance: str) -> bool:
        if instance not in self._seen:
            found = self._look.store.instance(instance)
            concerned = orjson.loads(found.line)["departments"] if found is not None else []
            self._seen[instance] = self._person.sees(concerned)
        return self._seen[instance]

    def _node(self, node: Node, above: Node | None, around: bool) -> dict[str, Any]:
        row, teller = node.row, self._teller
        department = teller.department(row)
        shown = self._sees(row.instance) if row.instance else around or self._person.sees([department])
        drawn: dict[str, Any] = {
            "id": teller.id(row.id),
            "type": row.type,
            "department": department,
            "basis": row.basis,
            **row.place._asdict(),
            "at": row.time_ms,
            "latency_ms": latency_ms(node, above),
            "instance": row.instance,
            "opened": node.opened,
            "handled": self._handled(node),
            "causes": [] if row.cause is None else [teller.id(row.cause)],
            "cause_gone": node.cause_gone,
            "more": node.more,
            "is": node.asked,
            "actor": None,
            "data": None,
            "hidden": not shown,
            "effects": [],
        }
        if shown and (stored := self._stored.get(drawn["id"])) is not None:
            drawn["actor"] = self._actor(stored)
            drawn["data"] = self._data(stored)
        return drawn

    def _handled(self, node: Node) -> list[dict[str, Any]]:
        """Who has read it, who has not yet, and who gave it up; when is not on record."""
        handling = self._teller.handling(node)
        return [
            *({"by": group, "state": "handled"} for group in handling.handled),
            *({"by": group, "state": "waiting"} for group in handling.waiting),
            *(
                {"by": one.group, "state": "failed", "reason": one.reason, "message": one.message}
                for one in self._teller.failed(node)
            ),
        ]

    def _actor(self, stored: Stored) -> str | None:
        actor = stored.envelope.actor
        return actor if actor is None or self._unmasked else HIDDEN

    def _data(self, stored: Stored) -> Any:
        try:
            data = self._look.decode(stored.record)
        except CodecError:
            return None
        kind = stored.envelope.type
        schemas = self._look.catalogue.schemas
        if kind not in schemas.types():
            return None
        if not self._unmasked:
            data = Masker(file.schema for file in schemas.versions(kind))(data)
        return to_json(schemas.newest(kind).schema, data)


def _near(chain: Chain, asked: Node) -> Node:
    """The first cause of an event, or where that is very far the farthest that is shown."""
    above = {below.row.id: node for node in chain.nodes() for below in (*node.effects, *node.letters)}
    root = asked
    for _ in range(ABOVE_MAX):
        if root.row.id not in above:
            break
        root = above[root.row.id]
    return root
