"""Steps that are asked region by region, and what happens when the area moves. Pure.

``targets`` of an instance remembers, by step and subject, in which regions a step is asked now: what was done in one
of them is not asked again because a forecast came, and a region that left and comes back is new.
"""

import re

from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.expressions import EvaluationError, Expression
from deptbus.workflow.pack import CompiledStep

REGIONS_MAX = 500
"""In so many regions a step is asked at once at most."""
TARGETS_MAX = 1_000
"""So many steps and subjects have their regions remembered at most: a state must fit into a record."""
_CODE = re.compile(r"[0-9]{2,12}")


def ask_regions(change: Change, step: CompiledStep, for_regions: Expression) -> None:
    """Ask for a task in every region that the step is for now."""
    regions = _regions(change, step, for_regions)
    if regions is None:
        return
    name, targets = _name(step.step, change.subject), change.own("targets")
    if name not in targets and len(targets) >= TARGETS_MAX:
        change.timeline("not_asked", rule=step.step, reason=f"the regions of {TARGETS_MAX} steps are remembered")
        return
    asked = [region for region in regions if tasks.ask_one(change, step, region)]
    still = {
        task["region"]
        for task in change.instance["tasks"]
        if (task["step"], task["subject"]) == (step.step, change.subject)
    }
    targets[name] = asked + [region for region in targets.get(name, ()) if region in still and region not in asked]


def retarget(change: Change, name: str, trigger: str) -> bool:
    """A trigger moves what the step ``name`` is about; False, and nothing is done, where it was not asked before."""
    step, subject = change.pack.steps[name], change.subject
    if step.for_regions is None:
        moved = [task for task in change.instance["tasks"] if task["step"] == name and subject in ("", task["subject"])]
        for task in moved:
            tasks.tell_anew(change, task, trigger)
    else:
        moved = [known for known in _subjects(change, name) if subject in ("", known) or not known]
        for known in moved:
            change.subject = known
            _move(change, step, step.for_regions, trigger)
    change.subject = subject
    return bool(moved)


def forget(change: Change, name: str) -> None:
    """The step's tasks of the subject at hand were cancelled: it counts as not asked."""
    for known in _subjects(change, name) if change.instance["targets"] else ():
        if change.subject in ("", known):
            del change.own("targets")[_name(name, known)]


def _move(change: Change, step: CompiledStep, for_regions: Expression, trigger: str) -> None:
    """Cancel what is open in regions that left, tell those that stay, ask the new ones; all of one subject."""
    regions = _regions(change, step, for_regions)
    if regions is None:
        return
    targets, subject = change.own("targets"), change.subject
    name = _name(step.step, subject)
    for task in list(change.instance["tasks"]):
        if (task["step"], task["subject"]) != (step.step, subject):
            continue
        if task["region"] in regions:
            tasks.tell_anew(change, task, trigger)
        else:
            tasks.cancel(change, task, f"no longer in {task['region']}: {trigger}")
    known = targets[name]
    targets[name] = [region for region in regions if region in known or tasks.ask_one(change, step, region)]


def _regions(change: Change, step: CompiledStep, for_regions: Expression) -> list[str] | None:
    """The regions that a step is for now, in the order given; None where that cannot be said."""
    try:
        named = list(dict.fromkeys(for_regions.evaluate(change).split()))
    except EvaluationError as error:
        change.timeline("regions_failed", rule=step.step, reason=str(error))
        return None
    regions = [region for region in named if _CODE.fullmatch(region)]
    if len(regions) < len(named):
        odd = next(region for region in named if not _CODE.fullmatch(region))
        change.timeline("regions_failed", rule=step.step, reason=f"{odd[:20]!r} is no region code")
    if len(regions) > REGIONS_MAX:
        change.timeline("regions_failed", rule=step.step, reason=f"{len(regions)} regions; {REGIONS_MAX} are asked")
    return regions[:REGIONS_MAX]


def _name(step: str, subject: str) -> str:
    return f"{step} {subject}" if subject else step


def _subjects(change: Change, step: str) -> list[str]:
    """The subjects for which a step is asked region by region."""
    return [name.partition(" ")[2] for name in change.instance["targets"] if name.partition(" ")[0] == step]
