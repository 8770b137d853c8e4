"""Simulated desks: they answer every step with what completes it, in the shape of the schemas, always the same way."""

from random import Random
from typing import Any

import pytest

from deptbus.catalogue import load_catalogue
from deptbus.exercise.draft import Draft
from tests.services.play import desks
from tests.workflow.world import ROOT, START, codec, pack_of, workflow

PACK = pack_of(workflow("epidemic"))
CATALOGUE = load_catalogue(ROOT, START)
DESKS = desks()
STEPS = sorted(PACK.steps)
CONTEXTS: dict[str, dict[str, str]] = {
    "report_capacity": {"shortages": "3"},
    "control_community": {"gatherings": "3"},
}


def task(step: str, **about: Any) -> dict[str, Any]:
    """What a ``workflow.TaskRequested`` says."""
    compiled = PACK.steps[step]
    return {
        "task": "0123abcd-0000-5000-8000-000000000000",
        "workflow": "epidemic",
        "step": step,
        "department": PACK.responsible(compiled.role, "990100", "III").department,
        "region": "990100",
        "subject": "what it is about",
        "level": "III",
        "basis": compiled.basis,
        "requested_at": START,
        "acknowledge_by": START + 1,
        "complete_by": START + 2,
        "completes_with": sorted(compiled.completed_by),
        "attempt": 1,
        "context": CONTEXTS.get(step, {}),
    } | about


def answers(step: str, seed: int = 1, **about: Any) -> list[Draft]:
    asked = task(step, **about)
    return DESKS[asked["department"]](asked, Random(seed))


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_completed_by_its_first_draft(step: str) -> None:
    for seed in range(50):
        assert answers(step, seed)[0].type in PACK.steps[step].completed_by


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("about", [{}, {"context": {}}, {"attempt": 2, "context": {}, "subject": ""}])
def test_every_draft_fits_its_schema_and_belongs_to_the_department(step: str, about: dict[str, Any]) -> None:
    for seed in range(20):
        for draft in answers(step, seed, **about):
            assert codec().decode(codec().encode(draft.type, draft.data)) == draft.data
            assert CATALOGUE.topic_of(draft.type).owner == task(step)["department"]
            assert draft.region == "990100"
            assert draft.basis


@pytest.mark.parametrize("step", STEPS)
def test_the_same_task_and_draw_give_the_same_answer(step: str) -> None:
    assert answers(step, 7) == answers(step, 7)


def test_the_first_capacity_report_of_an_incident_raises_a_shortage() -> None:
    for seed in range(20):
        types = [draft.type for draft in answers("report_capacity", seed, context={"shortages": "0"})]
        assert types == ["hospitals.CapacityUpdated", "hospitals.ResourceShort"]


def test_the_first_community_control_of_an_incident_comes_upon_a_gathering() -> None:
    for seed in range(20):
        types = [draft.type for draft in answers("control_community", seed, context={"gatherings": "0"})]
        assert types == ["urban.PublicityCarriedOut", "urban.GatheringDetected"]


def test_answers_about_a_matter_carry_it_as_their_subject() -> None:
    for step in (
        "supply_resource",
        "ban_gathering",
        "disperse_gathering",
        "verify_case",
        "verify_figure",
        "ready_site",
    ):
        assert answers(step)[0].subject == "what it is about"


def test_a_cap_reference_can_be_made_of_an_alert() -> None:
    alert = answers("confirm_level")[0].data
    for name in ("alert_sender", "alert_identifier", "alert_sent"):
        assert not set(alert[name]) & set(" ,<&")
    assert alert["alert_sent"].endswith("+08:00")


def test_a_cancel_refers_to_the_alerts_in_force() -> None:
    assert answers("cancel_alert", context={"references": "a,b,c"})[0].data["references"] == "a,b,c"


def test_a_task_that_no_desk_knows_has_no_answer_of_its_own() -> None:
    assert DESKS["police"](task("ban_gathering", completes_with=[]), Random(1)) == []


def test_gatherings_and_shortages_are_found_only_where_a_workflow_asks_for_them() -> None:
    for seed in range(100):
        for step in ("control_community", "report_capacity"):
            assert len(answers(step, seed, workflow="leak", context={})) == 1


def test_capacity_is_reported_for_every_kind_of_bed() -> None:
    kinds = [beds["kind"] for beds in answers("report_capacity")[0].data["beds"]]
    assert kinds == [
        "AdultICU", "Burn", "MedicalSurgical", "NegativeFlowIsolation", "OtherIsolation", "OperatingRooms",
        "PediatricICU", "Pediatrics", "Psychiatric",
    ]  # fmt: skip
