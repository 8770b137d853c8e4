"""Whatever order the events of the three workflows come in, within their windows, they come to the same in the end."""

from collections.abc import Iterator
from functools import cache
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.workflow.pack import Pack
from tests.services.explained import came_first, explained
from tests.services.histories import PACKS, came_to, delivered, history
from tests.workflow.strategies import tried
from tests.workflow.world import HOUR, START, World, sample

HERE = "440307"
Difference = tuple[str, str]
"""What differs, and of which step or fact."""


@pytest.mark.parametrize("ticks", [True, False], ids=["ticks between", "ticks after"])
@pytest.mark.parametrize("name", PACKS)
@tried
@given(chance=st.randoms(use_true_random=False), data=st.data())
def test_delays_within_the_windows_come_to_the_same(name: str, ticks: bool, chance: Random, data: Any) -> None:
    """Every event keeps its own time; each is delayed by less than the window of its rules, some come again.

    Not delayed are what opens an instance and what commanders order (see ``test_properties_command``). Answers are
    left out and events name no task, see ``history``. What the instance knows (facts, its region) is the same, always.
    Else the following may differ, each with its line in the timeline:

    - ``fact_overtaken``: nothing is made of a figure older than the one known. Steps that read it, or were asked in
      regions that it named, were not asked; a level that it would have given is not given.
    - ``over_already``: nobody is asked for what had ended by the time; ``joined`` before the request comes to the
      same where the guard holds no more (the cordon has been lifted, the alert cancelled): nobody is asked.
    - ``unmatched``: an event older than the request, or one of several that it may mean, completes nothing. The task
      stays open, or what is asked as of a later time is asked once more.
    - ``already_asked``: one task where in order one was done before the next was asked.
    - ``completed``: of several steps that one type completes, it completed another.
    - ``merged``, ``split``: guards on who leads are as of when an event comes.
    - ``task_requested``: of a step that repeats, or is asked once per level, as long as its end was not known.
    - ``late``, ``order_void``, ``level_overtaken``: what they say.

    And what hangs on these steps. The instance stays open for tasks that are open for these reasons alone.
    """
    share = data.draw(st.sampled_from([0.02, 0.1, 0.3, 0.999]), "share of the window")
    delayed = data.draw(st.sampled_from([0.02, 0.1, 0.5, 1.0]), "how many are delayed")
    again = data.draw(st.sampled_from([0.0, 0.05]), "how many come again")
    arrivals = []
    for number, each in enumerate(history(name)):
        within = 0 if each.in_time else int(share * each.window)
        at = each.at + (int(within * chance.random()) if chance.random() < delayed else 0)
        arrivals.append((at, number, each))
        if chance.random() < again:
            arrivals.append((at + int(within * chance.random()), number, chance.choice([each, each.again()])))
    world = delivered(PACKS[name], [each for _, _, each in sorted(arrivals, key=lambda one: one[:2])], ticks)
    differing = _differences(_in_order(name, ticks), world)
    assert not _unexplained(PACKS[name], _in_order(name, ticks), world, differing)


@cache
def _in_order(name: str, ticks: bool) -> World:
    return delivered(PACKS[name], history(name), ticks)


def _differences(one: World, other: World) -> set[Difference]:
    was, became = came_to(one), came_to(other)
    assert was.keys() == became.keys()
    return {difference for name in was for difference in _of_instance(was[name], became[name])}


def _of_instance(was: dict[str, Any], became: dict[str, Any]) -> Iterator[Difference]:
    for name in ("status", "level", "region"):
        if was[name] != became[name]:
            yield name, became[name]
    for name, value in was["facts"].items():
        if value != became["facts"][name]:
            yield "fact", f"{name}: {value} became {became['facts'][name]}"
    for name in ("asked", "done", "open"):
        for step, _, _ in was[name] - became[name]:
            yield f"not {name}", step
        for step, _, _ in became[name] - was[name]:
            yield name, step


def _unexplained(pack: Pack, one: World, other: World, differing: set[Difference]) -> list[Difference]:
    known, first = explained(pack, (one, other)), came_first(pack, other)

    def fine(what: str, which: str) -> bool:
        match what:
            case "level":
                return "level" in known
            case "status":
                return which == "open" and any(how == "open" for how, _ in differing)
            case "not asked" | "not done":
                return which in known or which in first
            case "open":
                return which in known or pack.steps[which].every is not None or not pack.steps[which].only_one
            case "asked" | "done" | "not open":
                return which in known
        return False

    return sorted(each for each in differing if not fine(*each))


def _alert(number: int) -> dict[str, Any]:
    return {"alert_sender": "s", "alert_identifier": str(number), "alert_sent": "t", "region": HERE}


Told = tuple[str, dict[str, Any]]
ALERTS: list[Told] = [
    ("government.LevelActivated", _alert(1)),
    ("government.LevelActivated", _alert(2)),
    ("government.AlertCancelled", {**_alert(3), "references": "s,1,t"}),
]
DIVERSION: list[Told] = [("transport.TrafficDiverted", {}), ("transport.TrafficRestored", {})]
RESOURCES: list[Told] = [
    ("emergency.ResourceRequested", {"quantity": 3, "request": "1", "of_region": HERE}),
    ("emergency.ResourceCommitted", {"quantity": 2, "request": "1"}),
]


def _stage(stage: int) -> Told:
    return "water.RiverStageUpdated", {"stage_cm": stage, "warning_cm": 5, "guarantee_cm": 9, "regions": HERE}


def _coloured(colour: str | None) -> Told:
    about = {"message_type": "Update", "event": "暴雨", "colour": colour}
    return "warning.AlertReceived", about


FIGURES: list[tuple[str, Told, list[Told]]] = [
    ("epidemic", ("health.CasesConfirmed", {"count": 3}), [
        ("cdc.CaseDiscarded", {"retracts": True}), ("cdc.CaseDiscarded", {"retracts": True}),
        ("cdc.CaseConfirmed", {}), ("cdc.CaseDiscarded", {"retracts": True}), ("cdc.CaseDiscarded", {"retracts": True}),
    ]),
    ("epidemic", ("health.CasesConfirmed", {"count": 1}), ALERTS),
    ("leak", ("enterprises.LeakReported", {}), [
        ("ecology.ReadingTaken", {"normal": True}), ("ecology.ReadingTaken", {"normal": False}),
        ("ecology.ReadingTaken", {"normal": True}), ("ecology.ReadingTaken", {"normal": True}),
    ]),
    ("leak", ("enterprises.LeakReported", {}), ALERTS + RESOURCES),
    ("leak", ("enterprises.LeakReported", {}), [
        ("police.CordonSet", {}), ("districts.ShelterOpened", {}), ("districts.SheltersClosed", {}),
        ("police.CordonLifted", {}), ("police.PeopleEvacuated", {"people": 3}),
    ]),
    ("flood", ("water.FloodWarned", {"colour": "blue"}), [
        _coloured("red"), _coloured("orange"), _coloured(None), ("water.FloodWarned", {"colour": "yellow"}),
    ]),
    ("flood", ("water.FloodWarned", {"colour": "blue"}), [_stage(4), _stage(6), _stage(3), _stage(2)]),
    ("flood", ("water.FloodWarned", {"colour": "blue"}), ALERTS + DIVERSION),
]  # fmt: skip


@pytest.mark.parametrize(("name", "opening", "events"), FIGURES)
def test_figures_stand_the_same_in_every_order(name: str, opening: Told, events: list[Told]) -> None:
    found = []
    for order in permutations(enumerate(events, 1)):
        world = World(PACKS[name])
        for number, (kind, data) in ((0, opening), *order):
            _tell(world, name, kind, data, number)
        (instance,) = came_to(world).values()
        found.append(instance["facts"])
    assert all(facts == found[0] for facts in found)


def _tell(world: World, name: str, kind: str, data: dict[str, Any], hours: int) -> None:
    known = {"region": HERE, "incident": HERE, "workflow": name}
    fields = sample(kind)
    fields |= {field: value for field, value in known.items() if field in fields} | data
    opened = {"instance": f"{name}/{HERE}/1"} if hours else {}
    world.publish(kind, fields, at=START + hours * HOUR, id=f"{kind} {hours}", region=HERE, **opened)
