"""How much of each resource an incident asked for, and what became of that. Pure.

Three things may say so; each figure comes from the first of them that has it:

1. whole-number facts of the workflow named ``<resource>_<figure>``, such as ``boats_committed``, or after a figure
   alone, for everything together: ``committed``;
2. events of the instance that name a ``resource`` and a ``quantity``; the last word of their type is the figure:
   ``health.ResourceCommitted``, ``hospitals.ResourceShort``;
3. tasks whose context names a ``resource`` and a ``quantity``.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from deptbus.desk.told import Told

RESOURCE, QUANTITY = "resource", "quantity"
FIGURES = ("requested", "committed", "deployed", "short", "released", "declined", "cancelled", "open")
_OF_EVENTS = ("requested", "committed", "deployed", "released", "declined")
_WORDS = {"Short": "requested", "Returned": "released"} | {name.capitalize(): name for name in _OF_EVENTS}
"""What the last word of an event's type says of a quantity (EDXL-RM)."""
_LAST_WORD = re.compile(r"[A-Z][a-z]*$")
_FACT = re.compile(rf"(?:(.+)_)?({'|'.join((*_OF_EVENTS, 'short'))})")
_ALL_RELEASED = "resources_released"
"""A fact that says without figures whether all went back."""


class Asking(Protocol):
    """What is to be known of a task."""

    context: Mapping[str, str]
    outcome: str | None


def figure_of(event_type: str) -> str | None:
    """What an event of this type says of a quantity; None where it says nothing."""
    found = _LAST_WORD.search(event_type)
    return _WORDS.get(found[0]) if found else None


def names_resources(event_type: str, fields: Iterable[str]) -> bool:
    """Whether events of a type with these fields say how much of a resource there is."""
    return {RESOURCE, QUANTITY} <= set(fields) and figure_of(event_type) is not None


def resources(tasks: Iterable[Asking], events: Iterable[Told], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One line for each resource: its figures, and by figure what said so (``facts``, ``events``, ``tasks``).

    The resource of a line for everything together is empty. A figure that nothing says is None; ``released`` may be
    whether all went back.
    """
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for source, figures in (("tasks", _of_tasks(tasks)), ("events", _of_events(events)), ("facts", _of_facts(facts))):
        for (name, figure), quantity in figures.items():
            found.setdefault(name, {})[figure] = source, quantity
    lines = []
    for name, said in sorted(found.items()):
        line: dict[str, Any] = {RESOURCE: name} | {figure: said.get(figure, ("", None))[1] for figure in FIGURES}
        if line["released"] is None:
            line["released"] = facts.get(_ALL_RELEASED)
        lines.append(line | {"sources": {figure: source for figure, (source, _) in said.items()}})
    return lines


def _of_tasks(tasks: Iterable[Asking]) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = {}
    for task in tasks:
        name, quantity = task.context.get(RESOURCE), task.context.get(QUANTITY, "")
        if name and quantity.isdigit():
            became = "committed" if task.outcome == "completed" else task.outcome or "open"
            for figure in ("requested", "committed", "declined", "cancelled", "open"):
                counts = int(quantity) if figure in ("requested", became) else 0
                totals[name, figure] = totals.get((name, figure), 0) + counts
    return totals


def _of_events(events: Iterable[Told]) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = {}
    for told in events:
        figure = figure_of(told.type)
        if figure is not None:
            key = str(told.data[RESOURCE]), figure
            totals[key] = totals.get(key, 0) + int(told.data[QUANTITY])
    return totals


def _of_facts(facts: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    totals = {}
    for name, value in facts.items():
        found = _FACT.fullmatch(name)
        if found and isinstance(value, int) and not isinstance(value, bool):
            totals[found[1] or "", found[2]] = max(value, 0)
    return totals
