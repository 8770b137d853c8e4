"""Histories of the three workflows: what happened in one play in memory, to be delivered in another order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from deptbus.exercise.scenario import load_scenario
from deptbus.imports.item import Item
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry
from tests.services.play import DAY, MINUTE, catalogue, play_packs
from tests.workflow.world import HOUR, ROOT, START, World, pack_of, sample, workflow

SCENARIOS = {"leak": "leak-shenzhen", "flood": "flood-longgang"}
PACKS = {name: pack_of(workflow(name)) for name in ("epidemic", *SCENARIOS)}
REGION = "440100"
DONE = ("completed", "completed_late")
WINDOW = DAY
"""Of what no rule concerns; the engine remembers it for as long."""


@dataclass(frozen=True)
class Happened:
    """An event, and what correlate made of it."""

    id: str
    type: str
    at: int
    window: int
    """By less than this it may be delayed."""
    entries: tuple[Entry, ...]
    in_time: bool
    """It is not delayed: what opens an instance, and what a commander orders."""

    def again(self) -> "Happened":
        """The same, published a second time."""
        entries = tuple({**each, "event": {**each["event"], "offset": 1_000_000}} for each in self.entries)
        return replace(self, entries=entries)


@cache
def history(name: str) -> tuple[Happened, ...]:
    """All that happened in the play of a workflow, in its order; it names instances, but no tasks.

    The ids of tasks follow from their causes, so in another order they are others: answers, which name a task, are
    left out, and what a department did says only in which instance.
    """
    pack, journal = PACKS[name], _journal(name)
    found: dict[str, list[Entry]] = {}
    for entry in journal:
        event = entry["event"]
        if entry["kind"] == "event" and not event["type"].endswith("TaskAnswered"):
            about = {**event, "causationid": None}
            found.setdefault(event["id"], []).append({**entry, "event": about})
    happened, keys = [], set()
    for event_id, entries in found.items():
        rules = [pack.rules[each["rule"]] for each in entries if each["rule"]]
        window = min((rule.window_ms for rule in rules), default=WINDOW)
        first = entries[0]
        kind = first["event"]["type"]
        in_time = first["key"] not in keys or kind == pack.definition.directives
        keys.add(first["key"])
        happened.append(Happened(event_id, kind, first["at"], window, tuple(entries), in_time))
    return tuple(sorted(happened, key=lambda each: (each.at, each.id)))


def _journal(name: str) -> list[Entry]:
    if name == "epidemic":
        played = play_packs([PACKS[name]], _epidemic(), until=START + 60 * DAY, seed=1)
    else:
        found = load_scenario(ROOT, SCENARIOS[name], catalogue())
        played = play_packs(
            [PACKS[name]], found.items, until=found.until_ms + 28 * DAY, seed=found.seed, answers=found.answers,
            step_ms=found.step_minutes * MINUTE,
        )  # fmt: skip
    return [entry for _, entry in played.world.journal]


def _epidemic() -> Iterator[Item]:
    """Some weeks of a city: case numbers, objections to them, shortages, gatherings, reported cases."""
    for day in range(12):
        yield _item("health.CasesConfirmed", day * DAY, count=(1, 4, 9, 2, 0, 30)[day % 6])
        yield _item("health.CaseReported", day * DAY + 5 * HOUR, f"case {day}", case=f"case {day}")
        if day % 2:
            yield _item("data.ObjectionRaised", day * DAY + 7 * HOUR, f"objection {day}", objection=f"objection {day}")
            yield _item("hospitals.ResourceShort", day * DAY + 9 * HOUR, f"short {day}", shortage=f"short {day}",
                        quantity=day, resource="masks")  # fmt: skip
        if day % 3 == 0:
            yield _item("urban.GatheringDetected", day * DAY + 11 * HOUR, f"crowd {day}", gathering=f"crowd {day}")


def _item(kind: str, after: int, subject: str = REGION, **data: Any) -> Item:
    department = kind.partition(".")[0]
    return Item(START + after, department, kind, f"{kind} {after}", sample(kind, region=REGION, **data), subject,
                REGION, "a law")  # fmt: skip


def delivered(pack: Pack, happened: Iterable[Happened], ticks: bool) -> World:
    """A world to which it has all come; ``ticks``: time goes as far as the latest event that has come."""
    world = World(pack)
    latest = 0
    for each in happened:
        if ticks and each.at > latest > 0:
            tell(world, world.tick(each.at))
        latest = max(latest, each.at)
        for entry in each.entries:
            tell(world, world.append(entry))
    tell(world, world.tick(latest + 1))
    return world


def tell(world: World, outputs: Iterable[Any]) -> None:
    """Deliver what keys append for one another."""
    for output in outputs:
        if output.topic == "workflow.journal":
            tell(world, world.append(output.data["entry"]))


def came_to(world: World) -> dict[str, dict[str, Any]]:
    """What counts of each instance in the end."""
    found: dict[str, dict[str, Any]] = {}
    for data in world.of_type("workflow.InstanceChanged"):
        found[data["instance"]] = {
            **{name: data[name] for name in ("status", "level", "region")},
            "facts": {name: _words(value) for name, value in data["facts"].items()},
            "asked": set(), "done": set(),
            "open": {_what(task) for task in data["tasks"]},
        }  # fmt: skip
    named = {}
    for data in world.of_type("workflow.TaskRequested"):
        named[data["task"]] = _what(data)
        found[data["instance"]]["asked"].add(named[data["task"]])
    for data in world.of_type("workflow.TimelineRecorded"):
        if data["kind"] in DONE:
            found[data["instance"]]["done"].add(named[data["task"]])
    return found


def _what(task: Mapping[str, Any]) -> tuple[str, str, str]:
    """Resources are released all at once, whether the all-clear or the last deployment is heard of last."""
    return task["step"], "" if task["step"] == "release_resources" else task["subject"], task["region"]


def _words(value: Any) -> Any:
    """Lists in facts are sets."""
    return sorted(value.split(" ")) if isinstance(value, str) else value
