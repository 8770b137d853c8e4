"""What commanders order: the data of each directive, refused where the board shows already that it would be void.

Pure; ``deptbus.workflow.directives`` says what each act does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deptbus.clock import beijing
from deptbus.desk.board import SHORT, Board, OpenTask, Snapshot
from deptbus.desk.refused import Refused
from deptbus.workflow.definition import Definition
from deptbus.workflow.said import Said

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
    """Open an instance. ``in_force``: by workflow, what new instances open by. ``Refused``."""
    for one in board.instances.values():
        if (one["workflow"], one["key"], one["status"]) == (workflow, key, "open"):
            raise Refused(
                Said(
                    f"{workflow}/{key} 已启动：{one['instance']}。",
                    f"{workflow}/{key} is open already: {one['instance']}.",
                )
            )
    if workflow not in in_force:
        zh, en = "、".join(sorted(in_force)) or "无", ", ".join(sorted(in_force)) or "none"
        raise Refused(
            Said(
                f"流程 {workflow} 未生效；生效的流程：{zh}。",
                f"The workflow {workflow} is not in force; in force: {en}.",
            )
        )
    _check_directed(workflow, in_force[workflow])
    where = region or (key if len(key) == 6 and key.isdigit() else None)
    return Order(directive("open", workflow, key, reason), None, where)


def to_level(board: Board, name: str, level: str, reason: str) -> Order:
    """Put a response level in force. ``Refused``, ``Missing``."""
    return _order(_commanded(board, name), "level", reason, level=level)


def close(board: Board, name: str, reason: str) -> Order:
    """End an instance. ``Refused``, ``Missing``."""
    return _order(_commanded(board, name), "close", reason)


def reassign(board: Board, task: OpenTask, department: str, reason: str) -> Order:
    """Give a task to another department. ``Refused`` where it is that one's already, or it has no role."""
    about = _commanded(board, task.instance)
    if department == task.department:
        short = task.task[:SHORT]
        raise Refused(Said(f"任务 {short} 已由 {department} 负责。", f"The task {short} is {department}'s already."))
    definition = board.definition(about)
    able = sorted({line.department for line in definition.responsibilities}) if definition else [department]
    if department not in able:
        raise Refused(
            Said(
                f"{department} 在流程 {task.workflow} 中不承担职责；承担职责的部门：{'、'.join(able)}。",
                f"{department} has no responsibility in {task.workflow}; these have: {', '.join(able)}.",
            )
        )
    return _order(about, "reassign", reason, task=task.task, to_department=department)


def extend(board: Board, task: OpenTask, reason: str, *, acknowledge_by: int | None, complete_by: int | None) -> Order:
    """Give a task more time. ``Refused``."""
    about, short = _commanded(board, task.instance), task.task[:SHORT]
    if acknowledge_by is None and complete_by is None:
        raise Refused(
            Said(
                "须填写新的签收期限或办理期限。", "Give the new time: of the acknowledgement, the completion or both."
            ),
            see="--acknowledge-by, --complete-by",
        )
    if acknowledge_by is not None and task.acknowledged_at is not None:
        raise Refused(
            Said(
                f"任务 {short} 已签收，只能延长办理期限。",
                f"The task {short} is acknowledged already: only its completion can be given more time.",
            ),
            see="--complete-by",
        )
    if complete_by is None and acknowledge_by is not None and acknowledge_by > task.complete_by:
        acknowledge, complete = beijing(acknowledge_by), beijing(task.complete_by)
        raise Refused(
            Said(
                f"新的签收期限 {acknowledge} 晚于任务 {short} 的办理期限 {complete}，请同时延长办理期限。",
                f"The acknowledgement by {acknowledge} is after {complete}, when the task {short} must be done: give "
                "its completion more time too.",
            ),
            see="--complete-by",
        )
    return _order(about, "extend", reason, task=task.task, acknowledge_by=acknowledge_by, complete_by=complete_by)


def merge(board: Board, names: Sequence[str], into: str, reason: str) -> list[Order]:
    """Bring instances under the command of another: an order for each. ``Refused``, ``Missing``."""
    lead = _commanded(board, into)
    lead_name = str(lead["instance"])
    _check_settled(lead)
    if lead["lead"]:
        raise Refused(
            Said(
                f"{lead_name} 已由 {lead['lead']} 牵头：请并入后者，或先将前者分开指挥。",
                f"{lead_name} is itself led by {lead['lead']}: merge into that one, or split it off first.",
            )
        )
    found = {str(part["instance"]): part for part in (_commanded(board, name) for name in names)}
    for name, part in found.items():
        _check_settled(part)
        if name == lead_name:
            raise Refused(
                Said(
                    f"{name} 不能并入自身，请另选牵头实例。",
                    f"{name} cannot be merged into itself: choose another one that leads it.",
                ),
                see="--into",
            )
        if part["lead"] == lead_name:
            raise Refused(Said(f"{name} 已由 {lead_name} 牵头。", f"{name} is led by {lead_name} already."))
        if part["lead"]:
            raise Refused(
                Said(
                    f"{name} 已由 {part['lead']} 牵头，请先将其分开指挥。",
                    f"{name} is led by {part['lead']}: split it off first.",
                )
            )
        if part["parts"]:
            zh, en = "、".join(part["parts"]), ", ".join(part["parts"])
            raise Refused(
                Said(
                    f"{name} 自身牵头其他实例（{zh}）：请先将其分开指挥，或改为并入 {name}。",
                    f"{name} leads others itself ({en}): split these off first, or merge into it.",
                )
            )
    return [_order(part, "merge", reason, into=lead_name) for part in found.values()]


def split(board: Board, name: str, reason: str) -> Order:
    """Let an instance be commanded on its own again. ``Refused``, ``Missing``."""
    part = _commanded(board, name)
    if not part["lead"]:
        zh = f"由其牵头的实例：{'、'.join(part['parts'])}，请从中选择。" if part["parts"] else ""
        en = f" It leads {', '.join(part['parts'])}: name one of these." if part["parts"] else ""
        raise Refused(
            Said(
                f"{part['instance']} 未并入其他实例指挥，无须分开。{zh}",
                f"{part['instance']} is commanded on its own: there is nothing to split it from.{en}",
            )
        )
    return _order(part, "split", reason)


def _commanded(board: Board, name: str) -> Snapshot:
    """An open instance that takes orders."""
    found = board.instance(name)
    if found["status"] != "open":
        since = beijing(found["closed_at"])
        raise Refused(Said(f"{found['instance']} 已于 {since} 办结。", f"{found['instance']} is closed since {since}."))
    definition = board.definition(found)
    if definition is not None:
        _check_directed(str(found["workflow"]), definition)
    return found


def _check_settled(snapshot: Snapshot) -> None:
    if snapshot["merging"]:
        name, lead = snapshot["instance"], snapshot["merging"]
        raise Refused(
            Said(
                f"{name} 正待并入 {lead}，后者尚未答复，请稍候。",
                f"{name} is about to come under {lead}, which has not answered yet: wait.",
            )
        )


def _check_directed(workflow: str, definition: Definition) -> None:
    if definition.directives is None:
        raise Refused(
            Said(
                f"流程 {workflow} 不接受指令：其定义没有 `directives`。",
                f"The workflow {workflow} takes no orders: it names no `directives`.",
            )
        )


def _order(about: Snapshot, act: str, reason: str, **particulars: Any) -> Order:
    data = directive(act, str(about["workflow"]), str(about["key"]), reason, **particulars)
    return Order(data, str(about["instance"]), about["region"])
