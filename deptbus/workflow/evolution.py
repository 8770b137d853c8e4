"""Would a change of packs break what runs? Each answer is one sentence; none means that nothing breaks. Pure.

An instance keeps the pack it opened with, and as long as that pack is in force its events reach it. So most changes
break nothing: a new version only decides what opens from now on.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from deptbus.workflow.definition import PackContent
from deptbus.workflow.pack import Pack
from deptbus.workflow.tasks import REPEAT

Snapshot = Mapping[str, Any]
"""The data of a ``workflow.InstanceChanged``: the newest of its instance."""

_NAMED_MAX = 3
"""A sentence names so many instances at most."""


def breaks(old: PackContent, new: PackContent | None, running: Iterable[Snapshot]) -> list[str]:
    """What breaks when ``new`` comes into force after ``old``; None takes ``old`` out of force.

    ``running``: the instances of the workflow, of whatever pack, open or closed.
    """
    before, name = Pack(old), old.definition.workflow
    if new is None:
        left = _open(running, before.hash)
        if not left:
            return []
        return [
            (
                f"{name} version {before.version} cannot be retired: {_instances(left)} would hear of no event any "
                "more; close or migrate what is open first"
            )
        ]
    after = Pack(new)
    if after.hash == before.hash:
        return []
    if after.version == before.version:
        return [
            (
                f"{name} version {before.version} is in force with other content ({before.hash[:12]}, the files say "
                f"{after.hash[:12]}); raise `version` to {before.version + 1}"
            )
        ]
    if after.version < before.version:
        return [
            (
                f"{name} version {before.version} is in force, the files say {after.version}: versions only rise; "
                f"set `version` to {before.version + 1}"
            )
        ]
    return []


def unheard(pack: PackContent, running: Iterable[Snapshot], known: Collection[str]) -> list[str]:
    """What breaks when event types that open instances of a pack wait for are no longer in the catalogue."""
    compiled = Pack(pack)
    left = _open(running, compiled.hash)
    missing = sorted(compiled.event_types - set(known))
    if not left or not missing:
        return []
    return [
        (
            f"{_instances(left)} of {compiled.workflow} version {compiled.version} wait for {', '.join(missing)}, "
            "which the catalogue no longer has; bring schema and topic back until they are closed"
        )
    ]


def migration_breaks(before: Pack, after: Pack, instance: Snapshot) -> list[str]:
    """What an open instance would lose by moving from one pack to another: what it uses and the other lacks."""
    name = instance["instance"]
    where = f"{name} cannot move to {after.workflow} version {after.version}"
    if after.workflow != before.workflow:
        return [f"{name} is an instance of {before.workflow}, not of {after.workflow}"]
    roles = {line.role for line in after.definition.responsibilities}
    lost_steps = sorted({task["step"] for task in instance["tasks"]} - after.steps.keys())
    lost_roles = sorted({task["role"] for task in instance["tasks"]} - roles)
    found = [f"{where}: it has open tasks of the step {step}, which is not there" for step in lost_steps]
    found += [f"{where}: it has open tasks of the role {role}, which has no answer there" for role in lost_roles]
    for timer in sorted(timer["name"] for timer in instance["timers"]):
        step = timer.removeprefix(REPEAT)
        if timer.startswith(REPEAT):
            if step not in after.steps or after.steps[step].every is None:
                found.append(f"{where}: its step {step} is asked again and again, which is not so there")
        elif timer not in after.timers:
            found.append(f"{where}: its timer {timer} runs, which is not there")
    declared = after.definition.facts
    for fact, value in sorted(instance["facts"].items()):
        if fact not in declared:
            found.append(f"{where}: it remembers the fact {fact}, which is not there")
        elif declared[fact].type != before.definition.facts[fact].type and value is not None:
            found.append(f"{where}: the fact {fact} is of another type there ({declared[fact].type})")
    return found


def _open(running: Iterable[Snapshot], hash_: str) -> list[str]:
    return sorted(one["instance"] for one in running if one["status"] == "open" and one["pack"] == hash_)


def _instances(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_MAX]) + (", …" if len(names) > _NAMED_MAX else "")
    return f"{len(names)} open instance{'s' if len(names) > 1 else ''} ({shown})"
