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
        change.set_timer(REPEAT + name, change.pack.deadline(change.at, step.every), change.cause, change.subject)
    _ask(change, step)


def repeat(change: Change, name: str, due: int) -> None:
    """A repeating step fell due again."""
    step = change.pack.steps[name]
    assert step.every is not None
    if not change.holds(step.repeat_while, name):
        change.drop_timer(REPEAT + name)
        return
    change.set_timer(REPEAT + name, change.pack.deadline(due, step.every), change.cause, change.subject)
    _ask(change, step)


def _ask(change: Change, step: CompiledStep) -> None:
    if step.for_regions is None:
        tasks.ask_one(change, step, change.instance["region"])
    else:
        ask_regions(change, step, step.for_regions)
