"""A pack: an immutable, content-hashed bundle of one workflow version, compiled for ``advance`` and ``correlate``.

The canonical JSON of ``PackContent`` is what is hashed, stored and sent; compiling it checks every expression.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from pydantic import ValidationError

from deptbus.clock import LATEST_MS, from_iso
from deptbus.errors import DefinitionError
from deptbus.workflow.deadlines import deadline, plain_ms
from deptbus.workflow.definition import (
    Definition,
    PackContent,
    Responsibility,
    Rule,
    Rung,
    Step,
    Timer,
    Titles,
    split_duration,
)
from deptbus.workflow.expressions import Environment, Expression, Result

APPROVAL = "_approval"
"""The gate of a step is a step of its own, named after it with this ending."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A correlation rule, ready to be applied."""

    rule: str
    on: str
    opens: bool
    by_region: bool
    window_ms: int
    park_max: int
    basis: str
    restart: tuple[str, ...]
    when: Expression | None
    key: Expression | None
    region: Expression | None
    subject: Expression | None
    alias: Expression | None
    set: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """A step, ready to be asked for."""

    step: str
    titles: Titles
    role: str
    basis: str
    acknowledge_by: str
    complete_by: str
    every: str | None
    only_one: bool
    completed_by: frozenset[str]
    declined_by: frozenset[str]
    is_gate: bool
    ladder: tuple[Rung, ...]
    """Rungs for missed deadlines, in the order in which they fall due for equal bases."""
    on_decline: tuple[Rung, ...]
    when: Expression | None
    repeat_while: Expression | None
    for_regions: Expression | None
    takeover: bool
    context: tuple[tuple[str, Expression], ...]
    named: Mapping[str, Any]
    """What each of its requests says of it."""
    waits: tuple[tuple[str, str], ...]
    """Of each rung of the ladder, from which deadline on it waits, and for how long."""


@dataclass(frozen=True, slots=True)
class CompiledTimer:
    """A timer, ready to be started."""

    timer: str
    after: str
    not_before_ms: int
    basis: str
    set: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class ClockStop:
    """An event that stops or restarts the clock of a step's tasks."""

    step: str
    starts: bool
    basis: str


class Pack:
    """A compiled pack. Equal hashes mean equal packs; compiled ones are shared."""

    def __init__(self, content: PackContent) -> None:
        self.content = content
        self.definition: Definition = content.definition
        self.workflow = self.definition.workflow
        self.directives, self.command = self.definition.directives, self.definition.command
        self.version = self.definition.version
        self._bytes = orjson.dumps(content.model_dump(mode="json", by_alias=True), option=orjson.OPT_SORT_KEYS)
        self.hash = hashlib.sha256(self._bytes).hexdigest()
        compiler = Compiler(content)
        self.rules: Mapping[str, CompiledRule] = {rule.rule: compiler.rule(rule) for rule in self.definition.rules}
        self.timers: Mapping[str, CompiledTimer] = {
            timer.timer: compiler.timer(timer) for timer in self.definition.timers
        }
        self.steps: Mapping[str, CompiledStep] = {
            compiled.step: compiled for step in self.definition.steps for compiled in compiler.steps(step)
        }
        self.level_of = compiler.expression(self.definition.level.of, "int", ()) if self.definition.level else None
        self.closes = compiler.expression(self.definition.closes, "bool", ())
        rows = self.definition.level.rows if self.definition.level else ()
        self.rows = [(row.at_least, row.gives) for row in reversed(rows)]
        """From which value on which level is in force: the first row that holds counts."""
        self.asked_on, self.cancelled_on = _triggers(self.definition)
        self.retargeted_on = _by_name((step.retargeted_by, step.step) for step in self.definition.steps)
        self.triggers = frozenset({*self.asked_on, *self.cancelled_on, *self.retargeted_on})
        """What steps wait for; nothing comes of other triggers."""
        self.completes = _by_name((step.completed_by, name) for name, step in self.steps.items())
        self.declines = _by_name((step.declined_by, name) for name, step in self.steps.items())
        self.clock_stops = _clock_stops(self.definition)
        self.answers = frozenset(f"{line.department}.TaskAnswered" for line in self.definition.responsibilities)
        self.event_types = frozenset(
            {rule.on for rule in self.rules.values()}
            | set(self.completes)
            | set(self.declines)
            | set(self.clock_stops)
            | self.answers
            | ({self.definition.directives} if self.definition.directives else set())
        )
        self.window_max_ms = max(rule.window_ms for rule in self.rules.values())
        """No event that a rule places is applied when it comes later than this."""
        self._responsible: dict[tuple[str, str, str | None], Responsibility] = {}

    @staticmethod
    def compile(content: PackContent) -> "Pack":
        """The pack of some content; ``DefinitionError`` when an expression does not compile."""
        return Pack(content)

    @staticmethod
    @lru_cache(maxsize=64)
    def from_bytes(content: bytes) -> "Pack":
        """The pack in canonical JSON; ``DefinitionError`` when it is none."""
        try:
            return Pack(PackContent.model_validate_json(content))
        except ValidationError as error:
            raise DefinitionError(f"These bytes are not a pack: {error.errors()[0]['msg']}.") from None

    def to_bytes(self) -> bytes:
        """The canonical JSON."""
        return self._bytes

    def deadline(self, start_ms: int, duration: str) -> int:
        """When ``duration`` after ``start_ms`` is over, by the pack's calendar; ``DefinitionError`` as ``deadline``."""
        plain = plain_ms(duration)
        if plain is None:
            due = deadline(start_ms, duration, self.content.calendar, self.definition.zone)
        else:
            due = start_ms + plain
        return due if due < LATEST_MS else LATEST_MS

    def responsible(self, role: str, region: str, level: str | None) -> Responsibility:
        """The one line that names who answers in ``role``: the longest region prefix, then the exact level."""
        asked = (role, region, level)
        found = self._responsible.get(asked)
        if found is None:
            lines = [
                line
                for line in self.definition.responsibilities
                if line.role == role and region.startswith(line.region) and line.level in (None, level)
            ]
            if not lines:
                raise DefinitionError(
                    f"Nobody is responsible as {role} in region {region or 'none'} at level {level or 'none'}: "
                    f"add a line to the responsibilities of {self.workflow}."
                )
            found = max(lines, key=lambda line: (len(line.region), line.level is not None))
            self._responsible[asked] = found
        return found


def _named(step: str, titles: Titles, completed_by: Iterable[str]) -> Mapping[str, Any]:
    return {
        "step": step, "title_zh": titles.zh, "title_en": titles.en, "completes_with": sorted(set(completed_by)),
    }  # fmt: skip


def _waits(ladder: Iterable[Rung]) -> tuple[tuple[str, str], ...]:
    return tuple((rung.at, rung.after) for rung in ladder)


def _by_name(named: Iterable[tuple[Iterable[str], str]]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = defaultdict(list)
    for keys, name in named:
        for key in keys:
            index[key].append(name)
    return dict(index)


def _triggers(definition: Definition) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """By trigger: the steps asked for, and the steps whose tasks are cancelled."""
    asked: dict[str, list[str]] = defaultdict(list)
    cancelled: dict[str, list[str]] = defaultdict(list)
    for step in definition.steps:
        for trigger in step.on:
            asked[trigger].append(step.step + APPROVAL if step.gate else step.step)
        for trigger in step.cancelled_by:
            cancelled[trigger] += [step.step, step.step + APPROVAL] if step.gate else [step.step]
        if step.gate:
            asked[f"completed:{step.step}{APPROVAL}"].append(step.step)
    return dict(asked), dict(cancelled)


def _clock_stops(definition: Definition) -> dict[str, list[ClockStop]]:
    index: dict[str, list[ClockStop]] = defaultdict(list)
    for step in definition.steps:
        for stop in step.stops:
            index[stop.from_].append(ClockStop(step.step, False, stop.basis))
            index[stop.until].append(ClockStop(step.step, True, stop.basis))
    return dict(index)


class Compiler:
    """Compiles the expressions of one pack, each in an environment that knows what is at hand there."""

    def __init__(self, content: PackContent) -> None:
        self._definition = content.definition
        self._fields = content.fields
        self._environments: dict[tuple[tuple[str, ...], bool], Environment] = {}
        self._steps = {step.step: step for step in self._definition.steps}

    def expression(
        self, source: str, result: Result, event_types: Iterable[str], *, instance: bool = True
    ) -> Expression:
        """Compile one expression; ``event`` is known when the events at hand are all of one type."""
        types = tuple(sorted(set(event_types)))
        environment = self._environments.get((types, instance))
        if environment is None:
            environment = Environment(self._variables(types, instance))
            self._environments[types, instance] = environment
        return environment.compile(source, result)

    def _optional(
        self, source: str | None, result: Result, event_types: Iterable[str], *, instance: bool = True
    ) -> Expression | None:
        return None if source is None else self.expression(source, result, event_types, instance=instance)

    def _variables(self, types: tuple[str, ...], instance: bool) -> dict[str, str]:
        variables = {"region": "string", "at": "int"}
        if len(types) == 1:
            fields = self._fields.get(types[0])
            if fields is None:
                raise DefinitionError(f"The pack of {self._definition.workflow} lacks the fields of {types[0]}.")
            variables |= {f"event.{path}": kind for path, kind in fields.items()}
        if instance:
            variables |= {"level": "string", "level_rank": "int", "subject": "string", "open_tasks": "int"}
            variables |= {"lead": "string", "parts": "int"}
            variables |= {f"facts.{name}": fact.type for name, fact in self._definition.facts.items()}
            for step in self._definition.steps:
                for name in [step.step, step.step + APPROVAL] if step.gate else [step.step]:
                    variables |= {f"open.{name}": "int", f"asked.{name}": "int", f"done.{name}": "int"}
        return variables

    def _set(self, assigned: Mapping[str, str], event_types: Iterable[str]) -> tuple[tuple[str, Expression], ...]:
        compiled = []
        for name, source in assigned.items():
            fact = self._definition.facts.get(name)
            if fact is None:
                raise DefinitionError(f"{self._definition.workflow} sets the fact {name}, which it does not declare.")
            compiled.append((name, self.expression(source, fact.type, event_types)))
        return tuple(compiled)

    def rule(self, rule: Rule) -> CompiledRule:
        window_ms, working_days = split_duration(rule.window)
        if working_days:
            raise DefinitionError(f"The window of rule {rule.rule} is in working days; use minutes, hours or days.")
        on = (rule.on,)
        return CompiledRule(
            rule=rule.rule,
            on=rule.on,
            opens=rule.opens,
            by_region=rule.match == "region",
            window_ms=window_ms,
            park_max=rule.park_max,
            basis=rule.basis,
            restart=rule.restart,
            when=self._optional(rule.when, "bool", on, instance=False),
            key=self._optional(rule.key, "string", on, instance=False),
            region=self._optional(rule.region, "string", on, instance=False),
            subject=self._optional(rule.subject, "string", on, instance=False),
            alias=self._optional(rule.alias, "string", on, instance=False),
            set=self._set(rule.set, on),
        )

    def timer(self, timer: Timer) -> CompiledTimer:
        return CompiledTimer(
            timer=timer.timer,
            after=timer.after,
            not_before_ms=from_iso(timer.not_before) if timer.not_before else 0,
            basis=timer.basis,
            set=self._set(timer.set, ()),
        )

    def steps(self, step: Step) -> list[CompiledStep]:
        """The step, after its gate if it has one."""
        return [self._gate(step), self._step(step)] if step.gate else [self._step(step)]

    def _step(self, step: Step) -> CompiledStep:
        events = () if step.every else self._events(step.on)
        asked = (step.gate.approved_by,) if step.gate else events
        at_hand = asked if not step.retargeted_by or asked == self._events(step.retargeted_by) else ()
        rungs = step.escalate or self._definition.escalate
        ladder = tuple(rung for rung in rungs if rung.at != "declined")
        return CompiledStep(
            step=step.step,
            titles=step.titles,
            role=step.role,
            basis=step.basis,
            acknowledge_by=step.acknowledge_by,
            complete_by=step.complete_by,
            every=step.every,
            only_one=step.only_one,
            completed_by=frozenset(step.completed_by),
            declined_by=frozenset(step.declined_by),
            is_gate=False,
            ladder=ladder,
            on_decline=tuple(rung for rung in rungs if rung.at == "declined"),
            when=None if step.gate else self._optional(step.when, "bool", events),
            repeat_while=self._optional(step.repeat_while, "bool", ()),
            for_regions=self._optional(step.for_regions, "string", at_hand),
            takeover=step.takeover,
            context=tuple((name, self.expression(text, "string", at_hand)) for name, text in step.context.items()),
            named=_named(step.step, step.titles, step.completed_by),
            waits=_waits(ladder),
        )

    def _gate(self, step: Step) -> CompiledStep:
        gate = step.gate
        assert gate is not None
        ladder = tuple(rung for rung in gate.escalate or self._definition.escalate if rung.at != "declined")
        return CompiledStep(
            step=step.step + APPROVAL,
            titles=gate.titles,
            role=gate.role,
            basis=gate.basis,
            acknowledge_by=gate.acknowledge_by,
            complete_by=gate.complete_by,
            every=None,
            only_one=step.only_one,
            completed_by=frozenset({gate.approved_by}),
            declined_by=frozenset({gate.rejected_by}),
            is_gate=True,
            ladder=ladder,
            on_decline=(),
            when=self._optional(step.when, "bool", self._events(step.on)),
            repeat_while=None,
            for_regions=None,
            takeover=step.takeover,
            context=(),
            named=_named(step.step + APPROVAL, gate.titles, (gate.approved_by,)),
            waits=_waits(ladder),
        )

    def _events(self, triggers: Iterable[str]) -> tuple[str, ...]:
        """The event types at hand when one of the triggers comes; none where one brings no event of a known type."""
        types: set[str] = set()
        rules = {rule.rule: rule.on for rule in self._definition.rules}
        for trigger in triggers:
            kind, _, name = trigger.partition(":")
            if kind == "rule" and name in rules:
                types.add(rules[name])
            elif kind == "completed" and name in self._steps and self._steps[name].completed_by:
                types.update(self._steps[name].completed_by)
            else:
                return ()
        return tuple(types) if len(types) == 1 else ()
