"""The catalogue as a page shows it."""

from types import SimpleNamespace
from typing import Any

import pytest

from deptbus.catalogue import load_catalogue
from deptbus.errors import NotFound
from services.dashboard.views.catalogue import Traffic, catalogue, event_type
from tests.workflow.world import ROOT, START


@pytest.fixture(scope="module")
def look() -> Any:
    return SimpleNamespace(catalogue=load_catalogue(ROOT, START), clock=lambda: START)


def test_everything_that_is_declared_is_there(look: Any) -> None:
    files = look.catalogue
    found = catalogue(look, Traffic({"health.cases": 2.5}, {"health.cases": ["cdc"]}))
    assert {one["id"] for one in found["departments"]} == set(files.departments)
    assert {one["name"] for one in found["topics"]} == set(files.topics)
    assert {one["type"] for one in found["types"]} == set(files.schemas.types())
    cases = next(one for one in found["topics"] if one["name"] == "health.cases")
    assert (cases["rate"], cases["readers"], cases["retention"]) == (2.5, ["cdc"], None)
    grant = next(one for one in cases["grants"] if one["department"] == "cdc")
    assert (grant["purpose"], grant["fields"], grant["in_force"]) == ("verify reported cases", None, True)
    confirmed = next(one for one in found["types"] if one["type"] == "health.CasesConfirmed")
    assert (confirmed["owner"], confirmed["topic"], confirmed["versions"][0]) == ("health", "health.cases", 1)
    assert {"region", "count"} <= {part["name"] for part in confirmed["fields"]}
    element = next(one for one in found["elements"] if one["id"] == "confirmed_case_count")
    assert element["owner"] == "health"
    other = next(one for one in found["topics"] if one["name"] == "water.stages" or one["owner"] == "water")
    assert other["rate"] is None


def test_a_type_with_its_versions(look: Any) -> None:
    for kind in look.catalogue.schemas.types():
        found = event_type(look, kind)
        assert [one["version"] for one in found["versions"]] == list(range(1, len(found["versions"]) + 1))
        assert found["versions"][0]["changes"] == []
        assert all(one["changes"] for one in found["versions"][1:])
    with pytest.raises(NotFound, match=r"There is no event type health\.Nothing"):
        event_type(look, "health.Nothing")
