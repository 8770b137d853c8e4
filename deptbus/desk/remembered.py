"""What an instance remembers, as people read it: each fact by its name in the definition. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from deptbus.workflow.definition import Definition, Titles

Value = int | float | str | bool


class Remembered(NamedTuple):
    """A fact that says something."""

    name: str
    """Its id in the definition."""
    titles: Titles
    value: Value
    time: bool
    """Whether the value is a time, in milliseconds since the epoch."""


class Named(NamedTuple):
    """What a task is told, by its name."""

    name: str
    titles: Titles
    value: str


def to_json(one: Remembered | Named) -> dict[str, Any]:
    """Either for programs."""
    return one._asdict() | {"titles": one.titles.model_dump()}


def told(context: Mapping[str, str], definition: Definition | None) -> list[Named]:
    """What a task is told about its incident; what has the name of a fact is called as the fact."""
    return [Named(name, _titles(name, definition), value) for name, value in context.items()]


def remembered(facts: Mapping[str, Any] | None, definition: Definition | None) -> list[Remembered]:
    """The facts that say something, in the definition's order; those that it does not know come last, by name."""
    of = definition.facts if definition is not None else {}
    order = {name: number for number, name in enumerate(of)}
    found = []
    for name, value in sorted((facts or {}).items(), key=lambda fact: (order.get(fact[0], len(order)), fact[0])):
        fact = of.get(name)
        time = fact is not None and fact.time
        if value is None or value == "" or (time and not value):
            continue
        found.append(Remembered(name, _titles(name, definition), value, time))
    return found


def _titles(name: str, definition: Definition | None) -> Titles:
    fact = definition.facts.get(name) if definition is not None else None
    return (fact and fact.titles) or Titles(zh=name, en=name)
