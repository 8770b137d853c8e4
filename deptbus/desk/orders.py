"""What commanders order: the data of a directive, the times and levels they write, and what shows that it was obeyed.

Pure; ``deptbus.workflow.directives`` says what each act does.
"""

import re
from collections.abc import Mapping
from typing import Any

from deptbus.clock import from_iso, iso
from deptbus.desk.board import OpenTask
from deptbus.errors import ActRefused
from deptbus.workflow.definition import LEVELS, Definition, split_duration

ISSUED = "command.DirectiveIssued"
COMMAND = "command"
"""The department that commands."""

_EFFECTS = {
    "open": "opened",
    "level": "level",
    "reassign": "reassigned",
    "extend": "extended",
    "close": "closed",
}
_IN_VAIN = frozenset({"order_void", "late", "unmatched", "duplicate", "parked"})
_LATER = re.compile(r"\+([1-9][0-9]*(?:m|h|d))")
_SPELLED = {"Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV", "1": "I", "2": "II", "3": "III", "4": "IV"} | dict(
    zip("一二三四", ("I", "II", "III", "IV"), strict=True)
)


def directive(act: str, workflow: str, key: str, reason: str, **particulars: Any) -> dict[str, Any]:
    """The data of a ``command.DirectiveIssued``."""
    empty = dict.fromkeys(("task", "level", "to_department", "acknowledge_by", "complete_by"))
    return {"act": act, "workflow": workflow, "key": key, "reason": reason, **empty, **particulars}


def is_effect(act: str, line: Mapping[str, Any]) -> bool:
    """Whether a line of the timeline that follows from a directive settles it, one way or the other."""
    return line["kind"] == _EFFECTS[act] or line["kind"] in _IN_VAIN


def is_in_vain(line: Mapping[str, Any]) -> bool:
    """Whether that line says that nothing came of it."""
    return line["kind"] in _IN_VAIN


def parse_level(text: str) -> str:
    """``I`` to ``IV`` of what a person writes: II, Ⅱ, 2, 二, 二级; ``ActRefused``."""
    plain = text.strip().removesuffix("级")
    level = _SPELLED.get(plain, plain.upper())
    if level not in LEVELS:
        raise ActRefused(f"{text} is no response level; write I (highest), II, III or IV.")
    return level


def parse_deadline(text: str, present_ms: int, what: str) -> int:
    """A later deadline: an RFC 3339 time, or ``+4h`` after the present one; ``ActRefused``."""
    later = _LATER.fullmatch(text.strip())
    try:
        found = present_ms + split_duration(later[1])[0] if later else from_iso(text.strip())
    except ValueError:
        raise ActRefused(f"{what} {text}: write a time such as 2020-01-24T12:00:00+08:00, or +4h.") from None
    if found <= present_ms:
        raise ActRefused(f"{what} {text} is no extension: the task has until {iso(present_ms)} already.")
    return found


def check_takes(definition: Definition | None, task: OpenTask, department: str) -> None:
    """``ActRefused`` where ``department`` cannot be given the task: it is its own, or the workflow gives it no role."""
    if department == task.department:
        raise ActRefused(f"The task {task.task[:8]} is {department}'s already.")
    able = sorted({line.department for line in definition.responsibilities}) if definition else [department]
    if department not in able:
        raise ActRefused(f"{department} has no responsibility in {task.workflow}; these have: {', '.join(able)}.")
