"""The commands about definitions in files: what they say, in which language, and how they end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.workflow.world import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]
LEAK = (ROOT / "services" / "workflows" / "leak" / "workflow.yaml").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's files with a copy of one workflow that a test may change."""
    for name in ("schemas", "topics"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "services").mkdir()
    for part in (ROOT / "services").iterdir():
        if part.name != "workflows":
            (tmp_path / "services" / part.name).symlink_to(part)
    leak = tmp_path / "services" / "workflows" / "leak"
    leak.mkdir(parents=True)
    for part in (ROOT / "services" / "workflows" / "leak").iterdir():
        (leak / part.name).write_text(part.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(project: Path) -> Run:
    """Runs ``deptbus workflows`` there; upper-case keywords are settings."""

    def run_command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "BUS_ROOT": str(project), "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **settings}
        return subprocess.run(
            [sys.executable, "-m", "deptbus", "workflows", *arguments],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run_command


def change(project: Path, old: str, new: str) -> int:
    """Change the workflow; answers the line on which that is."""
    assert old in LEAK
    path = project / "services" / "workflows" / "leak" / "workflow.yaml"
    path.write_text(LEAK.replace(old, new, 1), encoding="utf-8")
    return LEAK.partition(old)[0].count("\n") + 1


def test_what_is_in_vain_has_a_place_and_ends_with_1(project: Path, run: Run) -> None:
    assert run("lint", "leak").returncode == 0
    line = change(project, "when: facts.missing > 0", "when: facts.missing > 0 && level_rank > 4")
    found = run("lint", "leak", "--json")
    (finding,) = [one for one in json.loads(found.stdout) if not one["remark"]]
    assert (found.returncode, finding["code"]) == (1, "never-holds")
    assert finding["place"] == f"services/workflows/leak/workflow.yaml, line {line}"
    assert "环节 rescue 的条件" in run("lint", BUS_LANG="zh").stderr


def test_what_is_in_vain_is_a_warning_of_check_and_no_reason_to_refuse(project: Path, run: Run) -> None:
    change(project, "when: facts.missing > 0", "when: facts.missing > 0 && level_rank > 4")
    checked = run("check", "--offline", "--json")
    assert checked.returncode == 0
    (warning,) = json.loads(checked.stdout)["warnings"]
    assert "the guard of step rescue" in warning


def test_a_broken_workflow_is_not_linted(project: Path, run: Run) -> None:
    change(project, "workflow: leak", "workflow: leaks")
    assert run("lint", "leak").returncode == 2


def test_a_difference_with_a_folder_is_told_and_may_end_with_1(project: Path, run: Run) -> None:
    change(project, "complete_by: 30m", "complete_by: 45m")
    other = str(ROOT / "services" / "workflows" / "leak")
    told = run("diff", other, "leak")
    assert (told.returncode, told.stdout) == (0, "steps\n  step stop_production: complete_by 30m → 45m\n")
    assert run("diff", other, "leak", "--exit-code").returncode == 1
    assert run("diff", "leak", "leak", "--exit-code").returncode == 0
    assert json.loads(run("diff", other, "leak", "--json").stdout) == [
        {"group": "steps", "zh": "环节 stop_production：办理期限 30m → 45m",
         "en": "step stop_production: complete_by 30m → 45m"}
    ]  # fmt: skip


def test_a_picture_goes_to_a_file_or_to_standard_output(tmp_path: Path, run: Run) -> None:
    to = tmp_path / "leak.svg"
    assert run("graph", "leak", "--format", "svg", "--lang", "zh", "-o", str(to)).returncode == 0
    assert "危险化学品泄漏事故" in ET.fromstring(to.read_text(encoding="utf-8"))[0].text  # type: ignore[operator]  # it has a title
    assert run("graph", "leak").stdout.startswith("flowchart LR\n")
    assert run("graph", "leak", "-o", str(tmp_path)).returncode == 2
