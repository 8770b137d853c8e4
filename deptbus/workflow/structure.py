"""Does a definition hold together by itself? Names, triggers, roles, durations, levels and ladders. Pure."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from deptbus.clock import from_iso
from deptbus.workflow.definition import LEVELS, Definition, Fact, Gate, Rung, Step, split_duration
from deptbus.workflow.pack import APPROVAL
from deptbus.workflow.problem import Path, Problem, unknown
from deptbus.workflow.tasks import REPEAT

_DAY_MS = 86_400_000
_DAYS_MAX = 36_525
"""No duration is longer than a hundred years: what it leads to must be a time that can be written."""
_VERSION_MAX = 2**31 - 1
_INT_MAX = 2**63 - 1
_FACT_TYPES: dict[str, type | tuple[type, ...]] = {"int": int, "double": (int, float), "string": str, "bool": bool}


def structure_problems(definition: Definition) -> Iterator[Problem]:
    """Everything that is wrong with a definition, whatever the catalogue says."""
    yield from _names(definition)
    yield from _rules(definition)
    yield from _facts(definition)
    yield from _timers(definition)
    yield from _levels(definition)
    for index, step in enumerate(definition.steps):
        yield from _step(step, ("steps", index))
        yield from _moving(step, ("steps", index), definition)
    for path, rungs in ladders(definition):
        yield from _ladder(rungs, path)
    yield from _triggers(definition)
    yield from _zone(definition)
    yield from _bounds(definition)


def ladders(definition: Definition) -> Iterator[tuple[Path, tuple[Rung, ...]]]:
    """Every escalation ladder that is written out, with where it stands."""
    yield ("escalate",), definition.escalate
    for index, step in enumerate(definition.steps):
        if step.escalate is not None:
            yield ("steps", index, "escalate"), step.escalate
        if step.gate is not None and step.gate.escalate is not None:
            yield ("steps", index, "gate", "escalate"), step.gate.escalate


def durations(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Every duration of a definition, with where it stands."""
    for index, rule in enumerate(definition.rules):
        yield ("rules", index, "window"), rule.window
    for index, timer in enumerate(definition.timers):
        yield ("timers", index, "after"), timer.after
    for index, step in enumerate(definition.steps):
        for path, part in _timed(step, ("steps", index)):
            yield (*path, "acknowledge_by"), part.acknowledge_by
            yield (*path, "complete_by"), part.complete_by
        if step.every is not None:
            yield ("steps", index, "every"), step.every
    for path, rungs in ladders(definition):
        for index, rung in enumerate(rungs):
            yield (*path, index, "after"), rung.after


def _timed(step: Step, path: Path) -> Iterator[tuple[Path, Step | Gate]]:
    yield path, step
    if step.gate is not None:
        yield (*path, "gate"), step.gate


def _names(definition: Definition) -> Iterator[Problem]:
    yield from _twice("rules", "rule", (rule.rule for rule in definition.rules))
    yield from _twice("timers", "timer", (timer.timer for timer in definition.timers))
    yield from _twice("steps", "step", (step.step for step in definition.steps))
    for index, timer in enumerate(definition.timers):
        if timer.timer.startswith(REPEAT):
            yield Problem(("timers", index, "timer"), f"names that begin with {REPEAT} belong to steps; choose another")
    for index, step in enumerate(definition.steps):
        if step.step.endswith(APPROVAL):
            yield Problem(("steps", index, "step"), f"names that end in {APPROVAL} belong to gates; choose another")


def _twice(part: str, kind: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem((part, index, kind), f"there are two of {kind} {name}; rename one")
        seen.add(name)


def _rules(definition: Definition) -> Iterator[Problem]:
    timers = {timer.timer for timer in definition.timers}
    if not any(rule.opens for rule in definition.rules):
        yield Problem(("rules",), "no rule opens an instance; set opens: true on one")
    for index, rule in enumerate(definition.rules):
        path: Path = ("rules", index)
        if split_duration(rule.window)[1]:
            yield Problem((*path, "window"), "a window cannot be in working days; use minutes, hours or days")
        if rule.opens and rule.key is None:
            yield Problem(path, f"rule {rule.rule} opens instances and has no key; add key")
        if rule.match and (rule.key is not None or rule.opens or rule.alias is not None):
            yield Problem((*path, "match"), "match finds open instances: with it there is no key, opens or alias")
        if rule.region is not None and not rule.opens:
            yield Problem((*path, "region"), "region is of what a rule opens; remove it or set opens: true")
        for number, timer in enumerate(rule.restart):
            if timer not in timers:
                yield Problem((*path, "restart", number), unknown("timer", timer, timers, "add it under timers"))
        yield from _assigned(rule.set, definition.facts, path)


def _assigned(names: Iterable[str], facts: dict[str, Fact], path: Path) -> Iterator[Problem]:
    for name in names:
        if name not in facts:
            yield Problem((*path, "set", name), unknown("fact", name, facts, "add it under facts"))


def _facts(definition: Definition) -> Iterator[Problem]:
    for name, fact in definition.facts.items():
        if fact.initial is None:
            yield Problem(("facts", name), f"the fact {name} has no initial value; add initial")
        elif not isinstance(fact.initial, _FACT_TYPES[fact.type]) or (
            isinstance(fact.initial, bool) and fact.type != "bool"
        ):
            yield Problem(
                ("facts", name, "initial"), f"{fact.initial!r} is no {fact.type}, which {name} is declared to be"
            )


def _timers(definition: Definition) -> Iterator[Problem]:
    for index, timer in enumerate(definition.timers):
        if timer.not_before is not None:
            try:
                from_iso(timer.not_before)
            except ValueError:
                yield Problem(
                    ("timers", index, "not_before"),
                    f"{timer.not_before!r} is no time with a zone, such as 2020-02-29T00:00:00+08:00",
                )
        yield from _assigned(timer.set, definition.facts, ("timers", index))


def _levels(definition: Definition) -> Iterator[Problem]:
    if definition.level is None:
        return
    rows = definition.level.rows
    for index in range(1, len(rows)):
        before, row = rows[index - 1], rows[index]
        path = ("level", "rows", index)
        if row.at_least <= before.at_least:
            yield Problem(path, f"at_least must rise from row to row, but {row.at_least} follows {before.at_least}")
        if LEVELS.index(row.gives) <= LEVELS.index(before.gives):
            yield Problem(path, f"levels must rise from row to row ({', '.join(LEVELS)}), but {row.gives} "
                          f"follows {before.gives}")  # fmt: skip


def _step(step: Step, path: Path) -> Iterator[Problem]:
    for where, part in _timed(step, path):
        yield from _deadlines(part, where)
    if step.every is not None and not any(split_duration(step.every)):
        yield Problem((*path, "every"), "a step cannot be asked again after no time at all")
    if step.repeat_while is not None and step.every is None:
        yield Problem((*path, "repeat_while"), "repeat_while needs every: how often the step is asked again")
    for event_type in sorted(set(step.completed_by) & set(step.declined_by)):
        yield Problem((*path, "declined_by"), f"{event_type} cannot both complete and decline the step")
    if step.gate is not None and step.gate.approved_by == step.gate.rejected_by:
        yield Problem((*path, "gate", "rejected_by"), "one event cannot both approve and reject")
    for index, stop in enumerate(step.stops):
        if stop.from_ == stop.until:
            yield Problem((*path, "stops", index), "one event cannot both stop the clock and start it again")


def _moving(step: Step, path: Path, definition: Definition) -> Iterator[Problem]:
    """Retargeting that has nothing to compute again, and takeovers that never come."""
    if step.retargeted_by and step.for_regions is None and not step.context:
        yield Problem(
            (*path, "retargeted_by"),
            f"nothing of {step.step} can move; add for_regions or context, which are computed again",
        )
    if not step.takeover:
        return
    if definition.level is None and definition.directives is None:
        yield Problem((*path, "takeover"), "nothing changes the level: there are neither level rows nor directives")
        return
    roles = {part.role for _, part in _timed(step, path)}
    lines = [line for line in definition.responsibilities if line.role in roles]
    if lines and all(line.level is None for line in lines):
        yield Problem(
            (*path, "takeover"),
            f"{step.role} is answered alike at every level, so there is nobody to take over; add a line with a level",
        )


def _deadlines(part: Step | Gate, path: Path) -> Iterator[Problem]:
    acknowledge_ms, acknowledge_days = split_duration(part.acknowledge_by)
    complete_ms, complete_days = split_duration(part.complete_by)
    if acknowledge_days and not complete_days:
        message = "is in working days and complete_by is not; give both in working days"
    elif acknowledge_days > complete_days or (
        not acknowledge_days and acknowledge_ms > (complete_ms or complete_days * _DAY_MS)
    ):
        message = f"({part.acknowledge_by}) is later than complete_by ({part.complete_by})"
    else:
        return
    yield Problem((*path, "acknowledge_by"), f"acknowledge_by {message}")


def _ladder(rungs: tuple[Rung, ...], path: Path) -> Iterator[Problem]:
    for missed in ("acknowledge_by", "complete_by"):
        if not any(rung.at == missed for rung in rungs):
            yield Problem(path, f"the ladder has no rung for a missed {missed}; add one with at: {missed}")
    for index, rung in enumerate(rungs):
        if rung.retry and rung.reassign:
            yield Problem((*path, index), "a rung either asks the same department again or reassigns; choose one")


def _triggers(definition: Definition) -> Iterator[Problem]:
    rules = {rule.rule for rule in definition.rules}
    timers = {timer.timer for timer in definition.timers}
    steps = {step.step for step in definition.steps}
    steps |= {step.step + APPROVAL for step in definition.steps if step.gate}
    named = {"rule": rules, "timer": timers, "completed": steps, "declined": steps}
    broken = False
    for index, step in enumerate(definition.steps):
        parts = (("on", step.on), ("cancelled_by", step.cancelled_by), ("retargeted_by", step.retargeted_by))
        for part, triggers in parts:
            for number, trigger in enumerate(triggers):
                kind, _, name = trigger.partition(":")
                path = ("steps", index, part, number)
                if name and name not in named[kind]:
                    what = kind if kind in {"rule", "timer"} else "step"
                    yield Problem(path, unknown(what, name, named[kind], f"add it under {what}s"))
                    broken = True
                elif kind == "level" and definition.level is None and definition.directives is None:
                    yield Problem(path, "nothing changes the level: there are neither level rows nor directives")
                    broken = True
    if not broken:
        yield from _never_asked(definition)


def _never_asked(definition: Definition) -> Iterator[Problem]:
    """Steps that wait for each other only."""
    reached: set[str] = set()
    waiting = {step.step: step for step in definition.steps}
    moved = True
    while moved:
        moved = False
        for name, step in list(waiting.items()):
            if any(_comes(trigger, reached) for trigger in step.on):
                reached |= {name, name + APPROVAL}
                del waiting[name]
                moved = True
    for index, step in enumerate(definition.steps):
        if step.step in waiting:
            yield Problem(
                ("steps", index, "on"), f"{step.step} is never asked for: what it waits for never comes first"
            )


def _comes(trigger: str, reached: set[str]) -> bool:
    kind, _, name = trigger.partition(":")
    return name in reached if kind in {"completed", "declined"} else True


def _zone(definition: Definition) -> Iterator[Problem]:
    try:
        ZoneInfo(definition.zone)
    except (KeyError, ValueError, OSError):
        yield Problem(("zone",), f"there is no time zone {definition.zone}; one is Asia/Shanghai")


def _bounds(definition: Definition) -> Iterator[Problem]:
    """Numbers that the journal or an expression could not hold."""
    if definition.version > _VERSION_MAX:
        yield Problem(("version",), f"a version is at most {_VERSION_MAX}")
    for path, duration in durations(definition):
        plain_ms, working_days = split_duration(duration)
        if plain_ms > _DAYS_MAX * _DAY_MS or working_days > _DAYS_MAX:
            yield Problem(path, f"{duration} is longer than {_DAYS_MAX} days")
    for name, fact in definition.facts.items():
        if isinstance(fact.initial, int) and abs(fact.initial) > _INT_MAX:
            yield Problem(("facts", name, "initial"), f"a whole number is at most {_INT_MAX}")
