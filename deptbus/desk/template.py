"""What an officer still has to say to complete a task: the event's JSON, filled in as far as is known. Pure.

What is left open stands there in angle brackets, with its kind and what it means; a value that still does is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deptbus.desk.board import OpenTask, step_of
from deptbus.desk.refused import Refused
from deptbus.schemas.filling import fill, is_time
from deptbus.workflow.definition import Definition
from deptbus.workflow.said import Said

_KINDS = {
    "int": "whole number",
    "long": "whole number",
    "float": "number",
    "double": "number",
    "string": "text",
    "boolean": "true or false",
    "bytes": "base64",
}

_ASKED = ("task", "instance", "workflow", "region", "level", "step", "subject", "context")


def skeleton(schema: Mapping[str, Any], task: OpenTask, definition: Definition | None) -> dict[str, Any]:
    """The data of an event that ends ``task``: what the task says filled in, the rest in angle brackets."""
    return fill(schema, known_of(task, definition), _bracketed)


def known_of(task: OpenTask, definition: Definition | None) -> dict[str, Any]:
    """What an open task says, as ``known``."""
    return known({name: getattr(task, name) for name in _ASKED}, definition)


def known(task: Mapping[str, Any], definition: Definition | None) -> dict[str, Any]:
    """What a task (a ``workflow.TaskRequested``) says, by the names that fields of events have for it."""
    said: dict[str, Any] = dict(task["context"])
    said |= {name: task[name] for name in ("task", "instance", "workflow")}
    said["incident"] = task["instance"].partition("/")[2].rpartition("/")[0]
    said |= {name: task[name] for name in ("region", "level") if task[name]}
    if task["subject"]:
        said |= dict.fromkeys(subject_fields(definition, task["step"]), task["subject"])
    return said


def subject_fields(definition: Definition | None, step: str) -> set[str]:
    """The fields that say what an event is about, along the triggers that lead to ``step``."""
    return set(_subject_fields(definition, step, set())) if definition else set()


def _subject_fields(definition: Definition, name: str, seen: set[str]) -> Iterator[str]:
    step = step_of(definition, name)
    if step is None or step.step in seen:
        return
    seen.add(step.step)
    subjects = {rule.rule: rule.subject for rule in definition.rules}
    for trigger in step.on:
        kind, _, of = trigger.partition(":")
        if kind == "rule" and (subjects.get(of) or "").startswith("event."):
            yield str(subjects[of]).removeprefix("event.")
        elif kind in ("completed", "declined"):
            yield from _subject_fields(definition, of, seen)


def unfilled(data: Any, path: str = "") -> str | None:
    """The first field that still stands in angle brackets."""
    if isinstance(data, str):
        return path if data.startswith("<") and data.endswith(">") else None
    if isinstance(data, Mapping):
        parts = [(f"{path}.{name}".lstrip("."), value) for name, value in data.items()]
    elif isinstance(data, list):
        parts = [(f"{path}[{index}]", value) for index, value in enumerate(data)]
    else:
        return None
    return next((found for name, value in parts if (found := unfilled(value, name))), None)


def check_filled(data: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """``Refused`` for a field that is missing, not known, or still in angle brackets."""
    fields = {field["name"]: field for field in schema["fields"]}
    name, unknown = _name(schema), sorted(set(data) - set(fields))
    if unknown:
        raise Refused(
            Said(
                f"{name} 没有字段 {unknown[0]}；其字段为 {'、'.join(fields)}。",
                f"{name} has no field {unknown[0]}; it has {', '.join(fields)}.",
            )
        )
    missing = next((one for one, field in fields.items() if one not in data and "default" not in field), None)
    if missing:
        doc = fields[missing].get("doc", "")
        raise Refused(Said(f"{name} 缺少字段 {missing}。", f"The field {missing} of {name} is missing: {doc}"))
    open_field = unfilled(dict(data))
    if open_field:
        raise Refused(
            Said(
                f"{name} 的字段 {open_field} 尚未填写。", f"The field {open_field} of {name} is still to be filled in."
            )
        )


def _name(schema: Mapping[str, Any]) -> str:
    return f"{schema.get('namespace', '')}.{schema['name']}".lstrip(".")


def _bracketed(_: str, kind: Any, doc: str) -> str:
    """What stands for a value that only the officer knows."""
    if is_time(kind):
        return f"<time such as 2020-01-20T08:30:00+08:00: {doc}>"
    if isinstance(kind, str):
        return f"<{_KINDS.get(kind, kind)}: {doc}>"
    return f"<{' or '.join(kind['symbols'])}: {doc}>" if kind["type"] == "enum" else _bracketed("", kind["type"], doc)
