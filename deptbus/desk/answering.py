"""What is checked of an answer before it is published: its task, the event that gives it, its data, and lateness. Pure.

Every desk goes by it, on a command line or on a page. What is refused is refused with one sentence.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from deptbus.clock import beijing
from deptbus.desk.afteraction import AfterAction
from deptbus.desk.board import SHORT, Board, OpenTask
from deptbus.desk.refused import Missing, Refused
from deptbus.desk.template import check_filled
from deptbus.workflow.said import Said

DISPOSITIONS: Mapping[str, str] = {
    "acknowledge": "acknowledged",
    "accept": "accepted",
    "commit": "committed",
    "decline": "declined",
    "progress": "progressed",
    "complete": "completed",
}
"""What an officer does with a task, and what its answer says then."""

_OUTCOMES = {"completed": "完成", "declined": "拒绝", "cancelled": "取消"}

ANSWERED = "TaskAnswered"
"""The name of a department's plain answer, after its id."""


class Over(NamedTuple):
    """A task that is over, and the record of the instance in which it was asked for."""

    task: str
    record: AfterAction


Ever = Callable[[str], Over | None]
"""Finds a task of any time by a few letters of its id; asked only where no open task has them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a department says of a task or does for it, checked."""

    task: OpenTask
    type: str
    """The event type that is published."""
    data: Mapping[str, Any]
    """Its data as JSON: times may be RFC 3339."""
    subject: str
    """What the event is about."""

    @property
    def is_plain(self) -> bool:
        """Whether it is the answer that every department has, and no event of its own."""
        return self.type.endswith(f".{ANSWERED}")

    @property
    def says(self) -> str:
        """The disposition, or the event type where that says it."""
        return str(self.data["disposition"]) if self.is_plain else self.type

    @property
    def completes(self) -> bool:
        """Whether it completes the task."""
        return self.type in self.task.completions or (self.is_plain and self.says == "completed")

    def late(self, at_ms: int) -> list["Late"]:
        """The deadlines that it misses when it counts as given at ``at_ms``."""
        missed = []
        if self.task.acknowledged_at is None and at_ms > self.task.acknowledge_by:
            missed.append(Late("acknowledged", self.task.acknowledge_by, at_ms - self.task.acknowledge_by))
        if self.completes and at_ms > self.task.complete_by:
            missed.append(Late("completed", self.task.complete_by, at_ms - self.task.complete_by))
        return missed


class Late(NamedTuple):
    """A deadline that is missed."""

    what: str
    """``acknowledged`` or ``completed``."""
    due: int
    by_ms: int


def check_department(department: str, known: Collection[str]) -> None:
    """``Missing`` where there is no such department."""
    if department not in known:
        zh, en = "、".join(sorted(known)), ", ".join(sorted(known))
        raise Missing(
            Said(f"没有部门 {department}；现有部门：{zh}。", f"There is no department {department}; there are {en}.")
        )


def find(board: Board, prefix: str, department: str | None, ever: Ever) -> OpenTask:
    """The open task of a department, or of any; ``Refused`` says how it ended where it is over already."""
    try:
        return board.task(prefix, department)
    except Missing:
        over = ever(prefix)
        if over is None:
            raise
        _refuse_over(over)


def ending(task: OpenTask, chosen: str | None) -> str | None:
    """The event type that is to be published; None where the plain answer completes the task. ``Refused``."""
    if chosen is not None:
        if chosen not in task.endings:
            zh = f"可了结该任务的事件：{'、'.join(task.endings)}" if task.endings else "直接答复即可，无须选择事件"
            en = " or ".join(task.endings) or "a plain answer, no event"
            raise Refused(
                Said(
                    f"事件 {chosen} 不能了结任务 {task.task[:SHORT]}；{zh}。",
                    f"{chosen} does not end the task {task.task[:SHORT]}; it ends with {en}.",
                ),
                see="--type",
            )
        return chosen
    if len(task.completions) > 1:
        raise Refused(
            Said(
                f"任务 {task.task[:SHORT]} 可由以下事件之一了结，请选择：{'、'.join(task.endings)}。",
                f"The task {task.task[:SHORT]} can end with {' or '.join(task.endings)}; choose one.",
            ),
            see="--type",
        )
    return task.completions[0] if task.completions else None


def plain(task: OpenTask, disposition: str, note: str | None) -> Answer:
    """The answer that every department has: how the task stands."""
    data = {"task": task.task, "disposition": disposition, "note": note}
    return Answer(task, f"{task.department}.{ANSWERED}", data, task.task)


def refuse_data(task: OpenTask) -> NoReturn:
    """The task is completed by the plain answer, and somebody gives an event's data."""
    raise Refused(
        Said(
            f"任务 {task.task[:SHORT]} 不要求事件，直接答复即可。",
            f"The task {task.task[:SHORT]} asks for no event; a plain answer without data completes it.",
        )
    )


def with_event(
    task: OpenTask, event_type: str, data: Mapping[str, Any], schema: Mapping[str, Any], subject: str | None
) -> Answer:
    """The event that ends the task, its data as far as they can be checked without encoding. ``Refused``."""
    check_filled(data, schema)
    return Answer(task, event_type, data, subject or task.subject or task.region or task.task)


def _refuse_over(over: Over) -> NoReturn:
    task = next(task for task in over.record.tasks if task.task == over.task)
    short, instance, outcome = task.task[:SHORT], over.record.instance, task.outcome or ""
    ended, by = "" if task.ended_at is None else beijing(task.ended_at), task.ended_by or task.department
    raise Refused(
        Said(
            f"任务 {short}（{task.title_zh}，{instance}）已结束：{by} 于 {ended} {_OUTCOMES.get(outcome, outcome)}。",
            f"The task {short} ({task.title_en}, {instance}) is over: {outcome} at {ended} by {by}.",
        )
    )
