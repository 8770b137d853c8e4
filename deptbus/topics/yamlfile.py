"""Reads a YAML file into a pydantic model; whatever is wrong is one sentence with file and line."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from deptbus.errors import CatalogueError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]


class Lines:
    """Knows on which line each part of a YAML file begins."""

    def __init__(self, node: yaml.Node | None) -> None:
        self._line_of: dict[Path_, int] = {}
        if node is not None:
            self._walk(node, ())

    def of(self, *path: str | int) -> int:
        """The line of the part at ``path``, or of the nearest part around it."""
        found = path
        while found and found not in self._line_of:
            found = found[:-1]
        return self._line_of.get(found, 1)

    def _walk(self, node: yaml.Node, path: Path_) -> None:
        self._line_of.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, key.value)
                self._line_of[here] = key.start_mark.line + 1
                self._walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*path, index))


def read_yaml(path: Path, shown: str, model: type[Model], error: type[CatalogueError]) -> tuple[Model, Lines]:
    """The model in a file and where its parts stand; ``error`` for a file that is broken.

    ``shown`` is the file's name in messages.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        _refuse_duplicates(node, shown, error)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise error(f"{shown}, line {line}: this is not valid YAML: {broken.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as broken:
        raise error(f"{shown}: this cannot be read: {broken}.") from None
    lines = Lines(node)
    if not isinstance(content, dict):
        raise error(f"{shown}, line 1: the file must hold a mapping of names to values.")
    try:
        return model.model_validate(content), lines
    except ValidationError as broken:
        raise error(_sentence(broken, shown, lines, model)) from None


def _refuse_duplicates(node: yaml.Node | None, shown: str, error: type[CatalogueError]) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise error(f"{shown}, line {key.start_mark.line + 1}: {key.value} stands twice; remove one.")
            seen.add(key.value)
            _refuse_duplicates(value, shown, error)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, shown, error)


def _sentence(broken: ValidationError, shown: str, lines: Lines, model: type[BaseModel]) -> str:
    errors = broken.errors()
    first = errors[0]
    path = tuple(first["loc"])
    name = ".".join(str(part) for part in path)
    if first["type"] == "extra_forbidden":
        rule = f"{name} is not known here; remove it or correct its spelling"
    elif first["type"] == "missing":
        rule = f"{name} is missing; add it"
    else:
        message = first["msg"].removeprefix("Value error, ")
        rule = f"{name} is not usable: {message}" if name else message
        if not isinstance(first["input"], dict | list):
            rule += f" (given: {first['input']!r})"
    more = f" ({len(errors) - 1} more in this file.)" if len(errors) > 1 else ""
    return f"{shown}, line {lines.of(*path)}: {rule}.{more}"
