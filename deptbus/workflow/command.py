"""Who commands an instance, and what passes to others when its level or its lead changes. Pure."""

from deptbus.workflow import tasks
from deptbus.workflow.change import Change
from deptbus.workflow.definition import RANK, Responsibility


def take_command(change: Change, reason: str) -> None:
    """Let whoever is to command now, by region and level, take over; nothing where that is who commands already."""
    instance, role = change.instance, change.pack.command
    if role is None:
        return
    line = change.responsible(role, instance["region"])
    if line is None:
        change.timeline("nobody_responsible", role=role)
        return
    department, unit = instance["command_department"], instance["command_unit"]
    if (department, unit) == (line.department, line.unit.zh):
        return
    instance["command_department"], instance["command_unit"] = line.department, line.unit.zh
    data = {key: instance[key] for key in ("instance", "workflow", "region", "level")}
    data |= {"from_department": department, "from_unit": unit}
    data |= {"to_department": line.department, "to_unit": line.unit.zh, "reason": reason, "basis": line.basis}
    change.emit("workflow.events", "workflow.CommandTaken", data, basis=line.basis)
    change.timeline(
        "command_taken",
        basis=line.basis,
        from_department=department or "",
        from_unit=unit or "",
        to_department=line.department,
        to_unit=line.unit.zh,
        reason=reason,
    )


def set_level(change: Change, level: str, reason: str, basis: str | None) -> None:
    """Put a response level in force; command and open tasks pass to whoever is responsible at it."""
    instance, answerable = change.instance, responsible(change)
    before, instance["level"] = instance["level"], level
    data = {key: instance[key] for key in ("instance", "workflow", "region")}
    data |= {"from_level": before, "to_level": level, "reason": reason}
    cause = change.emit("workflow.events", "workflow.LevelRaised", data, basis=basis)
    change.timeline("level", basis=basis, from_level=before or "", to_level=level, reason=reason)
    with change.caused_by(cause):
        take_command(change, reason)
        take_over(change, answerable, f"taken over at level {level}")
        if RANK[level] > RANK.get(before, 0):
            for part in instance["parts"]:
                change.tell("lead", part, "level", level=level)
        change.trigger("level", "")


def responsible(change: Change) -> dict[str, Responsibility | None]:
    """By task, who is to answer for it as things stand; of steps that are taken over."""
    steps = change.pack.steps
    return {
        task["id"]: change.responsible(task["role"], task["region"])
        for task in change.instance["tasks"]
        if steps[task["step"]].takeover
    }


def take_over(change: Change, before: dict[str, Responsibility | None], reason: str) -> None:
    """Where another is to answer for a task than ``before``, it passes to them; one that they have already stays."""
    after = responsible(change)
    for task in list(change.instance["tasks"]):
        line = after.get(task["id"])
        if (
            line is None
            or line == before[task["id"]]
            or (line.department, line.unit.zh) == (task["department"], task["unit"])
        ):
            continue
        tasks.reassign(change, task, line, reason)
