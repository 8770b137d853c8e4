"""When a step is asked for: its trigger comes and its guard holds, or it falls due again."""

from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.pack import CompiledStep
from deptbus.workflow.targets import ask_regions
from deptbus.workflow.tasks import REPEAT


def ask(change: Change, name: str) -> None:
    """A step's trigger came: ask for its task where its guard holds and none is open for the subject."""
    step = change.pack.steps[name]
    if step.every is not None and change.has_timer(REPEAT + name):
        return
    if not change.holds(step.when, name):
        return
    if step.every is not None:
        _again(change, step, change.at, step.every)
    _ask(change, step)


def repeat(change: Change, name: str, due: int) -> None:
    """A repeating step fell due again."""
    step = change.pack.steps.get(name)
    if step is None or step.every is None or not change.holds(step.repeat_while, name):
        change.drop_timer(REPEAT + name)
        return
    _again(change, step, due, step.every)
    _ask(change, step)


def _again(change: Change, step: CompiledStep, start: int, every: str) -> None:
    due = change.deadline(start, every, step.step)
    if due is None:
        change.drop_timer(REPEAT + step.step)
    else:
        change.set_timer(REPEAT + step.step, due, change.cause, change.subject)


def _ask(change: Change, step: CompiledStep) -> None:
    if step.for_regions is None:
        tasks.ask_one(change, step, change.instance["region"])
    else:
        ask_regions(change, step, step.for_regions)
