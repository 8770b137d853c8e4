"""docs/workflows.md is true: it names every word, its example checks and plays as it says, its mistakes are told so."""

import html
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.exercise import scenario
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.workflow import definition
from deptbus.workflow.expressions import _FUNCTIONS
from deptbus.workflow.load import check_workflows
from deptbus.workflow.pack import Compiler
from tests.broker import SharedStack
from tests.copying import copy_project
from tests.workflow.world import START, pack_of, workflow

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
FILE = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLAYED_IN = "outage"
"""The namespace that the document plays in."""
COMMAND_S = 240


def models() -> list[type[BaseModel]]:
    """Every model of the language of workflows, and of that of scenarios."""
    return [
        kind
        for module in (definition, scenario)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == module.__name__
        if kind.model_fields
    ]


def section(heading: str) -> str:
    """What stands below the heading that begins like this, up to the next one of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}\b.*?\n(.*?)(?=^#{{1,3}} |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/workflows.md has no section {heading}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rulers = [number for number, row in enumerate(cells) if all(set(cell) <= {"-"} for cell in row)]
    return [row for number, row in enumerate(cells) if number not in rulers and number + 1 not in rulers]


def write_example(folder: Path) -> Path:
    """The project with the document's files in it."""
    copy = copy_project(folder)
    for name, text in FILE.findall(DOCUMENT):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
        if name.endswith("department.yaml"):
            (copy / name).with_name("__init__.py").touch()
    return copy


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with the example in it, which tests leave as it is."""
    return write_example(tmp_path_factory.mktemp("outage") / "deptbus")


@pytest.fixture(scope="module")
def catalogue(example: Path) -> Catalogue:
    """The catalogue of that copy."""
    return load_catalogue(example, START)


def run(copy: Path, *arguments: str, **settings: str) -> str:
    """What Python says in the copy, whose own code it runs; it must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BUS_")}
    environment |= {"PYTHONPATH": str(copy), "NO_COLOR": "1", "COLUMNS": "200", **settings}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, timeout=COMMAND_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_word_of_every_part_is_explained(model: type[BaseModel]) -> None:
    told = {row[0].removesuffix("*").strip().strip("`"): row for row in rows(section(model.__name__))}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert set(told) == set(fields)
    assert all(len(cell) > 1 for row in told.values() for cell in row)
    needed = {name for name, field in fields.items() if field.is_required()}
    marked = {name for name, row in told.items() if row[0].endswith("*")}
    if model.__name__ != "PackContent":  # which nobody writes
        assert needed <= marked


def test_every_trigger_variable_and_function_is_explained() -> None:
    triggers = section("Triggers")
    for name in ("opened", "level", "merged", "split", "rule:", "timer:", "completed:", "declined:"):
        assert f"| `{name}" in triggers, name
    expressions = section("Expressions")
    pack = pack_of(workflow("epidemic"))
    known = Compiler(pack.content)._variables(("health.CaseReported",), True)
    names = {name.partition(".")[0] + ("." if "." in name else "`") for name in known}
    assert {"event.", "facts.", "done.", "lead`", "at`"} <= names
    assert [name for name in sorted(names) if f"`{name}" not in expressions] == []
    assert [name for name in _FUNCTIONS if f"`{name}(" not in expressions] == []


def test_the_example_is_checked_as_the_document_says(tmp_path: Path) -> None:
    copy = write_example(tmp_path / "deptbus")
    offline = [
        command.removeprefix("deptbus ").split()
        for block in COMMANDS.findall(DOCUMENT)
        for command in block.splitlines()
        if re.match(r"deptbus (schemas|workflows (check --offline|show|lint|graph))", command)
    ]
    assert len(offline) > 4
    said = [run(copy, "-m", "deptbus", *command) for command in offline]
    assert "nothing is wrong" in "".join(said)
    assert "nothing is in vain" in "".join(said)


def test_the_parts_to_copy_fit_into_the_example(tmp_path: Path) -> None:
    copy = write_example(tmp_path / "deptbus")
    block = re.search(r"^```yaml\n(.*?)^```", section("Parts to copy"), re.MULTILINE | re.DOTALL)
    assert block
    copied = re.findall(r"^(\w+:\n)((?:^(?: .*)?\n)+)", block[1], re.MULTILINE)
    assert {heading for heading, _ in copied} == {"facts:\n", "rules:\n", "steps:\n", "responsibilities:\n"}
    for file in (copy / "services" / "workflows" / "outage").iterdir():
        text = "\n" + file.read_text(encoding="utf-8")
        for heading, parts in copied:
            text = text.replace(f"\n{heading}", f"\n{heading}{parts}", 1)
        file.write_text(text, encoding="utf-8")
    checked, found = check_workflows(copy, load_catalogue(copy, START), (2026,))
    assert [one for one in found if "outage" in one] == []
    assert {"promise", "deploy", "all_clear"} <= {step.step for step in checked["outage"].definition.steps}


def test_the_example_goes_as_the_document_says(example: Path) -> None:
    played = json.loads(run(example, "-m", "tests.docs.outage"))
    told = [[cell.strip("`") for cell in row[:4]] for row in rows(section("7. What happens"))]
    assert [[str(part) for part in line] for line in played] == told


@pytest.fixture
def worlds(stack: SharedStack) -> Iterator[str]:
    """A namespace for what the document brings into force; that and the one it plays in are dropped."""
    yield "doc-outage"
    admin = Admin(client_configuration(stack.settings()))
    for name in ("doc-outage", PLAYED_IN):
        admin.delete_namespace(Namespace(name))


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_every_command_of_the_document_works_in_its_order(stack: SharedStack, worlds: str, tmp_path: Path) -> None:
    copy = write_example(tmp_path / "deptbus")
    workflow_file = copy / "services" / "workflows" / "outage" / "workflow.yaml"
    given = {name: value for name, value in stack.environment().items() if name.startswith("BUS_")}
    said = {}
    for command in (line for block in COMMANDS.findall(DOCUMENT) for line in block.splitlines()):
        if "diff" in command:  # what the document says in words
            text = workflow_file.read_text(encoding="utf-8")
            text = text.replace("complete_by: 6h", "complete_by: 4h").replace("version: 1", "version: 2")
            workflow_file.write_text(text, encoding="utf-8")
        namespace = PLAYED_IN if command.startswith("BUS_NAMESPACE=") else worlds
        arguments = shlex.split(command.partition("deptbus ")[2])
        settings = given | {"BUS_ROOT": str(copy), "BUS_NAMESPACE": namespace}
        said[command] = run(copy, "-m", "deptbus", *arguments, **settings)
    assert len(said) > 12
    played = next(text for command, text in said.items() if command.startswith("deptbus demo"))
    assert re.search(r"incidents closed +│ 1 ", played)
    assert re.search(r"folded states equal the live ones +│ True", played)
    shown = next(text for command, text in said.items() if "incidents show" in command)
    assert "市大面积停电事件指挥部 → command 广东省大面积停电事件指挥部" in shown
    assert "clock stopped" in shown
    assert "4h" in said["deptbus workflows diff outage@1 outage"]


def mistakes() -> Iterator[tuple[str, str, str]]:
    """What is right, what was written instead, and what is said of it."""
    for right, wrong, sentence in rows(section("When something is wrong")):
        yield right.strip("`"), wrong.strip("`"), html.unescape(sentence)


@pytest.mark.parametrize(("right", "wrong", "sentence"), list(mistakes()))
def test_a_mistake_is_told_as_the_document_says(
    example: Path, catalogue: Catalogue, right: str, wrong: str, sentence: str
) -> None:
    folder = example / "services" / "workflows" / "outage"
    files = [folder / "workflow.yaml", folder / "responsibilities.yaml"]
    file = next(file for file in files if right in file.read_text(encoding="utf-8"))
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before.replace(right, wrong, 1), encoding="utf-8")
        _, found = check_workflows(example, catalogue, (2026,))
    finally:
        file.write_text(before, encoding="utf-8")
    assert any(sentence in one for one in found), found


def test_every_file_and_command_that_is_named_is_there() -> None:
    assert {name.split("/")[0] for name, _ in FILE.findall(DOCUMENT)} == {"services", "schemas", "topics"}
    links = re.findall(r"\]\(#([a-z-]+)\)", DOCUMENT)
    headings = {
        re.sub(r"[^a-z -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE)
    }
    assert [link for link in links if link not in headings] == []
