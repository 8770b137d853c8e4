"""What is declared and not used, or used and never made: facts, timers, rules, roles, and who completes a task."""

from collections.abc import Iterator
from dataclasses import fields

from deptbus.workflow.checks import roles_used
from deptbus.workflow.expressions import Expression
from deptbus.workflow.lint.finding import Finding
from deptbus.workflow.lint.reach import Reach
from deptbus.workflow.pack import CompiledRule, CompiledStep, CompiledTimer, Pack
from deptbus.workflow.said import Said
from deptbus.workflow.structure import ladders


def use_findings(found: Reach) -> Iterator[Finding]:
    """All that is there in vain, or missing."""
    pack = found.pack
    yield from _facts(pack)
    yield from _timers(pack)
    yield from _rules(pack)
    yield from _unheard(pack)
    yield from _roles(pack)
    yield from _completions(pack)


def _facts(pack: Pack) -> Iterator[Finding]:
    """Facts are shown to people as well, so one that is only set is a remark."""
    owners: tuple[CompiledRule | CompiledTimer, ...] = (*pack.rules.values(), *pack.timers.values())
    made = {name for owner in owners for name, _ in owner.set}
    read = _read(pack)
    for name, fact in pack.definition.facts.items():
        path = ("facts", name)
        if name not in made and name in read:
            value = str(fact.initial).lower() if isinstance(fact.initial, bool) else repr(fact.initial)
            yield Finding(
                path,
                "fact-never-set",
                Said(
                    f"没有规则或定时设置事实 {name}，它始终是 {value}",
                    f"nothing sets the fact {name}: it is always {value}",
                ),
            )
        elif name not in made:
            yield Finding(
                path, "fact-unused", Said(f"事实 {name} 未被使用", f"the fact {name} is neither set nor read")
            )
        elif name not in read:
            yield Finding(
                path,
                "fact-only-shown",
                Said(
                    f"没有表达式读取事实 {name}，它只供查看", f"no expression reads the fact {name}: it is only shown"
                ),
                remark=True,
            )


def _read(pack: Pack) -> set[str]:
    """The facts that something reads besides the assignment that makes them."""
    names: set[str] = set()
    owners: tuple[CompiledRule | CompiledTimer | CompiledStep, ...]
    owners = (*pack.rules.values(), *pack.timers.values(), *pack.steps.values())
    for owner in owners:
        for field in fields(owner):
            value = getattr(owner, field.name)
            pairs = value if isinstance(value, tuple) else ((None, value),)
            for pair in pairs:
                match pair:
                    case (str() | None as name, Expression() as expression):
                        own = {f"facts.{name}"} if field.name == "set" else set()
                        names |= expression.names - own
    names |= pack.closes.names | (pack.level_of.names if pack.level_of else frozenset())
    return {name.removeprefix("facts.") for name in names if name.startswith("facts.")}


def _triggers(pack: Pack) -> set[str]:
    """Every trigger that a step waits for."""
    steps = pack.definition.steps
    return {trigger for step in steps for trigger in (*step.on, *step.cancelled_by, *step.retargeted_by)}


def _timers(pack: Pack) -> Iterator[Finding]:
    started = {timer for rule in pack.rules.values() for timer in rule.restart}
    triggers = _triggers(pack)
    for index, timer in enumerate(pack.definition.timers):
        path, name = ("timers", index), timer.timer
        if name not in started:
            yield Finding(
                path,
                "timer-never-starts",
                Said(f"没有规则启动定时 {name}", f"no rule starts the timer {name}; name it under restart"),
            )
        if not timer.set and f"timer:{name}" not in triggers:
            yield Finding(
                path,
                "timer-idle",
                Said(
                    f"定时 {name} 到时后什么也不发生",
                    f"nothing comes of the timer {name}: it sets nothing and no step waits for it",
                ),
            )


def _rules(pack: Pack) -> Iterator[Finding]:
    """A rule that does nothing of its own may still be how an event finds its instance."""
    triggers = _triggers(pack)
    acting = {*pack.completes, *pack.declines, *pack.clock_stops, *pack.answers, pack.definition.directives}
    for index, rule in enumerate(pack.definition.rules):
        does = rule.opens or rule.set or rule.restart or rule.alias or f"rule:{rule.rule}" in triggers
        if not does and rule.on not in acting:
            yield Finding(
                ("rules", index),
                "rule-idle",
                Said(
                    f"规则 {rule.rule} 不设置、不启动、不触发任何事项",
                    f"nothing comes of the rule {rule.rule}: it sets, starts and triggers nothing",
                ),
            )


def _unheard(pack: Pack) -> Iterator[Finding]:
    """Events that nobody is asked for find an instance by a rule's key only."""
    asked_for = {*pack.completes, *pack.declines, *pack.answers, pack.definition.directives}
    found = {rule.on for rule in pack.definition.rules if rule.key is not None or rule.match is not None}
    for index, rule in enumerate(pack.definition.rules):
        if rule.on not in found | asked_for:
            yield Finding(
                ("rules", index),
                "rule-unheard",
                Said(
                    f"规则 {rule.rule} 没有 key，也没有环节以 {rule.on} 办结，只有写明所属事件的才算数",
                    f"the rule {rule.rule} has no key, and no task is ended by {rule.on}: "
                    "it counts only where its publisher names the instance",
                ),
                remark=True,
            )
    for index, step in enumerate(pack.definition.steps):
        for number, stop in enumerate(step.stops):
            for word, event_type in (("from", stop.from_), ("until", stop.until)):
                if event_type not in found | asked_for:
                    yield Finding(
                        ("steps", index, "stops", number, word),
                        "stop-unheard",
                        Said(
                            f"没有带 key 的规则接收 {event_type}，环节 {step.step} 的时限不会因它停走或续走",
                            f"no rule with a key is on {event_type}, so it will not reach the clock of step "
                            f"{step.step}; add one",
                        ),
                    )


def _roles(pack: Pack) -> Iterator[Finding]:
    used = {role for _, role in roles_used(pack.definition)} | {pack.definition.command}
    told: set[str] = set()
    for index, line in enumerate(pack.definition.responsibilities):
        if line.role not in used and line.role not in told:
            told.add(line.role)
            yield Finding(
                ("responsibilities", index),
                "role-unasked",
                Said(f"没有环节、审批或升级用到角色 {line.role}", f"no step, gate or rung asks the role {line.role}"),
            )


def _completions(pack: Pack) -> Iterator[Finding]:
    """Where whoever answers can publish none of the events that complete the task, only the answer ends it."""
    reassigned = {rung.to for _, rungs in ladders(pack.definition) for rung in rungs if rung.reassign}
    for step in pack.definition.steps:
        waited = _waited_for(pack, step.step)
        if not step.completed_by or not waited:
            continue
        owners = {event_type.partition(".")[0] for event_type in step.completed_by}
        for number, line in enumerate(pack.definition.responsibilities):
            if line.role == step.role and line.role not in reassigned and line.department not in owners:
                events = ", ".join(step.completed_by)
                yield Finding(
                    ("responsibilities", number),
                    "not-their-event",
                    Said(
                        f"{line.department} 发不出使环节 {step.step} 完成的 {events}，{'、'.join(waited)} 等不到它",
                        f"{line.department} can publish none of the events that complete step {step.step} ({events}), "
                        f"so {', '.join(waited)} will not come of it",
                    ),
                )


def _waited_for(pack: Pack, step: str) -> list[str]:
    """The rules on events that complete a step, for the sake of which the event itself is needed."""
    types = pack.steps[step].completed_by
    return sorted(f"rule:{rule.rule}" for rule in pack.rules.values() if rule.on in types)
