"""The README is true: a new user's commands work on a fresh copy, in its order, and its department can publish."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.copying import copy_project
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
NOT_RUN = {"make test"}
"""This is it."""
COMMAND_S = 420


def blocks() -> list[tuple[str, str]]:
    """Language and text of every fenced block, in order."""
    found = []
    for indent, language, text in BLOCK.findall(README):
        found.append((language, "\n".join(line.removeprefix(indent) for line in text.splitlines())))
    return found


def file_of(language: str, text: str) -> str | None:
    """The file that a block of the four steps belongs in; None for a block that is no file."""
    if language == "json":
        schema = json.loads(text)
        return f"schemas/{schema['namespace']}/{schema['name']}/v1.avsc"
    if language == "yaml" and "org_code:" in text:
        return f"services/{text.partition('id: ')[2].split()[0]}/department.yaml"
    if language == "yaml" and text.startswith("owner:"):
        return f"topics/{text.split()[1]}.yaml"
    return None


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's files, without what was built or run in it."""
    return copy_project(tmp_path / "deptbus")


@pytest.mark.kafka
@pytest.mark.timeout(900)
def test_the_commands_of_the_readme_work_in_its_order(copy: Path) -> None:
    if shutil.which("mvn") is None:
        pytest.skip("the local stack needs Maven")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUS_")}
    names = ("BUS_KAFKA_PORT", "BUS_KAFKA_CONTROLLER_PORT", "BUS_REGISTRY_PORT", "BUS_DASHBOARD_PORT")
    environment = (
        kept | dict(zip(names, map(str, free_ports(4)), strict=True)) | {"BUS_STACK": "local", "NO_COLOR": "1"}
    )
    environment["BUS_LIB_DIR"] = str(ROOT / ".run" / "lib")
    ran = []
    try:
        for language, text in blocks():
            name = file_of(language, text)
            if name is not None:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_text(text + "\n", encoding="utf-8")
                if name.startswith("services/"):
                    (copy / name).with_name("__init__.py").touch()
            for command in text.splitlines() if language == "sh" else ():
                if command.split("#")[0].strip() in NOT_RUN:
                    continue
                done = subprocess.run(
                    ["bash", "-c", command],
                    cwd=copy,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=COMMAND_S,
                    check=False,
                )
                ran.append(command)
                assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    finally:
        if (copy / ".venv" / "bin" / "deptbus").exists():
            subprocess.run([".venv/bin/deptbus", "down"], cwd=copy, env=environment, check=False, timeout=60)
    assert len(ran) > 15


def test_every_decision_and_document_named_is_there() -> None:
    named = re.findall(r"`((?:docs|services|deptbus|tests)/[\w./-]+)`", README)
    assert named
    assert [name for name in named if "<" not in name and not (ROOT / name).exists()] == []
