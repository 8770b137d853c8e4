"""A definition as a graph: events, triggers, timers, gates, steps, the end, and what leads to what. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from deptbus.workflow.definition import Definition, Gate, Rung, Step
from deptbus.workflow.diffwords import rung_said
from deptbus.workflow.pack import APPROVAL, Pack
from deptbus.workflow.said import Said

Kind = Literal["rule", "trigger", "timer", "gate", "step", "closes", "ladder"]
Way = Literal["asks", "brings", "sets", "starts", "cancels", "retargets", "stops", "escalates"]

CLOSES = "closes"
_SAME = Said("", "")
TRIGGERS = {
    "opened": Said("实例启动", "the instance opens"),
    "level": Said("响应级别变化", "the level changes"),
    "merged": Said("合并", "merged"),
    "split": Said("拆分", "split"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """Something that happens or is asked for. The first line names it; ``details`` is for who looks closer."""

    id: str
    kind: Kind
    lines: tuple[Said, ...]
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """What one leads to in another."""

    source: str
    target: str
    way: Way
    label: Said = _SAME


@dataclass(frozen=True, slots=True)
class Graph:
    """A definition as drawn."""

    title: Said
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(pack: Pack, *, escalation: bool = False) -> Graph:
    """The graph of a definition; with ``escalation`` its ladders besides."""
    definition = pack.definition
    nodes = [*_rules(definition), *_timers(definition), *_steps(definition), _end(definition)]
    edges = [*_asked(definition), *_brought(pack), *_set(pack)]
    if escalation:
        more = list(_ladders(definition))
        nodes += [node for node, _ in more]
        edges += [edge for _, edges_ in more for edge in edges_]
    used = {edge.source for edge in edges} | {edge.target for edge in edges}
    nodes += [Node(name, "trigger", (said,)) for name, said in TRIGGERS.items() if name in used]
    title = Said(
        f"{definition.titles.zh}（{definition.workflow} 第 {definition.version} 版）",
        f"{definition.titles.en} ({definition.workflow}, version {definition.version})",
    )
    return Graph(title, tuple(nodes), tuple(dict.fromkeys(edges)))


def _rules(definition: Definition) -> Iterator[Node]:
    for rule in definition.rules:
        opens = (Said("启动实例", "opens an instance"),) if rule.opens else ()
        details = [rule.basis, *([f"when {_flat(rule.when)}"] if rule.when else [])]
        details += [f"{name} = {_flat(value)}" for name, value in rule.set.items()]
        lines = (Said(rule.on, rule.on), Said(f"规则 {rule.rule}", f"rule {rule.rule}"), *opens)
        yield Node(f"rule:{rule.rule}", "rule", lines, tuple(details))


def _timers(definition: Definition) -> Iterator[Node]:
    for timer in definition.timers:
        lines = (Said(f"定时 {timer.timer}", f"timer {timer.timer}"), Said(f"{timer.after} 后", f"after {timer.after}"))
        details = (timer.basis, *(f"{name} = {_flat(value)}" for name, value in timer.set.items()))
        yield Node(f"timer:{timer.timer}", "timer", lines, details)


def _steps(definition: Definition) -> Iterator[Node]:
    for step in definition.steps:
        if step.gate is not None:
            title = Said(step.gate.titles.zh, step.gate.titles.en)
            approval = (title, _role(step.gate.role), _deadlines(step.gate))
            yield Node(f"step:{step.step}{APPROVAL}", "gate", approval, (step.gate.basis, *_guard(step)))
        marks = [
            (step.every is not None, Said(f"每 {step.every} 一次", f"again every {step.every}")),
            (step.for_regions is not None, Said("逐地区下达", "one for each region")),
            (step.takeover, Said("级别变化时移交", "taken over when the level changes")),
        ]
        lines = (
            Said(step.titles.zh, step.titles.en),
            _role(step.role),
            _deadlines(step),
            *(said for holds, said in marks if holds),
        )
        details = [step.step, step.basis, *(() if step.gate else _guard(step))]
        details += [f"for_regions {_flat(step.for_regions)}"] if step.for_regions else []
        yield Node(f"step:{step.step}", "step", lines, tuple(details))


def _role(role: str) -> Said:
    return Said(f"由 {role}", f"by {role}")


def _deadlines(part: Step | Gate) -> Said:
    return Said(
        f"签收 {part.acknowledge_by} · 办理 {part.complete_by}",
        f"acknowledge {part.acknowledge_by} · complete {part.complete_by}",
    )


def _guard(step: Step) -> tuple[str, ...]:
    return (f"when {_flat(step.when)}",) if step.when else ()


def _flat(expression: str | None) -> str:
    return " ".join((expression or "").split())


def _end(definition: Definition) -> Node:
    return Node(CLOSES, "closes", (Said("办结", "closed"),), (_flat(definition.closes),))


def _source(trigger: str) -> tuple[str, Said]:
    """The node from which a trigger comes, and what is said of the way."""
    kind, _, name = trigger.partition(":")
    if kind == "completed":
        return f"step:{name}", Said("完成", "done")
    if kind == "declined":
        return f"step:{name}", Said("拒绝", "declined")
    return trigger, _SAME


def _asked(definition: Definition) -> Iterator[Edge]:
    ways: tuple[tuple[str, Way, Said], ...] = (
        ("on", "asks", _SAME),
        ("cancelled_by", "cancels", Said("取消", "cancels")),
        ("retargeted_by", "retargets", Said("重新定向", "retargets")),
    )
    for step in definition.steps:
        target = f"step:{step.step}"
        first = target + APPROVAL if step.gate else target
        if step.gate is not None:
            yield Edge(first, target, "asks", Said("批准", "approved"))
        for part, way, said in ways:
            for trigger in getattr(step, part):
                source, label = _source(trigger)
                yield Edge(source, first if way == "asks" else target, way, label if label.zh else said)


def _brought(pack: Pack) -> Iterator[Edge]:
    """From a step to the events that complete it, and from those that stop its clock, where a rule speaks of them."""
    by_type: dict[str, list[str]] = {}
    for rule in pack.definition.rules:
        by_type.setdefault(rule.on, []).append(f"rule:{rule.rule}")
    for step in pack.definition.steps:
        for event_type in (*step.completed_by, *step.declined_by):
            for rule_id in by_type.get(event_type, ()):
                yield Edge(f"step:{step.step}", rule_id, "brings")
        for stop in step.stops:
            for event_type in (stop.from_, stop.until):
                for rule_id in by_type.get(event_type, ()):
                    yield Edge(rule_id, f"step:{step.step}", "stops")


def _set(pack: Pack) -> Iterator[Edge]:
    """What opens an instance, starts timers, raises the level and lets the instance end, by the facts that it sets."""
    definition = pack.definition
    level = _facts(pack.level_of.names) if pack.level_of else frozenset()
    end = _facts(pack.closes.names)
    waits_for_opening = any("opened" in step.on for step in definition.steps)
    waits_for_level = any("level" in step.on for step in definition.steps)
    for rule in definition.rules:
        source = f"rule:{rule.rule}"
        if rule.opens and waits_for_opening:
            yield Edge(source, "opened", "asks")
        for timer in rule.restart:
            yield Edge(source, f"timer:{timer}", "starts")
        yield from _leads(source, rule.set, {"level": level if waits_for_level else frozenset(), CLOSES: end})
    for timed in definition.timers:
        yield from _leads(f"timer:{timed.timer}", timed.set, {CLOSES: end})


def _leads(source: str, assigned: Mapping[str, str], targets: Mapping[str, frozenset[str]]) -> Iterator[Edge]:
    """To what needs the facts that are set; one that is only set back to false does not lead to the end."""
    made = {name for name, value in assigned.items() if value != "false"}
    for target, needed in targets.items():
        if made & needed:
            yield Edge(source, target, "sets")


def _facts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.removeprefix("facts.") for name in names if name.startswith("facts."))


def _ladders(definition: Definition) -> Iterator[tuple[Node, list[Edge]]]:
    """Each ladder once, with the steps that climb it."""
    climbing: dict[tuple[Rung, ...], list[str]] = {}
    for step in definition.steps:
        climbing.setdefault(step.escalate or definition.escalate, []).append(f"step:{step.step}")
        if step.gate is not None:
            climbing.setdefault(step.gate.escalate or definition.escalate, []).append(f"step:{step.step}{APPROVAL}")
    for number, (rungs, steps) in enumerate(climbing.items(), 1):
        name = f"ladder:{number}"
        lines = (Said(f"升级阶梯 {number}", f"escalation {number}"), *map(rung_said, rungs))
        yield Node(name, "ladder", lines), [Edge(step, name, "escalates") for step in steps]
