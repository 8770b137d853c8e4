"""Which steps may stand otherwise than in order, by what the timeline records and what follows from that."""

from collections.abc import Iterable, Mapping
from typing import Any

from deptbus.workflow.pack import CompiledStep, Pack
from tests.services.histories import DONE
from tests.workflow.world import World

ENDS = ("completed:", "declined:")
NOT_ASKED = ("over_already", "already_asked", "not_asked")


def explained(pack: Pack, worlds: Iterable[World]) -> set[str]:
    """What steps, facts and levels lines of the timelines are about, and all that hangs on them."""
    about: set[str] = set()
    done: list[dict[str, str]] = []
    for world in worlds:
        lines = world.of_type("workflow.TimelineRecorded")
        for line in lines:
            about |= _about(pack, line)
        done.append({line["cause"]: line["rule"] for line in lines if line["kind"] in DONE})
    return _hanging(pack, about | _swapped(pack, *done))


def _swapped(pack: Pack, one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """Steps that a type of event completes along with others: one that names no task completes the one that is open."""
    moved = {by[event] for by in (one, other) for event in by if one.get(event) != other.get(event)}
    types = {kind for step in moved for kind in pack.steps[step].completed_by}
    return {step for kind in types if len(pack.completes[kind]) > 1 for step in pack.completes[kind]}


def came_first(pack: Pack, world: World) -> set[str]:
    """Steps of which an event joined that completed no task, as none was open yet, and what hangs on them."""
    lines = world.of_type("workflow.TimelineRecorded")
    completing = {line["cause"] for line in lines if line["kind"] in DONE}
    joined = [line["detail"] for line in lines if line["kind"] == "joined"]
    return _hanging(pack, {s for e in joined if e["event"] not in completing for s in _ended_by(pack, e["type"])})


def _about(pack: Pack, line: Mapping[str, Any]) -> set[str]:
    detail = line["detail"]
    match line["kind"]:
        case "unmatched" | "late" if "type" in detail:
            return set(_ended_by(pack, detail["type"]))
        case kind if kind in (*NOT_ASKED, "unmatched"):
            return {line["rule"]}
        case "fact_overtaken":
            return {f"facts.{name}" for name in detail["facts"].split(", ")}
        case "order_void" | "level_overtaken":
            return {"level"}
        case "merged" | "split":
            return {"lead", "parts"}
    return set()


def _ended_by(pack: Pack, event_type: str) -> list[str]:
    return [*pack.completes.get(event_type, ()), *pack.declines.get(event_type, ())]


def _hanging(pack: Pack, about: set[str]) -> set[str]:
    """These and all that waits for them, or reads what they are about."""
    on = _triggers(pack)
    while True:
        if pack.level_of is not None and pack.level_of.names & about:
            about = about | {"level", "level_rank"}
        more = {
            name
            for name, step in pack.steps.items()
            if name not in about and (_reads(step, about) or any(_of(each, about) for each in on.get(name, ())))
        }
        if not more:
            return about
        about = about | more


def _triggers(pack: Pack) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for by_trigger in (pack.asked_on, pack.cancelled_on, pack.retargeted_on):
        for trigger, names in by_trigger.items():
            for name in names:
                found.setdefault(name, set()).add(trigger)
    return found


def _of(trigger: str, about: set[str]) -> bool:
    return trigger in about or (trigger.startswith(ENDS) and trigger.partition(":")[2] in about)


def _reads(step: CompiledStep, about: set[str]) -> bool:
    guards = [guard for guard in (step.when, step.for_regions, step.repeat_while) if guard is not None]
    named = {name for guard in guards for name in guard.names}
    return any(name in about or name.partition(".")[2] in about for name in named if not name.startswith("event."))
