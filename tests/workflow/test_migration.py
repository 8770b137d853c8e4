"""Moving instances to the pack in force: what follows it, what stays, what is refused, and that nothing is lost."""

from collections.abc import Sequence
from typing import Any

import pytest

from deptbus.workflow.activation import Ordered, migration_entry
from deptbus.workflow.correlate import Correlator, tick
from deptbus.workflow.evolution import breaks
from deptbus.workflow.migration import preview
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import HOUR, START, World, codec, pack_of, sample, workflow

BY = Ordered("Chen", "law 9", "the deadlines were too long")
ACT = "act-1"
LATER = START + HOUR // 2


def activation(pack: Pack) -> Entry:
    about = {"workflow": pack.workflow, "pack": pack.hash, "body": pack.to_bytes()}
    return {**tick(START), "kind": "activation", **about}


def cases(world: World, count: int, at: int, **about: Any) -> list[Output]:
    data = sample("health.CasesConfirmed", region="440100", count=count)
    return world.publish("health.CasesConfirmed", data, at=at, **about)


def instance(world: World, key: str = "440100", name: str = "small") -> dict[str, Any]:
    found = world.partition.states[f"{name}/{key}"].open
    assert found is not None
    return found


def running(old: Pack, new: Pack) -> World:
    """An instance that opened by ``old``, with ``new`` in force since."""
    world = World(old)
    cases(world, 1, START)
    world.append(activation(new))
    world.correlator = Correlator([old, new])
    return world


def move(world: World, new: Pack, at: int = LATER, by: Ordered = BY) -> list[Output]:
    return world.append(migration_entry(new, instance(world, name=new.workflow), by, ACT, at))


def lines(outputs: Sequence[Output], kind: str) -> list[dict[str, Any]]:
    return [one.data for one in outputs if one.type == "workflow.TimelineRecorded" and one.data["kind"] == kind]


QUICK = {"acknowledge_by": "30m", "complete_by": "2h"}


def quick(**more: Any) -> Pack:
    """The next version, in which a task has half the time."""
    return small(version=2, steps=[step("verify", **QUICK, **more)])


def test_a_deadline_as_the_old_pack_gave_it_becomes_that_of_the_new_one() -> None:
    world, new = running(small(), quick()), quick()
    outputs = move(world, new)
    (task,) = instance(world)["tasks"]
    assert (task["acknowledge_by"], task["complete_by"]) == (START + HOUR // 2, START + 2 * HOUR)
    (extended,) = world.of_type("workflow.TaskExtended", outputs)
    assert (extended["reason"], extended["complete_by"]) == ("moved to version 2", START + 2 * HOUR)
    assert extended["basis"] == BY.basis


def test_a_move_is_recorded_with_who_and_on_what_basis() -> None:
    world, new = running(small(), quick()), quick()
    (line_,) = lines(move(world, new), "migrated")
    assert (line_["actor"], line_["basis"], line_["cause"]) == (BY.officer, BY.basis, ACT)
    assert line_["detail"] == {"from_version": "1", "version": "2", "reason": BY.reason}
    assert (instance(world)["version"], instance(world)["pack"]) == (2, new.hash)


def test_what_an_order_has_extended_stays() -> None:
    world, new = running(small(), quick()), quick()
    (task,) = instance(world)["tasks"]
    order = sample(
        "command.DirectiveIssued", act="extend", workflow="small", key="440100", task=task["id"],
        complete_by=START + 9 * HOUR, acknowledge_by=None,
    )  # fmt: skip
    world.publish("command.DirectiveIssued", order, at=START + 1, instance="small/440100/1")
    move(world, new)
    (task,) = instance(world)["tasks"]
    assert (task["acknowledge_by"], task["complete_by"]) == (START + HOUR // 2, START + 9 * HOUR)


def test_an_acknowledgement_that_was_given_is_not_made_late() -> None:
    world, new = running(small(), quick()), quick()
    world.answer(world.of_type("workflow.TaskRequested")[0], "acknowledged", at=START + 45 * 60_000)
    move(world, new, START + HOUR)
    (task,) = instance(world)["tasks"]
    assert (task["acknowledge_by"], task["complete_by"], task["late"]) == (START + HOUR, START + 2 * HOUR, False)


def test_what_a_clock_stop_has_moved_stays_and_a_clock_that_stands_runs_on_from_the_new_deadline() -> None:
    stops = [{"from": "hospitals.ResourceShort", "until": "health.ResourcesReleased", "basis": "law 4"}]
    old = small(steps=[step("verify", stops=stops)])
    new = quick(stops=stops)
    for until_before in (True, False):
        world = running(old, new)
        stop, go = "hospitals.ResourceShort", "health.ResourcesReleased"
        world.publish(stop, sample(stop), at=START, instance="small/440100/1")
        if until_before:
            world.publish(go, sample(go), at=START + HOUR, instance="small/440100/1")
        move(world, new, START + HOUR)
        if not until_before:
            world.publish(go, sample(go), at=START + HOUR, instance="small/440100/1")
        (task,) = instance(world)["tasks"]
        assert task["complete_by"] == START + (5 if until_before else 3) * HOUR


def test_a_task_stays_with_whom_it_was_asked_of() -> None:
    lines_ = [line("health_authority", "police"), line("command_post", "command"), line("upper_government", "health")]
    world = running(small(), new := small(version=2, responsibilities=lines_))
    outputs = move(world, new)
    assert instance(world)["tasks"][0]["department"] == "health"
    assert world.of_type("workflow.TaskReassigned", outputs) == []


def test_facts_that_are_new_have_their_initial_value_and_the_others_keep_theirs() -> None:
    facts = {"cases": {"type": "int", "initial": 0}, "more": {"type": "int", "initial": 7}}
    new = small(version=2, facts=facts | {"quiet": {"type": "bool", "initial": False}})
    world = running(small(), new)
    move(world, new)
    assert instance(world)["facts"] == {"cases": 1, "quiet": False, "more": 7}


def test_the_ladder_follows_and_tells_nobody_twice() -> None:
    first, second = {"at": "complete_by", "to": "command_post"}, {"at": "complete_by", "after": "8h", "to": "police"}
    acknowledged = {"at": "acknowledge_by", "to": "command_post"}
    old = small(escalate=[acknowledged, first])
    new = small(version=2, escalate=[acknowledged, first, second])
    world = running(old, new)
    world.tick(START + 4 * HOUR)
    told = len(world.of_type("workflow.TaskEscalated"))
    move(world, new, START + 5 * HOUR)
    assert world.tick(START + 11 * HOUR) == []
    (escalated,) = world.of_type("workflow.TaskEscalated", world.tick(START + 12 * HOUR))
    assert (told, escalated["to_role"]) == (2, "police")


def test_a_deadline_that_is_over_by_the_new_pack_escalates_at_the_next_tick() -> None:
    world, new = running(small(), quick()), quick()
    move(world, new, START + 3 * HOUR)
    assert [one["missed"] for one in world.of_type("workflow.TaskEscalated", world.tick(START + 3 * HOUR))] == [
        "acknowledge_by",
        "complete_by",
    ]


def test_what_the_new_pack_says_of_the_level_and_the_end_holds_at_once() -> None:
    new = small(version=2, closes="facts.cases >= 1")
    world = running(small(), new)
    outputs = move(world, new)
    assert [kind for kind in world.kinds(outputs) if kind in {"migrated", "cancelled", "closed"}] == [
        "migrated",
        "cancelled",
        "closed",
    ]


REFUSED = [
    (small(version=2, steps=[step("other")]), "it has open tasks of the step verify"),
    (small(version=2, facts={"quiet": {"type": "bool", "initial": False}}, rules=[CASES | {"set": {}}],
           closes="facts.quiet"), "it remembers the fact cases"),
]  # fmt: skip


@pytest.mark.parametrize(("new", "why"), REFUSED)
def test_a_move_that_would_lose_something_is_recorded_and_changes_nothing(new: Pack, why: str) -> None:
    world = running(small(), new)
    before = dict(instance(world))
    (line_,) = lines(move(world, new), "migration_refused")
    assert why in line_["detail"]["reason"]
    assert (line_["instance"], line_["actor"], line_["basis"]) == ("small/440100/1", BY.officer, BY.basis)
    assert instance(world) == before


def test_a_calendar_without_the_year_refuses_the_move() -> None:
    content = small(version=2, steps=[step("verify", complete_by="9wd")]).content
    none = content.calendar.model_copy(update={"years": {}})
    new = Pack(content.model_copy(update={"calendar": none}))
    world = running(small(), new)
    (line_,) = lines(move(world, new), "migration_refused")
    assert "2020" in line_["detail"]["reason"]


@pytest.mark.parametrize("known", [True, False])
def test_only_the_pack_in_force_is_moved_to(known: bool) -> None:
    world, third = running(small(), quick()), small(version=3)
    if known:
        world.append(activation(third), activation(quick()))
    (line_,) = lines(move(world, third), "migration_refused")
    assert "is not the one in force" in line_["detail"]["reason"]


def test_an_instance_that_has_closed_is_not_moved() -> None:
    world, new = running(small(), quick()), quick()
    late = migration_entry(new, instance(world), BY, ACT, LATER)
    cases(world, 1000, START + 1)
    (line_,) = lines(world.append(late), "migration_refused")
    assert line_["detail"]["reason"] == "small/440100/1 is not open"


def test_an_order_that_comes_twice_moves_once() -> None:
    world, new = running(small(), quick()), quick()
    move(world, new)
    assert move(world, new) == []


def test_a_dry_run_shows_just_what_then_happens() -> None:
    escalate = [{"at": "acknowledge_by", "to": "police"}, {"at": "complete_by", "to": "police"}]
    level = {"of": "facts.cases", "rows": [{"at_least": 1, "gives": "II"}], "basis": "law 5"}
    asked = step("other", "level", role="police")
    for new in (quick(), small(version=2, escalate=escalate), REFUSED[0][0],
                small(version=2, level=level, steps=[step("verify", **QUICK), asked])):  # fmt: skip
        world = running(small(), new)
        shown = preview(small(), new, instance(world), migration_entry(new, instance(world), BY, ACT, LATER))
        outputs = move(world, new)
        happened = [(one.type, one.data) for one in outputs if one.topic != "workflow.instances"]
        assert [(one.type, one.data) for one in shown.outputs] == happened
        assert {**shown.after, "offset": 0} == {**instance(world), "offset": 0}
        assert bool(shown.refused) == bool(lines(outputs, "migration_refused"))


def test_after_a_move_events_come_by_the_new_pack_and_once() -> None:
    new = small(version=2, rules=[CASES | {"set": {"cases": "facts.cases + 10 * event.count"}}])
    world = running(small(), new)
    move(world, new)
    cases(world, 1, LATER + 1)
    assert instance(world)["facts"]["cases"] == 11
    world.correlator = Correlator([new])
    cases(world, 1, LATER + 2)
    assert instance(world)["facts"]["cases"] == 21
    assert breaks(small().content, None, [instance(world)]) == []


@pytest.mark.parametrize("name", ["cases", "renamed"])
def test_an_event_that_correlate_placed_before_it_knew_the_new_pack_is_not_lost(name: str) -> None:
    new = small(version=2, rules=[CASES | {"rule": name}])
    world = running(small(), new)
    world.correlator = Correlator([small()])
    move(world, new)
    cases(world, 5, LATER + 1)
    assert instance(world)["facts"]["cases"] == 6


@pytest.mark.parametrize("name", ["cases", "renamed"])
@pytest.mark.parametrize("moved_after", [0, 1, 2])
def test_an_event_whose_entries_lie_about_the_move_counts_once(name: str, moved_after: int) -> None:
    new = small(version=2, rules=[CASES | {"rule": name}])
    world = running(small(), new)
    entries = world.entries(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region="440100", count=5), at=LATER
    )
    assert len(entries) == 2
    entries.insert(moved_after, migration_entry(new, instance(world), BY, ACT, LATER))
    for entry in entries:
        world.append(entry)
    assert instance(world)["facts"]["cases"] == 6


def test_what_the_new_pack_no_longer_wants_is_not_applied_for_the_old_one() -> None:
    new = small(version=2, rules=[CASES | {"when": "event.count > 9"}])
    world = running(small(), new)
    world.correlator = Correlator([small()])
    move(world, new)
    cases(world, 5, LATER + 1)
    assert instance(world)["facts"]["cases"] == 1


@pytest.mark.parametrize("moved", [True, False])
def test_an_event_of_which_only_the_old_version_has_a_rule_completes_a_task_of_the_new_one(moved: bool) -> None:
    steps = [step("verify", completed_by=["health.FigureVerified"]), step("site", role="districts")]
    answering = [*small().definition.responsibilities, line("districts", "districts")]
    common = {"steps": steps, "responsibilities": answering}
    old = small(**common, rules=[CASES, rule("verified", "health.FigureVerified")])
    new = small(**common, version=2)
    world = running(old, new) if moved else World(new)
    world.correlator = Correlator([old, new])
    if moved:
        move(world, new)
    else:
        cases(world, 1, START)
    (task,) = [one for one in world.of_type("workflow.TaskRequested") if one["step"] == "verify"]
    verified = sample("health.FigureVerified", region="440100")
    world.publish("health.FigureVerified", verified, at=LATER + 1, cause=task["task"], instance="small/440100/1")
    assert instance(world)["done"] == {"verify": 1}
    assert [one["step"] for one in instance(world)["tasks"]] == ["site"]


def test_what_waited_by_an_older_version_joins_what_opens_by_the_new_one() -> None:
    shortage = rule("shortage", "hospitals.ResourceShort", set={"quiet": "true"})
    old, new = small(rules=[CASES, shortage]), small(version=2, rules=[CASES, shortage | {"rule": "short"}])
    world = World(old)
    world.publish("hospitals.ResourceShort", sample("hospitals.ResourceShort", region="440100"), at=START)
    world.append(activation(new))
    world.correlator = Correlator([old, new])
    cases(world, 1, START + 1)
    assert instance(world)["facts"]["quiet"] is True


def test_the_epidemic_moves_and_folds_to_the_same_bytes() -> None:
    definition = workflow("epidemic")
    steps = [one | {"complete_by": "1h"} if one["step"] == "publish_bulletin" else one for one in definition["steps"]]
    old, new = pack_of(definition), pack_of(definition | {"version": 2, "steps": steps})
    world = running(old, new)
    move(world, new)
    again = world.new_partition()
    outputs = [one for entry in world.journal for one in again.apply([world.read(entry)])]
    assert codec().encode("workflow.InstanceChanged", again.states["epidemic/440100"].open or {}) == codec().encode(
        "workflow.InstanceChanged", instance(world, name="epidemic")
    )
    assert len(outputs) == len(world.outputs)
    assert len(world.of_type("workflow.TaskExtended")) == 1
