"""What a simulated officer publishes where the department has no desk of its own for it. Pure.

The event is drafted from its schema: fields that the task speaks of are filled in from it, the others get the schema's
default, else a value drawn like the officer's habits. So a new department takes part in exercises without Python.
"""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from deptbus.desk.template import known
from deptbus.exercise.draft import Draft
from deptbus.schemas.filling import fill, is_time
from deptbus.schemas.store import SchemaStore
from deptbus.workflow.definition import Definition

_NUMBER_MAX = 50
_EXAMPLE = re.compile(r"such as (\w+)")
_NUMBERED = ("Number of ", "; unique")
"""What the doc of a text says that is a number given by an authority."""


class DefaultDesk:
    """Drafts events that complete tasks, for every department. ``definitions`` are those of the packs in force."""

    def __init__(self, schemas: SchemaStore, definitions: Mapping[str, Definition]) -> None:
        self._schemas = schemas
        self._definitions = definitions

    def draft(
        self, task: Mapping[str, Any], event_type: str, at_ms: int, draw: Random, given: Mapping[str, Any]
    ) -> Draft:
        """The event of ``event_type`` that completes a ``workflow.TaskRequested``; ``given`` fields as they are."""
        schema = self._schemas.newest(event_type).schema
        said = known(task, self._definitions.get(task["workflow"]))
        data = fill(schema, said, _Drawn(task, at_ms, draw)) | dict(given)
        return Draft(event_type, data, task["subject"] or task["region"], task["region"], task["basis"])


class _Drawn:
    """Plausible values for what the task does not say."""

    def __init__(self, task: Mapping[str, Any], at_ms: int, draw: Random) -> None:
        self._task = task
        self._at_ms = at_ms
        self._draw = draw

    def __call__(self, name: str, kind: Any, doc: str) -> Any:
        if is_time(kind):
            return self._at_ms
        if isinstance(kind, Mapping):
            return self._draw.choice(kind["symbols"]) if kind["type"] == "enum" else self(name, kind["type"], doc)
        match kind:
            case "int" | "long":
                return self._draw.randrange(1, _NUMBER_MAX)
            case "float" | "double":
                return self._draw.randrange(1, 10 * _NUMBER_MAX) / 10
            case "boolean":
                return self._draw.random() < 0.5
            case "string":
                return self._text(name, doc)
        return b""

    def _text(self, name: str, doc: str) -> str:
        if any(mark in doc for mark in _NUMBERED):
            return f"{name}-{self._task['region']}-{self._task['task'][:8]}"
        example = _EXAMPLE.search(doc)
        return example[1] if example else doc.rstrip(".")
