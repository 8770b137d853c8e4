"""Publishing what was imported: each event as its source, on the source's own topic."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deptbus.catalogue import load_catalogue
from deptbus.cli.imports import app
from deptbus.errors import ImportRefused
from deptbus.imports.epidemic import read_days
from deptbus.imports.publish import publish
from deptbus.testing import MemoryBroker
from tests.imports.files import FIRST, row, write

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def broker() -> MemoryBroker:
    return MemoryBroker(load_catalogue(ROOT, 0))


def test_cases_come_from_health_and_objections_from_the_data_authority(broker: MemoryBroker, tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3, code=""))
    found = read_days(tmp_path, "990000", FIRST, FIRST)
    answered = []
    buses = {name: broker.connect(name) for name in ("health", "data")}
    outcomes = publish(found.items, buses, lambda: answered.append(1))
    assert [outcome.state for outcome in outcomes] == ["acknowledged"] * 2
    assert len(answered) == 2
    (cases,) = broker.events("health.cases")
    (objection,) = broker.events("data.objections")
    assert (cases.envelope.source, objection.envelope.source) == ("/departments/health", "/departments/data")
    for event, item in zip((cases, objection), found.items, strict=True):
        assert event.data == item.data
        assert (event.envelope.id, event.envelope.time_ms) == (item.id, item.at_ms)
        assert (event.envelope.region, event.envelope.legalbasis) == (item.region, item.basis)


def run(folder: Path, *more: str) -> tuple[int, str]:
    found = CliRunner().invoke(
        app,
        ["epidemic", str(folder), "--province", "990000", "--from", str(FIRST), "--to", str(FIRST), "--dry-run", *more],
        catch_exceptions=True,
    )
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_a_dry_run_counts_and_reports_problems_and_ends_well(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3), row("x", city="乙"))
    code, output = run(tmp_path)
    assert code == 0
    assert "2020-01-20.csv, line 3" in output


def test_its_json_has_the_counts(tmp_path: Path) -> None:
    write(tmp_path, FIRST, row(3), row("x", city="乙"))
    code, output = run(tmp_path, "--json")
    counts = json.loads(output)
    assert code == 0
    assert (counts["case_events"], counts["cases"], counts["published"], len(counts["problems"])) == (1, 3, 0, 1)
    assert counts["problems"][0]["line"] == 3


def test_a_folder_without_day_files_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="holds no day file"):
        run(tmp_path)
