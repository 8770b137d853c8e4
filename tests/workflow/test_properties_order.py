"""Any order, duplication and delay of an instance's events within their windows comes to the same in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.workflow.definition import LEVELS
from deptbus.workflow.pack import Pack
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.strategies import Told, told, tried
from tests.workflow.test_properties_total import Player
from tests.workflow.world import HOUR, START, World, pack_of, sample, workflow

KEY = "440100"
PACK = small(
    facts={"cases": {"type": "int"}, "quiet": {"type": "bool"}, "place": {"type": "string"}, "seen": {"type": "int"}},
    level={"of": "facts.cases", "basis": "law 6",
           "rows": [{"at_least": 4, "gives": "III"}, {"at_least": 9, "gives": "II"}]},
    rules=[
        CASES | {"set": {"cases": "facts.cases + event.count", "seen": "max(facts.seen, at)"}, "restart": ["calm"]},
        rule("gathering", "urban.GatheringDetected", subject="event.gathering", set={"place": "event.place"}),
        rule("banned", "police.BanIssued", subject="event.gathering", set={"quiet": "true"}),
        rule("over", "police.GatheringDispersed", subject="event.gathering", set={"quiet": "false"}),
        rule("stopped", "cdc.CaseConfirmed"),
        rule("started", "cdc.CaseDiscarded"),
    ],
    timers=[{"timer": "calm", "after": "90d", "basis": "law 7"}],
    steps=[
        step("ban", "rule:gathering", role="police", completed_by=["police.BanIssued"], acknowledge_by="40h",
             complete_by="60h", cancelled_by=["rule:over"]),
        step("verify", "opened", acknowledge_by="40h", complete_by="60h", completed_by=["health.FigureVerified"],
             stops=[{"from": "cdc.CaseConfirmed", "until": "cdc.CaseDiscarded", "basis": "law 5"}]),
        step("follow", "completed:ban", role="police", acknowledge_by="40h", complete_by="60h"),
    ],
    closes="false",
    responsibilities=[
        line("health_authority", "health"), line("police", "police"), line("command_post", "command"),
        line("upper_government", "government"),
    ],
)  # fmt: skip

EXPLAINS = {"late", "unmatched", "duplicate", "order_void", "not_responsible", "level_overtaken"}
"""Records that say why something came to nothing."""


@dataclass(frozen=True)
class Happened:
    """Something a department or a commander did, ``at`` half hours after the start."""

    type: str
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)
    step: str | None = None
    """It answers or orders something about the task of this step."""

    @property
    def id(self) -> str:
        """The same whenever it comes."""
        return f"{self.type} {self.at}"


def _what(each: Happened) -> Any:
    """A gathering is detected once; of everything else there may be several."""
    return each.data["gathering"] if each.type == "urban.GatheringDetected" else (each.type, each.at)


def _events() -> st.SearchStrategy[list[Happened]]:
    def told(kind: str, step: str | None = None, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Happened]:
        return st.builds(Happened, st.just(kind), st.integers(1, 30), st.fixed_dictionaries(data), st.just(step))

    region, gathering = st.just(KEY), st.sampled_from(["a", "b"])
    levels, said = st.sampled_from(LEVELS), st.sampled_from(["acknowledged", "accepted", "committed", "progressed"])
    one = st.one_of(
        told("health.CasesConfirmed", region=region, count=st.integers(0, 5)),
        told("urban.GatheringDetected", region=region, gathering=gathering, place=st.sampled_from(["here", "there"])),
        told("police.BanIssued", region=region, gathering=gathering),
        told("police.GatheringDispersed", region=region, gathering=gathering),
        told("cdc.CaseConfirmed", region=region),
        told("cdc.CaseDiscarded", region=region),
        told("command.DirectiveIssued", act=st.just("level"), level=levels),
        told("command.DirectiveIssued", "verify", act=st.just("extend"),
             complete_by=st.integers(50, 90).map(lambda hours: START + hours * HOUR)),
        told("health.TaskAnswered", "verify", disposition=said),
    )  # fmt: skip
    return st.lists(one, max_size=10, unique_by=(lambda each: each.at, _what))


def opening() -> Happened:
    """What opens the instance, before anything else happens."""
    return Happened("health.CasesConfirmed", 0, {"region": KEY, "count": 1})


def let_happen(world: World, each: Happened, offset: int | None) -> None:
    """Publish it, and let it be advanced."""
    data = sample(each.type, **each.data)
    about: dict[str, Any] = {"at": START + each.at * HOUR // 2, "id": each.id, "offset": offset}
    if each.step is not None:
        (task,) = [task for task in tasks(world) if task["step"] == each.step]
        data |= {"task": task["id"]}
    if each.type in ("command.DirectiveIssued", "health.TaskAnswered"):
        about["instance"] = f"small/{KEY}/1"
    world.publish(each.type, data, region=KEY, **about)


def tasks(world: World) -> list[dict[str, Any]]:
    """The open tasks."""
    found: list[dict[str, Any]] = instance(world)["tasks"]
    return found


def instance(world: World) -> dict[str, Any]:
    """The open instance."""
    found = world.partition.states[f"small/{KEY}"].open
    assert found is not None
    return found


STANDS = ("step", "subject", "region", "department", "state")


def came_to(world: World) -> dict[str, Any]:
    """What counts in the end."""
    state = instance(world)
    known = ("facts", "level", "highest_level", "asked", "done", "tally", "clock", "region")
    moot = {"acknowledge_by": None}  # once it is acknowledged
    shown = [task if task["acknowledged_at"] is None else task | moot for task in state["tasks"]]
    stands = {"verify": (*STANDS, "acknowledge_by", "complete_by", "acknowledged_at", "paused_at", "late")}
    open_tasks = [[str(task[name]) for name in stands.get(task["step"], STANDS)] for task in shown]
    timers = [timer["due"] for timer in state["timers"]]
    return {name: state[name] for name in known} | {"timers": timers, "tasks": sorted(open_tasks)}


@tried
@given(events=_events(), data=st.data())
def test_in_whatever_order_events_come_they_come_to_the_same(events: list[Happened], data: st.DataObject) -> None:
    events = sorted(events, key=lambda each: each.at)
    in_order, mixed = World(PACK), World(PACK)
    for offset, each in enumerate([opening(), *events]):
        let_happen(in_order, each, offset)
    arrivals = data.draw(st.permutations([*enumerate(events, 1)]), "arrivals")
    again = data.draw(st.lists(st.sampled_from(arrivals), max_size=3), "again") if arrivals else []
    let_happen(mixed, opening(), 0)
    for offset, each in [*arrivals, *again]:
        republished = data.draw(st.booleans(), "republished") if (offset, each) in again else False
        let_happen(mixed, each, 1_000 if republished else offset)
    kinds = set(mixed.kinds()) & (EXPLAINS - {"duplicate"})
    if not kinds:
        assert came_to(mixed) == came_to(in_order)


PROJECT = {name: pack_of(workflow(name)) for name in ("epidemic", "leak", "flood")}
OF_STATE = ("facts", "level", "status", "asked", "done", "tally", "early", "clock")
OF_TASKS = ("step", "subject", "region", "department", "state", "acknowledge_by", "complete_by")


def played(pack: Pack, events: list[Told]) -> Player:
    """A partition to which these entries were applied one by one."""
    player = Player(pack, stepped=False)
    for each in events:
        player.play(each)
    return player


def stands(player: Player) -> dict[str, Any]:
    """What counts of every open instance."""
    found = {}
    for name, state in player.partition.states.items():
        if state.open is not None:
            tasks = [{key: task[key] for key in OF_TASKS} for task in state.open["tasks"]]
            timers = [(timer["name"], timer["due"]) for timer in state.open["timers"]]
            found[name] = {key: state.open[key] for key in OF_STATE} | {"tasks": tasks, "timers": timers}
    return found


@pytest.mark.parametrize("name", PROJECT)
@tried
@given(data=st.data())
def test_what_comes_twice_counts_once_in_every_workflow(name: str, data: st.DataObject) -> None:
    pack = PROJECT[name]
    drawn = data.draw(st.lists(told([pack], odd=False), min_size=8, max_size=25), "events")
    events = [_numbered(each, number) for number, each in enumerate(sorted(drawn, key=lambda each: each.entry["at"]))]
    twice: list[Told] = []
    for each in events:
        again = data.draw(st.sampled_from(["no", "no", "appended", "published"]), "again")
        twice += [each] if again == "no" or each.entry["event"] is None else [each, _again(each, again)]
    assert stands(played(pack, twice)) == stands(played(pack, events))


def _numbered(each: Told, number: int) -> Told:
    """Every event has an id and an offset of its own, and names no task: only the run would know which."""
    if each.entry["event"] is None:
        return each
    event = {**each.entry["event"], "id": f"event {number}", "offset": number}
    return replace(each, entry={**each.entry, "event": event}, task=None)


def _again(each: Told, how: str) -> Told:
    """The same once more: appended by correlate after a crash, or published a second time."""
    if how == "appended":
        return each
    return replace(each, entry={**each.entry, "event": {**each.entry["event"], "offset": 1_000}})
