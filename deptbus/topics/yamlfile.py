"""Reads a YAML file into a pydantic model; whatever is wrong is one sentence with file and line.

Plain values are read as YAML 1.2 does: ``on`` and ``no`` are strings, and so are dates and 08:30, which the
models understand by themselves.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from deptbus.errors import CatalogueError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # one of two classes
    """The safe loader with the plain scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own name


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", "-+0123456789"),
    ("merge", r"<<", "<"),
):
    _firsts = ["" if first == "\0" else first for first in _first]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _firsts)

Model = TypeVar("Model", bound=BaseModel)


class Lines:
    """Knows on which line each part of a YAML file begins."""

    def __init__(self, node: yaml.Node | None) -> None:
        # By what the parts are called, so that the number 2031 finds the name 2031.
        self._line_of: dict[tuple[str, ...], int] = {}
        if node is not None:
            self._walk(node, ())

    def of(self, *path: str | int) -> int:
        """The line of the part at ``path``, or of the nearest part around it."""
        found = tuple(str(part) for part in path)
        while found and found not in self._line_of:
            found = found[:-1]
        return self._line_of.get(found, 1)

    def _walk(self, node: yaml.Node, path: tuple[str, ...]) -> None:
        self._line_of.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, key.value)
                self._line_of[here] = key.start_mark.line + 1
                self._walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*path, str(index)))


def read_yaml(
    path: Path,
    shown: str,
    model: type[Model],
    error: type[CatalogueError],
    patterns: Mapping[str, str] | None = None,
) -> tuple[Model, Lines]:
    """The model in a file and where its parts stand; ``error`` for a file that is broken.

    ``shown`` is the file's name in messages; ``patterns`` says in words what a string must be that has to
    match a regular expression.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        _refuse_duplicates(node, shown, error)
        lines = Lines(node)
        content = yaml.load(text, Loader=_Loader)  # a safe loader
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise error(f"{shown}, line {line}: this is not valid YAML: {broken.problem}.") from None
    except RecursionError:
        raise error(f"{shown}, line 1: this refers to itself or is nested too deeply.") from None
    except (yaml.YAMLError, ValueError, OSError) as broken:
        reason = " ".join(str(broken).split())
        raise error(f"{shown}, line 1: this cannot be read: {reason}.") from None
    if not isinstance(content, dict):
        raise error(f"{shown}, line 1: the file must hold a mapping of names to values.")
    try:
        return model.model_validate(content), lines
    except ValidationError as broken:
        raise error(_sentence(broken, shown, lines, patterns or {})) from None


_MUST_BE = {
    "bool_parsing": "it must be true or false",
    "dict_type": "it must be names with values, such as {name: value}",
    "int_parsing": "it must be a whole number",
    "model_type": "it must be names with values, such as {name: value}",
    "tuple_type": "it must be a list, such as [one, another]",
}
"""What the kinds of mistakes in a value mean for whoever writes YAML."""


def _refuse_duplicates(node: yaml.Node | None, shown: str, error: type[CatalogueError]) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise error(f"{shown}, line {key.start_mark.line + 1}: a name cannot be a list or a mapping.")
            if key.value in seen:
                raise error(f"{shown}, line {key.start_mark.line + 1}: {key.value} stands twice; remove one.")
            seen.add(key.value)
            _refuse_duplicates(value, shown, error)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, shown, error)


def _sentence(broken: ValidationError, shown: str, lines: Lines, patterns: Mapping[str, str]) -> str:
    paths = [error["loc"] for error in broken.errors()]
    errors = [
        error
        for error in broken.errors()
        # A list with a broken item counts as too short as well: that is no fault of its own.
        if not any(path[: len(error["loc"])] == error["loc"] and path != error["loc"] for path in paths)
    ]
    # A misspelt name explains why another is missing, so it comes first.
    errors.sort(key=lambda error: error["type"] != "extra_forbidden")
    # A misspelt name is also missing under its right spelling; where it stands helps more.
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    path = tuple(str(part) if part is None else part for part in first["loc"])
    name = ".".join(str(part) for part in path if part != "[key]")
    if first["type"] == "extra_forbidden":
        rule = f"{name} is not known here; remove it or correct its spelling"
    elif first["type"] == "missing":
        rule = f"{name} is missing; add it"
    else:
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "string_pattern_mismatch":
            message = patterns.get(first["ctx"]["pattern"], message)
        elif first["type"] == "string_type" and isinstance(first["input"], int | float):
            message = "it must be a string: put it in quotes"
        else:
            message = _MUST_BE.get(first["type"], message)
        rule = f"{name} is not usable: {message}" if name else message
        if not isinstance(first["input"], dict | list):
            rule += f" (given: {first['input']!r})"
    more = f" ({len(errors) - 1} more in this file.)" if len(errors) > 1 else ""
    return f"{shown}, line {lines.of(*path)}: {rule}.{more}"
