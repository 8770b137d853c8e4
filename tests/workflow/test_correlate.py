"""Which workflow an event concerns, by which key, and why."""

import pytest

from deptbus.workflow.expressions import EvaluationError
from tests.workflow.definitions import CASES, rule, small
from tests.workflow.world import START, World, sample


def keys(world: World, event_type: str, **about: object) -> list[tuple[str, str, str | None]]:
    """Workflow, key and rule of the entries of an event."""
    data = sample(event_type, **({"region": "440100"} if "region" in sample(event_type) else {}))
    entries = world.entries(event_type, data, at=START, **about)  # type: ignore[arg-type]  # names checked there
    return [(entry["workflow"], entry["key"], entry["rule"]) for entry in entries]


def test_a_rule_places_an_event_by_its_key() -> None:
    assert keys(World(small()), "health.CasesConfirmed") == [("small", "440100", "cases")]


def test_an_event_no_rule_speaks_of_concerns_nothing() -> None:
    assert keys(World(small()), "hospitals.CapacityUpdated") == []


def test_every_rule_of_every_pack_in_force_places_it() -> None:
    other = small(workflow="other", rules=[CASES, CASES | {"rule": "more", "key": "'all'"}])
    assert keys(World(small(), other), "health.CasesConfirmed") == [
        ("small", "440100", "cases"),
        ("other", "440100", "cases"),
        ("other", "all", "more"),
    ]


def test_a_guard_keeps_an_event_out() -> None:
    guarded = small(rules=[CASES | {"when": "event.count > 3"}])
    assert keys(World(guarded), "health.CasesConfirmed") == []


def test_an_event_that_names_its_instance_goes_there_by_the_rule_that_knows_it() -> None:
    world = World(small())
    assert keys(world, "health.CasesConfirmed", instance="small/440300/2") == [("small", "440300", "cases")]


def test_an_event_without_a_rule_goes_to_the_instance_it_names() -> None:
    world = World(small())
    assert keys(world, "health.TaskAnswered", instance="small/440300/2") == [("small", "440300", None)]


def test_an_instance_of_a_workflow_that_is_not_in_force_is_not_followed() -> None:
    assert keys(World(small()), "health.TaskAnswered", instance="gone/440300/2") == []


def test_a_rule_by_region_goes_to_every_partition() -> None:
    everywhere = small(rules=[CASES, rule("short", "hospitals.ResourceShort", key=None, match="region")])
    assert keys(World(everywhere), "hospitals.ResourceShort", region="440000") == [("small", "", "short")]


def test_an_entry_says_from_where_and_carries_the_value_as_it_was() -> None:
    world = World(small())
    data = sample("health.CasesConfirmed", region="440100", count=3)
    (entry,) = world.entries("health.CasesConfirmed", data, at=START, id="an id", actor="Zhang", offset=42)
    event = entry["event"]
    assert (event["id"], event["actor"], event["topic"], event["offset"]) == ("an id", "Zhang", "health.events", 42)
    assert World.read((0, entry))[2] == data


def test_a_rule_that_cannot_be_evaluated_says_so() -> None:
    broken = small(rules=[CASES | {"when": "10 / event.count > 1"}])
    with pytest.raises(EvaluationError, match="divi"):
        keys(World(broken), "health.CasesConfirmed")
