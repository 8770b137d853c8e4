"""The built-in scenario, played through the epidemic workflow and the simulated desks."""

from datetime import timedelta

import pytest

from deptbus.imports import scenario
from deptbus.imports.epidemic import day_of, midnight_ms, read_days
from tests.services.play import Played, play

LAST = day_of(scenario.LAST)


@pytest.fixture(scope="module", params=[1, 2, 3])
def played(request: pytest.FixtureRequest) -> Played:
    found = read_days(scenario.FOLDER, scenario.PROVINCE, day_of(scenario.FIRST), LAST)
    end = f"{LAST}T00:00:00+08:00"
    return play(found.items, end, midnight_ms(LAST + timedelta(days=28)), seed=request.param)


def test_the_scenario_ends_with_every_incident_closed(played: Played) -> None:
    assert {name: (i["status"], i["highest_level"]) for name, i in sorted(played.instances.items())} == {
        "epidemic/990000/1": ("closed", "IV"),
        "epidemic/990100/1": ("closed", "II"),
        "epidemic/990200/1": ("closed", "III"),
        "epidemic/990300/1": ("closed", "IV"),
        "epidemic/990400/1": ("closed", "IV"),
    }
    assert min(instance["closed_at"] for instance in played.instances.values()) >= midnight_ms(LAST)


def test_every_incident_has_a_shortage_and_a_gathering_and_a_report(played: Played) -> None:
    for instance in played.instances.values():
        assert instance["facts"]["shortages"] >= 1
        assert instance["facts"]["gatherings"] >= 1
        assert instance["done"]["file_report"] >= 1
        assert {"health", "police"} <= instance["tally"].keys()


def test_what_a_task_waits_for_is_what_its_department_publishes(played: Played) -> None:
    assert played.published["health.FigureVerified"] == 19
    assert all(not instance["counts"].get("unmatched") for instance in played.instances.values())
