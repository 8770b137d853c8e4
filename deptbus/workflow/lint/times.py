"""Deadlines that nobody can meet, repetitions that overtake each other, windows and timers that are too short."""

from collections.abc import Iterator

from deptbus.workflow.definition import Definition, Gate, Step, split_duration
from deptbus.workflow.lint.finding import Finding
from deptbus.workflow.problem import Path
from deptbus.workflow.said import Said
from deptbus.workflow.structure import ladders

_DAY_MS = 86_400_000


def time_findings(definition: Definition) -> Iterator[Finding]:
    """All that cannot be in time."""
    for index, step in enumerate(definition.steps):
        path: Path = ("steps", index)
        yield from _at_once(path, step)
        if step.gate is not None:
            yield from _at_once((*path, "gate"), step.gate)
        if step.every is not None and _longer(step.complete_by, step.every):
            yield Finding(
                (*path, "every"),
                "asked-before-due",
                Said(
                    f"环节 {step.step} 每 {step.every} 下达一次，而办理期限是 {step.complete_by}",
                    f"step {step.step} is asked every {step.every}, before it is due ({step.complete_by})",
                ),
            )
        yield from _cancelled(definition, path, step)
    for index, rule in enumerate(definition.rules):
        yield from _window(definition, ("rules", index, "window"), rule.rule, rule.window)
    for path, rungs in ladders(definition):
        for index, rung in enumerate(rungs):
            if rung.at == "declined" and any(split_duration(rung.after)):
                yield Finding(
                    (*path, index, "after"),
                    "declined-after",
                    Said(
                        "拒绝后立即升级，after 不起作用",
                        "who declines is told of at once: this `after` counts for nothing",
                    ),
                )


def _at_once(path: Path, part: Step | Gate) -> Iterator[Finding]:
    for which, zh in (("acknowledge_by", "签收"), ("complete_by", "办理")):
        if not any(split_duration(getattr(part, which))):
            yield Finding(
                (*path, which),
                "no-time",
                Said(f"{zh}期限为零，无人能够按时", f"{which} is no time at all: nobody can be in time"),
            )


def _longer(one: str, other: str) -> bool:
    """Whether a duration is longer than another, whatever the calendar: a working day takes a day or more."""
    (one_ms, one_days), (other_ms, other_days) = split_duration(one), split_duration(other)
    if other_days:
        return one_days > other_days
    return one_ms + one_days * _DAY_MS > other_ms


def _window(definition: Definition, path: Path, rule: str, window: str) -> Iterator[Finding]:
    """An event's id is forgotten after the window: sent again while its task is open, it would count twice."""
    for step in definition.steps:
        if f"rule:{rule}" in step.on and _longer(step.complete_by, window):
            yield Finding(
                path,
                "window-short",
                Said(
                    f"规则 {rule} 的时间窗 {window} 短于所下达环节 {step.step} 的办理期限 {step.complete_by}："
                    "期间重发的事件会被重复计入",
                    f"the window of rule {rule} ({window}) is shorter than the time for step {step.step}, which it "
                    f"asks for ({step.complete_by}): the event sent again meanwhile would count twice",
                ),
            )


def _cancelled(definition: Definition, path: Path, step: Step) -> Iterator[Finding]:
    """A timer that starts whenever the step is asked for, and cancels it before its deadlines are over."""
    timers = {f"timer:{timer.timer}": timer for timer in definition.timers}
    restarts = {f"rule:{rule.rule}": rule.restart for rule in definition.rules}
    for number, trigger in enumerate(step.cancelled_by):
        timer = timers.get(trigger)
        if timer is None or timer.not_before or not all(timer.timer in restarts.get(on, ()) for on in step.on):
            continue
        where = (*path, "cancelled_by", number)
        if _longer(step.complete_by, timer.after):
            yield Finding(
                where,
                "cancelled-before-due",
                Said(
                    f"定时 {timer.timer}（{timer.after}）在环节 {step.step} 的办理期限 {step.complete_by} 之前将其取消",
                    f"the timer {timer.timer} ({timer.after}) cancels step {step.step} before it is due "
                    f"({step.complete_by})",
                ),
            )
            continue
        for rung in step.escalate or definition.escalate:
            if rung.at == "complete_by" and _longer(rung.after, timer.after):
                yield Finding(
                    where,
                    "rung-after-cancel",
                    Said(
                        f"定时 {timer.timer}（{timer.after}）取消环节 {step.step} 之后，{rung.after} 的升级才到期",
                        f"the timer {timer.timer} ({timer.after}) cancels step {step.step} before {rung.to} is told, "
                        f"{rung.after} after its deadline",
                    ),
                )
