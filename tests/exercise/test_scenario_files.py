"""Scenarios as files: what they say, and what is wrong with them, with file and line."""

from pathlib import Path

import pytest

from deptbus.catalogue import load_catalogue
from deptbus.clock import from_iso
from deptbus.errors import NotFound, ScenarioError
from deptbus.exercise.scenario import Scenario, load_scenario, scenario_names
from tests.workflow.world import HOUR, ROOT, START

CATALOGUE = load_catalogue(ROOT, START)
TEXT = """scenario: small
titles: {zh: 小, en: Small}
workflows: [leak]
from: 2025-03-06T08:00:00+08:00
until: +2d
step: 15
given: {incident: X-1, workflow: leak}
events:
  - at: +1h30m
    type: emergency.CasualtiesUpdated
    region: "440307"
    basis: a law
    data: {dead: 0, severe: 1, injured: 2, missing: 0}
  - at: +1d
    type: emergency.ResourceRequested
    region: "440307"
    subject: RQ-1
    basis: a law
    data: {request: RQ-1, of_region: "441300", resource: boats, quantity: 3, needed_by: +1d6h}
answers:
  - step: monitor
    region: "440307"
    asked_before: +6h
    after: +20m
    says: [accepted]
    data: {normal: false}
"""
BEGIN = from_iso("2025-03-06T08:00:00+08:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "services" / "scenarios").mkdir(parents=True)
    (tmp_path / "services" / "workflows").symlink_to(ROOT / "services" / "workflows")
    return tmp_path


def load(folder: Path, old: str = "", new: str = "") -> Scenario:
    assert old in TEXT
    (folder / "services" / "scenarios" / "small.yaml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return load_scenario(folder, "small", CATALOGUE)


def test_events_are_dated_from_the_beginning_and_filled_in(folder: Path) -> None:
    first, second = load(folder).items
    assert (first.at_ms, first.department, first.subject) == (BEGIN + HOUR * 3 // 2, "emergency", "440307")
    assert first.data == {
        "incident": "X-1", "workflow": "leak", "region": "440307", "dead": 0, "severe": 1, "injured": 2, "missing": 0,
        "counted_at": first.at_ms,
    }  # fmt: skip
    assert (second.subject, second.data["needed_by"]) == ("RQ-1", BEGIN + 30 * HOUR)
    assert first.id != second.id
    assert load(folder).items[0].id == first.id


def test_answers_are_laid_down(folder: Path) -> None:
    (answer,) = load(folder).answers
    assert (answer.step, answer.asked_before, answer.after_ms) == ("monitor", BEGIN + 6 * HOUR, HOUR // 3)
    assert (answer.says, answer.data) == (("accepted",), {"normal": False})


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("scenario: small", "scenario: large", 1, "differs from its file's name"),
        ("workflows: [leak]", "workflows: [leek]", 3, "there is no workflow leek"),
        ("08:00:00+08:00", "08:00:00", 4, "is no time with a zone"),
        ("until: +2d", "until: 2d", 5, "an offset is \\+, then days, hours and minutes"),
        ("step: 15", "step: 0", 6, "step is not usable"),
        ("at: +1h30m", "at: +90s", 9, "an offset is"),
        ("emergency.CasualtiesUpdated", "emergency.Casualties", 10, "there is no event type emergency.Casualties"),
        ("    basis: a law\n    data: {dead", "    data: {dead", 9, "basis is missing"),
        ("dead: 0", "deads: 0", 13, "has no field deads"),
        ("dead: 0, ", "", 13, "needs the field dead: Dead"),
        ("dead: 0", "dead: none", 13, "CasualtiesUpdated"),
        (
            "step: monitor",
            "step: monitoring",
            21,
            "no step monitoring of leak is ended by an event; perhaps monitor is meant",
        ),
        ("{normal: false}", "{abnormal: false}", 26, "ReadingTaken has no field abnormal; there are incident, region"),
        ("after: +20m", "type: fire.PeopleRescued", 24, "fire.PeopleRescued does not end monitor"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(ScenarioError, match=rf"^services/scenarios/small\.yaml, line {line}: .*{says}"):
        load(folder, old, new)


def test_a_scenario_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no scenario nowhere"):
        load_scenario(ROOT, "nowhere", CATALOGUE)


@pytest.mark.parametrize("name", scenario_names(ROOT))
def test_the_project_s_scenarios_hold(name: str) -> None:
    found = load_scenario(ROOT, name, CATALOGUE)
    assert all(found.from_ms <= item.at_ms < found.until_ms for item in found.items)
