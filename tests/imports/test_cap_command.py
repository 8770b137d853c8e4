"""``deptbus import cap`` from a shell, without a broker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.imports.cap_files import cap, reference, write

ROOT = Path(__file__).parents[2]


def _run(*arguments: str, stdin: bytes = b"", lang: str = "en") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "deptbus", "import", "cap", *arguments, "--dry-run"]
    environment = {"BUS_ROOT": str(ROOT), "PYTHONPATH": str(ROOT), "BUS_LANG": lang, "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)


def _json(*arguments: str, stdin: bytes = b"") -> tuple[dict[str, Any], int]:
    ran = _run(*arguments, "--json", stdin=stdin)
    return json.loads(ran.stdout), ran.returncode


def test_a_refused_file_stops_none_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a.cap", cap(identifier="A-1"))
    write(tmp_path, "b.cap", "<alert>")
    write(tmp_path, "c.XML", cap(identifier="A-3"))
    write(tmp_path, "notes.txt", "no alert")
    found, code = _json(str(tmp_path), str(tmp_path / "missing.cap"))
    assert code == 1
    assert (found["files"], found["read"], found["refused"], found["published"]) == (4, 2, 2, 0)
    assert [alert["data"]["identifier"] for alert in found["alerts"]] == ["A-1", "A-3"]
    assert {(Path(problem["file"]).name, problem["line"]) for problem in found["problems"]} == {
        ("b.cap", 1), ("missing.cap", None),
    }  # fmt: skip


def test_what_can_be_read_ends_well(tmp_path: Path) -> None:
    write(tmp_path, "a.cap", cap())
    found, code = _json(str(tmp_path / "*.cap"))
    assert (code, found["refused"], found["problems"]) == (0, 0, [])


def test_standard_input_is_a_file_too() -> None:
    found, code = _json("-", stdin=cap().encode())
    assert (code, found["alerts"][0]["file"]) == (0, "<stdin>")


def test_the_same_alert_twice_is_one_event_and_another_content_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.cap", cap())
    write(tmp_path, "b.cap", cap().replace("<info>", "<!-- again --><info>"))
    write(tmp_path, "c.cap", cap().replace("Severe", "Minor"))
    found, code = _json(str(tmp_path))
    assert code == 1
    assert len({alert["id"] for alert in found["alerts"]}) == 1
    assert found["remarks"][0]["reason"] == f"the same alert as {tmp_path / 'a.cap'}"
    assert "says something else" in found["problems"][0]["reason"]


def test_an_alert_that_fits_into_no_event_is_refused(tmp_path: Path) -> None:
    points = "1,1 " * 100_000
    write(tmp_path, "a.cap", cap().replace("<circle>", f"<polygon>{points}</polygon><circle>"))
    found, code = _json(str(tmp_path))
    assert code == 1
    assert "does not fit into an event" in found["problems"][0]["reason"]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    found, code = _json(str(tmp_path))
    assert code == 1
    assert "holds no file that ends in .cap or .xml" in found["problems"][0]["reason"]


@pytest.mark.parametrize(("lang", "word"), [("en", "Read only"), ("zh", "只读取")])
def test_people_get_a_table_and_sentences(tmp_path: Path, lang: str, word: str) -> None:
    write(tmp_path, "a.cap", cap(kind="Update", references=reference("A-1")))
    write(tmp_path, "b.cap", cap().replace("Met", "Sun"))
    ran = _run(str(tmp_path), lang=lang)
    assert word in ran.stdout.decode()
    assert "orange" in ran.stdout.decode()
    assert f"{tmp_path / 'b.cap'}, line 11: category: 'Sun' is none of its words" in ran.stderr.decode()
