"""Guards that always or never hold, triggers that never come, steps never asked for, instances that never close."""

from collections.abc import Iterator

from deptbus.workflow.definition import RANK
from deptbus.workflow.expressions import Expression
from deptbus.workflow.lint.finding import Finding
from deptbus.workflow.lint.reach import Reach, trigger_event
from deptbus.workflow.lint.values import Known, can_be
from deptbus.workflow.pack import APPROVAL
from deptbus.workflow.problem import Path
from deptbus.workflow.said import Said
from deptbus.workflow.syntax import Call, Node, text


def guard_findings(found: Reach) -> Iterator[Finding]:
    """All that follows from what conditions can be."""
    yield from _rules(found)
    for index, step in enumerate(found.pack.definition.steps):
        yield from _step(found, index, step.step)
    yield from _closes(found)
    yield from _levels(found)


def _rules(found: Reach) -> Iterator[Finding]:
    for index, rule in enumerate(found.pack.definition.rules):
        guard = found.pack.rules[rule.rule].when
        if guard is not None:
            known = found.at(rule.on)
            yield from _guard(("rules", index, "when"), guard, known, Said(f"规则 {rule.rule}", f"rule {rule.rule}"))


def _step(found: Reach, index: int, name: str) -> Iterator[Finding]:
    step, path = found.pack.definition.steps[index], ("steps", index)
    compiled = found.pack.steps[name + APPROVAL if step.gate else name]
    who = Said(f"环节 {name}", f"step {name}")
    for part in ("on", "cancelled_by", "retargeted_by"):
        for number, trigger in enumerate(getattr(step, part)):
            asked = part != "on" or not found.triggers.isdisjoint(step.on)
            if asked and trigger not in found.triggers:
                yield Finding(
                    (*path, part, number),
                    "trigger-never",
                    Said(f"{who.zh} 等待的 {trigger} 永远不会发生", f"{who.en} waits for {trigger}, which never comes"),
                )
    if found.triggers.isdisjoint(step.on):
        yield Finding((*path, "on"), "never-asked", Said(f"{who.zh} 永远不会下达", f"{who.en} is never asked for"))
        return
    if compiled.when is not None:
        known = found.at(trigger_event(found.pack, step.on))
        yield from _guard((*path, "when"), compiled.when, known, who)
    repeat = found.pack.steps[name].repeat_while
    if repeat is not None:
        about = Said(f"环节 {name} 重复", f"the repetition of step {name}")
        yield from _guard((*path, "repeat_while"), repeat, found.at(), about)


def _guard(path: Path, guard: Expression, known: Known, who: Said) -> Iterator[Finding]:
    """One finding about a guard as a whole, else one for each comparison in it that is decided already."""
    tree = guard.tree
    for truth, code, zh, en in (
        (True, "never-holds", "永远不成立，因此不起作用", "never holds, so nothing comes of it"),
        (False, "always-holds", "永远成立，可以删去", "always holds; it can be left out"),
    ):
        if not can_be(tree, known, truth):
            said = text(tree)
            yield Finding(path, code, Said(f"{who.zh} 的条件 {said} {zh}", f"the guard of {who.en}, {said}, {en}"))
            return
    yield from _parts(path, tree, known, who)


def _parts(path: Path, tree: Node, known: Known, who: Said) -> Iterator[Finding]:
    for part in _conditions(tree):
        for truth, zh, en in ((True, "永远不成立", "never holds"), (False, "永远成立", "always holds")):
            if not can_be(part, known, truth):
                said = text(part)
                yield Finding(
                    path,
                    "part-decided",
                    Said(f"{who.zh} 的条件中，{said} {zh}", f"in the guard of {who.en}, {said} {en}"),
                )


def _conditions(tree: Node) -> Iterator[Node]:
    """The parts of a condition that ``&&``, ``||`` and ``!`` put together."""
    match tree:
        case Call("_&&_" | "_||_", (left, right)):
            yield from _conditions(left)
            yield from _conditions(right)
        case Call("!_", (only,)):
            yield from _conditions(only)
        case _:
            yield tree


def _closes(found: Reach) -> Iterator[Finding]:
    tree, known = found.pack.closes.tree, found.at()
    if not can_be(tree, known, True):
        never = [text(part) for part in _conditions(tree) if not can_be(part, known, True)]
        because = Said(
            f"：{'、'.join(never)} 永远不成立" if never else "", f": {', '.join(never)} never holds" if never else ""
        )
        yield Finding(
            ("closes",),
            "never-closes",
            Said(f"实例永远不会自行办结{because.zh}", f"no instance closes by itself{because.en}"),
        )
    elif not can_be(tree, known, False):
        yield Finding(
            ("closes",), "closes-at-once", Said("实例一启动即办结", "every instance closes as soon as it opens")
        )
    else:
        yield from _parts(("closes",), tree, known, Said("办结", "closing"))


def _levels(found: Reach) -> Iterator[Finding]:
    definition = found.pack.definition
    rows = definition.level.rows if definition.level else ()
    for index, row in enumerate(rows):
        if RANK[row.gives] > found.level.high:
            yield Finding(
                ("level", "rows", index),
                "level-never",
                Said(
                    f"永远达不到 {row.gives} 级（{row.at_least}）",
                    f"{row.at_least} is never reached, so level {row.gives} never comes",
                ),
            )
    for index, line in enumerate(definition.responsibilities):
        if line.level is not None and RANK[line.level] > found.level.high:
            yield Finding(
                ("responsibilities", index),
                "line-never",
                Said(
                    f"永远达不到 {line.level} 级，{line.role} 的这一行不起作用",
                    f"level {line.level} never comes, so this line for {line.role} never counts",
                ),
            )
