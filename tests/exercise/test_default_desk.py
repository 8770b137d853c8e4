"""What a simulated officer publishes without a desk of its department's own."""

from random import Random
from typing import Any

import pytest

from deptbus.exercise.default_desk import DefaultDesk
from deptbus.schemas.store import load_schemas
from tests.workflow.world import ROOT, START, codec, pack_of, workflow

PACKS = {name: pack_of(workflow(name)) for name in ("epidemic", "leak", "flood")}
DESK = DefaultDesk(load_schemas(ROOT), {name: pack.definition for name, pack in PACKS.items()})
STEPS = [(name, step) for name, pack in PACKS.items() for step in pack.steps]


def task(name: str, step: str, **about: Any) -> dict[str, Any]:
    """What a ``workflow.TaskRequested`` says."""
    compiled = PACKS[name].steps[step]
    return {
        "task": "0123abcd-0000-5000-8000-000000000000",
        "instance": f"{name}/the/key/1",
        "workflow": name,
        "step": step,
        "subject": "",
        "region": "440307",
        "level": "III",
        "basis": compiled.basis,
        "context": {},
    } | about


def data(name: str, step: str, event_type: str, given: dict[str, Any] | None = None, **about: Any) -> dict[str, Any]:
    return DESK.draft(task(name, step, **about), event_type, START, Random(1), given or {}).data


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_whatever_completes_a_step_can_be_drafted(name: str, step: str) -> None:
    compiled = PACKS[name].steps[step]
    for event_type in compiled.completed_by | compiled.declined_by:
        for seed in range(5):
            draft = DESK.draft(task(name, step), event_type, START, Random(seed), {})
            assert codec().decode(codec().encode(event_type, draft.data)) == draft.data
            assert (draft.region, draft.subject, draft.basis) == ("440307", "440307", compiled.basis)


def test_what_the_task_says_is_what_the_event_says() -> None:
    context = {"regions": "440307 440310", "radius_m": "800"}
    said = data("leak", "set_zone", "emergency.ZoneSet", context=context)
    assert said == {
        "incident": "the/key", "region": "440307", "regions": "440307 440310", "radius_m": 800, "set_at": START,
    }  # fmt: skip


def test_the_subject_goes_where_the_workflow_took_it_from() -> None:
    committed = data("leak", "commit_resource", "emergency.ResourceCommitted", subject="RQ-1")
    assert committed["request"] == "RQ-1"
    approved = data("flood", "discharge_approval", "government.DischargeApproved", subject="a reservoir")
    assert approved["reservoir"] == "a reservoir"


def test_numbers_and_examples_are_made_of_the_doc() -> None:
    assert data("leak", "give_all_clear", "command.AllClearGiven")["order"] == "order-440307-0123abcd"
    assert data("leak", "report_wind", "weather.WindReported")["direction"] == "SW"
    assert 1 <= data("leak", "cordon", "police.CordonSet")["posts"] < 50


def test_what_is_given_counts() -> None:
    assert data("leak", "monitor", "ecology.ReadingTaken", {"normal": True})["normal"] is True
