"""What overtook the request that it is about: it came first, though it happened afterwards. Pure.

Events overtake one another by as much as their windows allow. A completion or a refusal that finds no task yet, every
cancellation, and every stop and start of a clock is remembered, with the time at which it happened, for as long as an
event may come late. What is asked for after all, as of an earlier time, is over then, or its deadlines stood still.
"""

from bisect import insort
from operator import itemgetter
from typing import Any

from deptbus.clock import iso
from deptbus.workflow.change import Change
from deptbus.workflow.pack import CompiledStep
from deptbus.workflow.regions import overlap

KEPT_MAX = 100
"""How much an instance remembers in this way; what happened first is forgotten first."""

_about = itemgetter("what", "steps", "subject", "region")
_order = itemgetter("at", "id")
_CLOCK = ("stopped", "started")

Early = dict[str, Any]
"""A ``common.EarlyEvent``."""


def remember(change: Change, what: str, steps: list[str], subject: str, region: str | None = None) -> None:
    """Something that may be about a task of these steps which is asked for only later, as of an earlier time."""
    at, event_id = change.dated
    new: Early = {"what": what, "steps": steps, "subject": subject, "region": region, "at": at, "id": event_id}
    since = max(at, change.instance["clock"]) - change.pack.window_max_ms
    ends = what not in _CLOCK
    kept: list[Early] = []
    for each in change.instance["early"]:
        if ends and _about(each) == (what, steps, subject, region):
            if _order(each) >= change.dated:  # of what ends tasks the latest is enough
                return
        elif each["at"] >= since:
            kept.append(each)
    insort(kept, new, key=_order)
    del kept[:-KEPT_MAX]
    change.instance["early"] = kept


def ended(change: Change, step: CompiledStep, region: str | None) -> Early | None:
    """What has ended the task that is about to be asked for; a completion completes no other one any more."""
    for each in about(change, step, change.dated, region):
        cancelled = each["what"] == "cancelled"
        anything = not each["subject"] or (not change.subject and not cancelled)
        if each["what"] in _CLOCK or not (anything or each["subject"] == change.subject):
            continue
        if not cancelled:
            change.instance["early"] = [other for other in change.instance["early"] if other["id"] != each["id"]]
        return each
    return None


def end(change: Change, step: CompiledStep, department: str, over: Early) -> None:
    """What ends the task came before the request: nobody is asked, and what follows from its end follows."""
    what = over["what"]
    change.tally(department, None, what)
    change.timeline("over_already", rule=step.step, event=over["id"], state=what, event_at=iso(over["at"]))
    if what == "completed":
        done = change.own("done")
        done[step.step] = done.get(step.step, 0) + 1
    if what != "cancelled":
        with change.happening(max(change.at, over["at"]), (over["at"], over["id"])):
            change.trigger(f"{what}:{step.step}")


def about(change: Change, step: CompiledStep, since: tuple[int, str], region: str | None) -> list[Early]:
    """What has happened after a time and is about tasks of a step in a region, in the order in which it happened."""
    found: list[Early] = []
    for each in reversed(change.instance["early"]):
        if _order(each) <= since:
            break
        if step.step in each["steps"] and (
            step.for_regions is None or not each["region"] or overlap(region or "", each["region"])
        ):
            found.append(each)
    found.reverse()
    return found
