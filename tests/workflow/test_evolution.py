"""What a change of packs breaks, said precisely; and what breaks nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from deptbus.workflow.activation import with_not_before
from deptbus.workflow.definition import PackContent
from deptbus.workflow.evolution import breaks, migration_breaks, unheard
from deptbus.workflow.pack import Pack
from tests.workflow.world import pack_of, workflow

EPIDEMIC = workflow("epidemic")
TYPES = pack_of(EPIDEMIC).event_types


def content(**changes: Any) -> PackContent:
    return pack_of(EPIDEMIC | changes).content


def snapshot(of: PackContent, **changes: Any) -> dict[str, Any]:
    return {
        "instance": "epidemic/440300/1",
        "status": "open",
        "pack": Pack(of).hash,
        "tasks": [],
        "timers": [],
        "facts": {},
    } | changes


def without(part: str, key: str, name: str) -> PackContent:
    """The next version without one of its parts and whatever names it."""
    left = [one for one in EPIDEMIC[part] if one[key] != name]
    return content(version=2, **{part: left})


def objections_as(kind: str | None) -> PackContent:
    """The next version, in which the fact is of another type, or not there."""
    facts = {name: fact for name, fact in EPIDEMIC["facts"].items() if name != "objections"}
    if kind is not None:
        facts["objections"] = {"type": kind, "initial": 0}
    rules = [rule | {"set": {}} if rule["rule"] == "objection" else rule for rule in EPIDEMIC["rules"]]
    return content(version=2, facts=facts, rules=rules)


OLD = content()


def test_the_same_pack_breaks_nothing() -> None:
    assert breaks(OLD, content(), [snapshot(OLD)]) == []


def test_a_new_version_leaves_what_runs_alone() -> None:
    assert breaks(OLD, content(version=2, basis="another"), [snapshot(OLD)]) == []


def test_other_content_under_the_same_version_is_refused() -> None:
    (sentence,) = breaks(OLD, content(basis="another"), [])
    assert "epidemic version 1 is in force with other content" in sentence
    assert "raise `version` to 2" in sentence


def test_versions_only_rise() -> None:
    (sentence,) = breaks(content(version=3), content(version=2), [])
    assert "set `version` to 4" in sentence


def test_a_pack_with_open_instances_is_not_retired() -> None:
    running = [snapshot(OLD, instance=f"epidemic/44030{n}/1") for n in range(5)]
    (sentence,) = breaks(OLD, None, running)
    assert "5 open instances (epidemic/440300/1, epidemic/440301/1, epidemic/440302/1, …)" in sentence


def test_a_pack_without_open_instances_is_retired() -> None:
    other = snapshot(content(version=2))
    assert breaks(OLD, None, [snapshot(OLD, status="closed"), other]) == []


def test_event_types_that_open_instances_wait_for_must_stay() -> None:
    known = TYPES - {"districts.SiteReady"}
    (sentence,) = unheard(OLD, [snapshot(OLD)], known)
    assert "1 open instance (epidemic/440300/1) of epidemic version 1 wait for districts.SiteReady" in sentence
    assert unheard(OLD, [snapshot(OLD, status="closed")], known) == []
    assert unheard(OLD, [snapshot(OLD)], TYPES) == []


def test_a_migration_keeps_what_is_in_use() -> None:
    task = {"step": "verify_case", "role": "disease_control"}
    instance = snapshot(OLD, tasks=[task], timers=[{"name": "quiet"}], facts={"cases": 3})
    assert migration_breaks(Pack(OLD), Pack(content(version=2)), instance) == []


VERIFYING = {"tasks": [{"step": "verify_case", "role": "disease_control"}]}


@pytest.mark.parametrize(
    ("new", "used", "reason"),
    [
        (lambda: without("steps", "step", "verify_case"), VERIFYING, "open tasks of the step verify_case"),
        (lambda: without("responsibilities", "role", "disease_control"), VERIFYING, "the role disease_control"),
        (
            lambda: without("steps", "step", "report_capacity"),
            {"timers": [{"name": "repeat_report_capacity"}]},
            "its step report_capacity is asked again and again",
        ),
        (lambda: objections_as("double"), {"facts": {"objections": 2}}, "objections is of another type there"),
        (lambda: objections_as(None), {"facts": {"objections": 2}}, "it remembers the fact objections"),
    ],
)
def test_a_migration_that_would_lose_something_is_refused(
    new: Callable[[], PackContent], used: dict[str, Any], reason: str
) -> None:
    sentences = migration_breaks(Pack(OLD), Pack(new()), snapshot(OLD, **used))
    assert len(sentences) == 1
    assert sentences[0].startswith("epidemic/440300/1 cannot move to epidemic version 2: ")
    assert reason in sentences[0]


def test_a_migration_that_would_lose_a_timer_is_refused() -> None:
    new = content(version=2, timers=[EPIDEMIC["timers"][0] | {"timer": "silence"}])
    (sentence,) = migration_breaks(Pack(OLD), Pack(new), snapshot(OLD, timers=[{"name": "quiet"}]))
    assert "its timer quiet runs" in sentence


def test_not_before_makes_another_pack() -> None:
    changed = with_not_before(OLD, "quiet", "2020-02-29T00:00:00+08:00")
    assert Pack(changed).timers["quiet"].not_before_ms == 1_582_905_600_000
    assert Pack(changed).hash != Pack(OLD).hash
