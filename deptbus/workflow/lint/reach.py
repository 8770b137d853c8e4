"""What can come about in an instance: values of facts, levels, triggers, timers and steps. Pure.

Begins with what an instance opens with and adds what rules, timers and steps can make of it until nothing new comes.
Sound: what is not in it never happens to an instance of this pack alone; one that was moved here may bring more along.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deptbus.workflow.definition import LEVELS, RANK
from deptbus.workflow.expressions import Expression
from deptbus.workflow.lint.values import (
    ANY,
    BOTH,
    COUNT,
    NUMBER,
    Known,
    Range,
    Value,
    assume,
    can_be,
    constant,
    join,
    values,
)
from deptbus.workflow.pack import APPROVAL, CompiledRule, Pack

Symbols = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By event type, the fields that hold one of a few symbols, by dotted path."""

_ROUNDS_EXACT = 8
"""After so many rounds whatever still grows counts as unbounded."""
_NONE = Range(0, 0)
_KINDS: Mapping[str, Value] = {"int": NUMBER, "double": NUMBER, "bool": BOTH}


@dataclass(slots=True)
class Reach:
    """What can come about. ``triggers`` are written as in the definition."""

    pack: Pack
    symbols: Symbols
    facts: dict[str, Value] = field(default_factory=dict)
    level: Range = _NONE
    triggers: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    """Steps that can be asked for, and gates."""

    def at(self, event_type: str | None = None) -> dict[str, Value]:
        """What is known of the variables of an expression, with an event of a type at hand."""
        definition = self.pack.definition
        known: dict[str, Value] = {"level_rank": self.level, "parts": COUNT, "open_tasks": COUNT, "at": NUMBER}
        ranks = [LEVELS[rank - 1] for rank in range(max(int(self.level.low), 1), int(self.level.high) + 1)]
        known["level"] = frozenset(ranks if self.level.low else ["", *ranks])
        if not definition.directives:
            known["lead"] = frozenset({""})
        known |= {f"facts.{name}": value for name, value in self.facts.items()}
        for name in self.pack.steps:
            count = COUNT if name in self.steps else _NONE
            known |= {f"{what}.{name}": count for what in ("open", "asked", "done")}
        if event_type is not None:
            named = self.symbols.get(event_type, {})
            for path, kind in self.pack.content.fields.get(event_type, {}).items():
                symbols = named.get(path)
                known[f"event.{path}"] = frozenset(symbols) if symbols else _KINDS.get(kind, ANY)
        return known


def reach(pack: Pack, symbols: Symbols) -> Reach:
    """What can come about in an instance of a pack."""
    found = Reach(pack, symbols)
    for name, fact in pack.definition.facts.items():
        found.facts[name] = constant(fact.initial)
    if pack.definition.directives:
        found.level = Range(0, len(LEVELS))
        found.triggers.add("level")
    found.triggers |= {"opened", "merged", "split"}  # an instance of another workflow may be put under any
    rounds = 0
    while _grow(found, widen=rounds >= _ROUNDS_EXACT):
        rounds += 1
    return found


def applies(rule: CompiledRule, found: Reach) -> Known | None:
    """What is known where a rule applies; None where its guard never holds."""
    known = found.at(rule.on)
    return known if rule.when is None else assume(rule.when.tree, True, known)


def trigger_event(pack: Pack, triggers: Iterable[str]) -> str | None:
    """The event type that is at hand when one of the triggers comes, where it is one."""
    rules = {name: rule.on for name, rule in pack.rules.items()}
    types: set[str | None] = set()
    for trigger in triggers:
        kind, _, name = trigger.partition(":")
        completed = pack.steps[name].completed_by if kind == "completed" and name in pack.steps else frozenset()
        types |= {rules.get(name)} if kind == "rule" else completed or {None}
    return types.pop() if len(types) == 1 else None


def _grow(found: Reach, *, widen: bool) -> bool:
    """One round; whether anything was new."""
    before = (dict(found.facts), found.level, len(found.triggers), len(found.steps))
    for rule in found.pack.rules.values():
        known = applies(rule, found)
        if known is not None:
            found.triggers.add(f"rule:{rule.rule}")
            found.triggers |= {f"timer:{timer}" for timer in rule.restart}
            _assign(found, rule.set, known, widen)
    for timer in found.pack.timers.values():
        if f"timer:{timer.timer}" in found.triggers:
            _assign(found, timer.set, found.at(), widen)
    _level(found)
    for step in found.pack.definition.steps:
        compiled = found.pack.steps[step.step + APPROVAL if step.gate else step.step]
        if found.triggers.isdisjoint(step.on):
            continue
        if compiled.when is None or can_be(compiled.when.tree, found.at(trigger_event(found.pack, step.on)), True):
            for name in (compiled.step, step.step):
                found.steps.add(name)
                found.triggers |= {f"completed:{name}", f"declined:{name}"}
    return before != (found.facts, found.level, len(found.triggers), len(found.steps))


def _assign(found: Reach, assigned: tuple[tuple[str, Expression], ...], known: Known, widen: bool) -> None:
    for name, expression in assigned:
        before = found.facts[name]
        after = join(before, values(expression.tree, known))
        if widen and isinstance(before, Range) and isinstance(after, Range):
            low = before.low if after.low == before.low else -math.inf
            after = Range(low, before.high if after.high == before.high else math.inf)
        found.facts[name] = ANY if widen and after != before and not isinstance(after, Range) else after


def _level(found: Reach) -> None:
    pack = found.pack
    if pack.level_of is None:
        return
    value = values(pack.level_of.tree, found.at())
    high = value.high if isinstance(value, Range) else math.inf
    ranks = [RANK[level] for at_least, level in pack.rows if at_least <= high]
    if ranks:
        found.triggers.add("level")
        found.level = Range(0, max(found.level.high, *ranks))
