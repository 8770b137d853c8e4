"""What commanders order: the data of each directive, refused where the board shows already that it would be void.

Pure; ``deptbus.workflow.directives`` says what each act does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deptbus.clock import iso
from deptbus.desk.board import Board, OpenTask, Snapshot
from deptbus.errors import ActRefused
from deptbus.workflow.definition import Definition

ISSUED = "command.DirectiveIssued"
COMMAND = "command"
"""The department that commands."""

_EFFECTS = {
    "open": "opened",
    "level": "level",
    "reassign": "reassigned",
    "extend": "extended",
    "merge": "merged",
    "split": "split",
    "close": "closed",
}
_IN_VAIN = frozenset({"order_void", "late", "unmatched", "duplicate", "parked"})
_EMPTY = ("task", "level", "to_department", "acknowledge_by", "complete_by", "into")


@dataclass(frozen=True, slots=True)
class Order:
    """One directive, and what it concerns."""

    data: Mapping[str, Any]
    """Of ``command.DirectiveIssued``."""
    instance: str | None
    """Open instances are meant by name; none when one is to be opened."""
    region: str | None

    @property
    def act(self) -> str:
        """What is ordered."""
        return str(self.data["act"])

    @property
    def name(self) -> str:
        """The instance, or ``<workflow>/<key>`` of the one to be opened."""
        return self.instance or f"{self.data['workflow']}/{self.data['key']}"

    def settled_by(self, line: Mapping[str, Any]) -> bool:
        """Whether a line of the timeline that follows from the order settles it, one way or the other.

        Another instance may say more of the same order, as the one that leads does of a merge.
        """
        own = line["instance"] == self.name or line["instance"].rpartition("/")[0] == self.name
        return own and (line["kind"] == _EFFECTS[self.act] or is_in_vain(line))


def is_in_vain(line: Mapping[str, Any]) -> bool:
    """Whether a line of the timeline says that nothing came of an order."""
    return line["kind"] in _IN_VAIN


def directive(act: str, workflow: str, key: str, reason: str, **particulars: Any) -> dict[str, Any]:
    """The data of a ``command.DirectiveIssued``."""
    return {"act": act, "workflow": workflow, "key": key, "reason": reason, **dict.fromkeys(_EMPTY), **particulars}


def open_new(
    board: Board, in_force: Mapping[str, Definition], workflow: str, key: str, region: str | None, reason: str
) -> Order:
    """Open an instance. ``in_force``: by workflow, what new instances open by. ``ActRefused``."""
    for one in board.instances.values():
        if (one["workflow"], one["key"], one["status"]) == (workflow, key, "open"):
            raise ActRefused(f"{workflow}/{key} is open already: {one['instance']}.")
    if workflow not in in_force:
        known = ", ".join(sorted(in_force)) or "none"
        raise ActRefused(f"The workflow {workflow} is not in force; in force: {known}.")
    _check_directed(workflow, in_force[workflow])
    where = region or (key if len(key) == 6 and key.isdigit() else None)
    return Order(directive("open", workflow, key, reason), None, where)


def to_level(board: Board, name: str, level: str, reason: str) -> Order:
    """Put a response level in force. ``ActRefused``, ``NotFound``."""
    return _order(_commanded(board, name), "level", reason, level=level)


def close(board: Board, name: str, reason: str) -> Order:
    """End an instance. ``ActRefused``, ``NotFound``."""
    return _order(_commanded(board, name), "close", reason)


def reassign(board: Board, task: OpenTask, department: str, reason: str) -> Order:
    """Give a task to another department. ``ActRefused`` where it is that one's already, or it has no role."""
    about = _commanded(board, task.instance)
    if department == task.department:
        raise ActRefused(f"The task {task.task[:8]} is {department}'s already.")
    definition = board.definition(about)
    able = sorted({line.department for line in definition.responsibilities}) if definition else [department]
    if department not in able:
        raise ActRefused(f"{department} has no responsibility in {task.workflow}; these have: {', '.join(able)}.")
    return _order(about, "reassign", reason, task=task.task, to_department=department)


def extend(board: Board, task: OpenTask, reason: str, *, acknowledge_by: int | None, complete_by: int | None) -> Order:
    """Give a task more time. ``ActRefused``."""
    about = _commanded(board, task.instance)
    if acknowledge_by is None and complete_by is None:
        raise ActRefused("Give the new time: --complete-by or --acknowledge-by.")
    if acknowledge_by is not None and task.acknowledged_at is not None:
        raise ActRefused(f"The task {task.task[:8]} is acknowledged already: leave --acknowledge-by away.")
    if complete_by is None and acknowledge_by is not None and acknowledge_by > task.complete_by:
        raise ActRefused(
            f"--acknowledge-by {iso(acknowledge_by)} is after {iso(task.complete_by)}, when the task "
            f"{task.task[:8]} must be done: give --complete-by too."
        )
    return _order(about, "extend", reason, task=task.task, acknowledge_by=acknowledge_by, complete_by=complete_by)


def merge(board: Board, names: Sequence[str], into: str, reason: str) -> list[Order]:
    """Bring instances under the command of another: an order for each. ``ActRefused``, ``NotFound``."""
    lead = _commanded(board, into)
    lead_name = str(lead["instance"])
    _check_settled(lead)
    if lead["lead"]:
        raise ActRefused(f"{lead_name} is itself led by {lead['lead']}: merge into that one, or split it off first.")
    found = {str(part["instance"]): part for part in (_commanded(board, name) for name in names)}
    for name, part in found.items():
        _check_settled(part)
        if name == lead_name:
            raise ActRefused(f"{name} cannot be merged into itself: name in --into the one that leads the others.")
        if part["lead"] == lead_name:
            raise ActRefused(f"{name} is led by {lead_name} already.")
        if part["lead"]:
            raise ActRefused(f"{name} is led by {part['lead']}: split it off first.")
        if part["parts"]:
            parts = ", ".join(part["parts"])
            raise ActRefused(f"{name} leads others itself ({parts}): split these off first, or merge into it.")
    return [_order(part, "merge", reason, into=lead_name) for part in found.values()]


def split(board: Board, name: str, reason: str) -> Order:
    """Let an instance be commanded on its own again. ``ActRefused``, ``NotFound``."""
    part = _commanded(board, name)
    if not part["lead"]:
        parts = f" It leads {', '.join(part['parts'])}: name one of these." if part["parts"] else ""
        raise ActRefused(f"{part['instance']} is commanded on its own: there is nothing to split it from.{parts}")
    return _order(part, "split", reason)


def _commanded(board: Board, name: str) -> Snapshot:
    """An open instance that takes orders."""
    found = board.instance(name)
    if found["status"] != "open":
        raise ActRefused(f"{found['instance']} is closed since {iso(found['closed_at'])}.")
    definition = board.definition(found)
    if definition is not None:
        _check_directed(str(found["workflow"]), definition)
    return found


def _check_settled(snapshot: Snapshot) -> None:
    if snapshot["merging"]:
        raise ActRefused(
            f"{snapshot['instance']} is about to come under {snapshot['merging']}, which has not answered yet: wait."
        )


def _check_directed(workflow: str, definition: Definition) -> None:
    if definition.directives is None:
        raise ActRefused(f"The workflow {workflow} takes no orders: it names no `directives`.")


def _order(about: Snapshot, act: str, reason: str, **particulars: Any) -> Order:
    data = directive(act, str(about["workflow"]), str(about["key"]), reason, **particulars)
    return Order(data, str(about["instance"]), about["region"])
