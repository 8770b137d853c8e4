"""Reads ``services/workflows/<name>/``: workflow.yaml and, beside it, responsibilities.yaml.

Whatever is wrong is a ``DefinitionError`` of one sentence with file and line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from pydantic import BaseModel, ConfigDict

from deptbus.catalogue import Catalogue
from deptbus.errors import DefinitionError
from deptbus.topics.yamlfile import Lines, read_yaml
from deptbus.workflow import definition as language
from deptbus.workflow.calendars import load_calendar
from deptbus.workflow.checks import counts_working_days, problems
from deptbus.workflow.definition import Calendar, Definition, PackContent, Responsibility
from deptbus.workflow.fields import fields_of, symbols_of
from deptbus.workflow.lint import Finding, lint
from deptbus.workflow.pack import Pack
from deptbus.workflow.problem import Path as PartPath
from deptbus.workflow.problem import Problem

FOLDER = Path("services") / "workflows"


def _pattern(annotated: object) -> str:
    return str(get_args(annotated)[1].pattern)


_WORDS: Mapping[str, str] = MappingProxyType(
    {
        _pattern(language.Name): "a name is lower-case letters, digits and underscores, and begins with a letter",
        _pattern(language.EventType): "an event type is an owner and a name, such as health.CaseReported",
        _pattern(
            language.Trigger
        ): "a trigger is opened, level, merged, split, rule:<rule>, timer:<timer>, completed:<step> or declined:<step>",
        _pattern(language.Duration): "a duration is a number and m, h, d or wd, such as 30m, 4h, 14d or 2wd",
    }
)


class _ResponsibilitiesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    responsibilities: tuple[Responsibility, ...]


@dataclass(frozen=True)
class Source:
    """A workflow as read, with where its parts stand."""

    definition: Definition
    file: str
    lines: Lines
    responsibilities_file: str
    responsibilities_lines: Lines

    def error(self, problem: Problem, more: int = 0) -> DefinitionError:
        """The sentence about a problem, with file and line."""
        message = problem.message if problem.message.endswith(("?", ".")) else f"{problem.message}."
        rest = f" ({more} more: run `deptbus workflows check`.)" if more else ""
        return DefinitionError(f"{self.place(problem.path)}: {message}{rest}")

    def place(self, path: PartPath) -> str:
        """File and line of a part."""
        if path[:1] == ("responsibilities",):
            return f"{self.responsibilities_file}, line {self.responsibilities_lines.of(*path)}"
        return f"{self.file}, line {self.lines.of(*path)}"


def load_workflows(root: Path, catalogue: Catalogue, years: Iterable[int] = ()) -> dict[str, PackContent]:
    """Every workflow below ``root``, by name; ``DefinitionError`` says what is wrong with the first that is broken.

    ``years``: those for which working days must be known where deadlines count in them.
    """
    years = tuple(years)
    return {name: load_workflow(root, name, catalogue, years) for name in workflow_names(root)}


def load_workflow(root: Path, name: str, catalogue: Catalogue, years: Iterable[int] = ()) -> PackContent:
    """One workflow, checked against the catalogue; ``DefinitionError`` when it is broken or not there."""
    source = read_workflow(root, name)
    content = content_of(root, source, catalogue)
    found = problems(content, catalogue, years)
    if found:
        raise source.error(found[0], len(found) - 1)
    return content


def check_workflows(
    root: Path, catalogue: Catalogue, years: Iterable[int] = ()
) -> tuple[dict[str, PackContent], list[str]]:
    """The workflows that are well, and one sentence for everything that is wrong with the others."""
    years, contents, sentences = tuple(years), {}, []
    for name in workflow_names(root):
        try:
            source = read_workflow(root, name)
            content = content_of(root, source, catalogue)
        except DefinitionError as error:
            sentences.append(str(error))
            continue
        found = problems(content, catalogue, years)
        sentences += [str(source.error(problem)) for problem in found]
        if not found:
            contents[name] = content
    return contents, sentences


def lint_workflow(root: Path, name: str, catalogue: Catalogue) -> list[tuple[str, Finding]]:
    """What is in vain in a workflow, each with file and line; ``DefinitionError`` when it is broken or not there."""
    source, pack = read_workflow(root, name), Pack(load_workflow(root, name, catalogue))
    symbols = symbols_of(pack.definition, catalogue.schemas)
    return [(source.place(finding.path), finding) for finding in lint(pack, symbols)]


def workflow_names(root: Path) -> tuple[str, ...]:
    """The folders that hold a workflow, sorted."""
    return tuple(sorted(path.parent.name for path in (root / FOLDER).glob("*/workflow.yaml")))


def read_workflow(root: Path, name: str) -> Source:
    """What the two files of a workflow say; ``DefinitionError`` when they cannot be read as a definition."""
    folder = root / FOLDER / name
    shown = f"{FOLDER.as_posix()}/{name}"
    if not (folder / "workflow.yaml").is_file():
        known = ", ".join(workflow_names(root)) or "none"
        raise DefinitionError(f"There is no workflow {name} (there are: {known}); add {shown}/workflow.yaml.")
    source = read_folder(folder, shown)
    written = source.definition.workflow
    if written != name:
        raise DefinitionError(
            f"{source.place(('workflow',))}: the workflow {written} differs from its folder {name}; "
            "they must be the same."
        )
    return source


def read_folder(folder: Path, shown: str) -> Source:
    """What the two files in a folder say, wherever it is; errors name the files as ``shown``/…"""
    file, beside = f"{shown}/workflow.yaml", f"{shown}/responsibilities.yaml"
    written, lines = read_yaml(folder / "workflow.yaml", file, Definition, DefinitionError, _WORDS)
    if "responsibilities" in written.model_fields_set:
        raise DefinitionError(
            f"{file}, line {lines.of('responsibilities')}: responsibilities stand in {beside}; move them there."
        )
    if not (folder / "responsibilities.yaml").is_file():
        raise DefinitionError(f"{file}, line 1: {beside} is missing; add it and say who answers in each role.")
    answered, answered_lines = read_yaml(
        folder / "responsibilities.yaml", beside, _ResponsibilitiesFile, DefinitionError, _WORDS
    )
    definition = written.model_copy(update={"responsibilities": answered.responsibilities})
    return Source(definition, file, lines, beside, answered_lines)


def content_of(root: Path, source: Source, catalogue: Catalogue) -> PackContent:
    """The pack of a definition, not checked yet.

    Working days are in it only when a deadline counts in them: a new year in the calendar then makes a new pack
    of no other workflow.
    """
    definition = source.definition
    try:
        calendar = load_calendar(root, definition.calendar)
    except DefinitionError as error:
        if str(error).startswith(FOLDER.as_posix()):
            raise  # the calendar's own file is broken
        raise source.error(Problem(("calendar",), str(error))) from None
    if not counts_working_days(definition):
        calendar = Calendar(calendar=calendar.calendar, years={})
    return PackContent(definition=definition, calendar=calendar, fields=fields_of(definition, catalogue.schemas))
