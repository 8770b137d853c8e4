"""Instances under one command: what is ordered, and what becomes of a part and of the one that leads it. Pure.

Nothing of a part's tasks, causes and ids changes: only who commands it. Both sides live in partitions of their own and
tell each other by entries (``told``), so each side is always whole by itself.
"""

from deptbus.workflow.change import Change
from deptbus.workflow.command import responsible, set_level, take_command, take_over
from deptbus.workflow.definition import RANK
from deptbus.workflow.peers import instance_name

PARTS_MAX = 100
"""An instance leads so many others at most."""


def ask_to_merge(change: Change, into: str, reason: str) -> None:
    """A commander orders that this instance come under the command of another: ask that one."""
    instance = change.instance
    void = None
    if instance_name(into) is None or into == instance["instance"]:
        void = "it names no other instance"
    elif instance["lead"]:
        void = f"it is led by {instance['lead']}"
    elif instance["merging"]:
        void = f"{instance['merging']} has been asked and has not answered yet"
    elif instance["parts"]:
        void = "it leads others"
    if void is not None:
        change.timeline("order_void", act="merge", reason=void, named=into[:100])
        return
    instance["merging"] = into
    change.timeline("ordered", act="merge", lead=into, reason=reason)
    change.tell("part", into, "ask", note=reason)


def split_off(change: Change, reason: str) -> None:
    """A commander orders that this part be commanded on its own again."""
    lead = change.instance["lead"]
    if not lead:
        change.timeline("order_void", act="split", reason="it is led by none")
        return
    go_alone(change, reason)
    change.tell("part", lead, "split", note=reason)


def come_under(change: Change, lead: str, region: str | None, level: str | None, reason: str) -> None:
    """The other instance has agreed: from now on it leads this one, at its level if that is higher."""
    instance, answerable = change.instance, responsible(change)
    instance |= {"merging": None, "lead": lead, "lead_region": region}
    _publish(change, "workflow.InstanceMerged", lead, reason)
    change.timeline("merged", lead=lead, reason=reason)
    raise_to(change, level, f"merged under {lead}, which is at level {level}")
    take_command(change, f"merged under {lead}")
    take_over(change, answerable, f"taken over under {lead}")
    change.trigger("merged", "")


def go_alone(change: Change, reason: str) -> None:
    """Nobody leads this instance any more; its level stays."""
    instance, answerable = change.instance, responsible(change)
    lead = instance["lead"]
    instance |= {"lead": None, "lead_region": None}
    _publish(change, "workflow.InstanceSplit", lead, reason)
    change.timeline("split", lead=lead, reason=reason)
    take_command(change, f"split from {lead}")
    take_over(change, answerable, f"split from {lead}")
    change.trigger("split", "")


def raise_to(change: Change, level: str | None, reason: str) -> None:
    """Take a level where it is higher than the one in force."""
    if level in RANK and RANK[level] > RANK.get(change.instance["level"], 0):
        set_level(change, level, reason, change.basis)


def why_not_led(change: Change, part: str) -> str | None:
    """Why this instance cannot lead another; None where it can."""
    instance = change.instance
    if part == instance["instance"]:
        return "an instance cannot lead itself"
    if instance["lead"]:
        return f"it is itself led by {instance['lead']}"
    if instance["merging"]:
        return f"it waits for the answer of {instance['merging']}"
    if len(instance["parts"]) >= PARTS_MAX and part not in instance["parts"]:
        return f"it leads {PARTS_MAX} others already"
    return None


def lead_on(change: Change, part: str, reason: str) -> None:
    """Lead another instance from now on; one that is led already hears so again."""
    instance = change.instance
    change.tell("lead", part, "accept", level=instance["level"], note=reason)
    if part not in instance["parts"]:
        change.own("parts").append(part)
        change.timeline("merged", part=part, reason=reason)
        change.trigger("merged", "")


def let_go(change: Change, part: str, reason: str) -> None:
    """A part is commanded on its own again."""
    _drop(change, part, reason)
    change.trigger("split", "")


def outlive(change: Change, part: str, reason: str) -> None:
    """A part is closed: there is nothing to lead any more, and nobody who commands on his own again."""
    _drop(change, part, f"closed: {reason}")


def _drop(change: Change, part: str, reason: str) -> None:
    change.own("parts").remove(part)
    change.timeline("split", part=part, reason=reason)


def _publish(change: Change, event_type: str, lead: str, reason: str) -> None:
    instance = change.instance
    data = {key: instance[key] for key in ("instance", "workflow", "region")} | {"lead": lead, "reason": reason}
    change.emit("workflow.events", event_type, data)
