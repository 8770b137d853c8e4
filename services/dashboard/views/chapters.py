"""An after-action record as chapters of rows, in Chinese or English, for spreadsheets and to print. Pure.

Times are Beijing's, to the second; margins are minutes between an answer and its deadline, negative where it was late.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from deptbus.cli.words import level, title, value, word
from deptbus.clock import BEIJING
from deptbus.desk.afteraction import AfterAction, TaskRecord
from deptbus.desk.reasons import in_words
from deptbus.desk.remembered import remembered
from deptbus.desk.resources import FIGURES
from deptbus.imports.cap.regions import name_of

Lang = Literal["zh", "en"]
Cell = str | int | float | None
_MINUTE_MS = 60_000
_SHORT = 8

# Chinese, English.
_WORDS = {
    "summary": ("概要", "Summary"),
    "chronology": ("时间线", "Chronology"),
    "tasks": ("任务与期限", "Tasks against their limits"),
    "resources": ("资源", "Resources"),
    "levels": ("响应级别", "Response levels"),
    "commands": ("指挥权", "Command"),
    "merges": ("合并与分开指挥", "Merged and split"),
    "escalations": ("升级", "Escalations"),
    "unplaced": ("未归属记录", "Not of any instance"),
    "acknowledged_by": ("签收人", "acknowledged by"),
    "acknowledge_by": ("签收期限", "acknowledge by"),
    "acknowledged_at": ("签收时间", "acknowledged at"),
    "acknowledge_margin": ("签收余量（分）", "acknowledged before limit (min)"),
    "actor": ("经办人", "actor"),
    "as_of": ("截至", "as of"),
    "complete_by": ("办理期限", "complete by"),
    "complete_margin": ("办理余量（分）", "completed before limit (min)"),
    "ended_at": ("了结时间", "ended at"),
    "ended_by": ("了结人", "ended by"),
    "late": ("逾期", "late"),
    "mode": ("性质", "mode"),
    "opened_at": ("启动时间", "opened at"),
    "closed_at": ("办结时间", "closed at"),
    "closed_because": ("办结原因", "closed because"),
    "outcome": ("结果", "outcome"),
    "record": ("记录位置", "record"),
    "requested_at": ("下达时间", "asked at"),
    "subject": ("对象", "subject"),
    "version": ("流程版本", "workflow version"),
    "requested": ("申请数量", "requested"),
    "committed": ("已承诺", "committed"),
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """A table with a title; every row has a cell for each column."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def chapters(record: AfterAction, mode: str, lang: Lang) -> list[Chapter]:
    """The record, the summary first; chapters without rows are left out."""
    teller = _Teller(record, mode, lang)
    found = [
        teller.summary(),
        teller.chronology("chronology", record.timeline),
        teller.tasks(),
        teller.resources(),
        teller.levels(),
        teller.steps("commands", record.commands),
        teller.steps("merges", record.merges),
        teller.escalations(),
        teller.chronology("unplaced", record.unplaced),
    ]
    return [chapter for chapter in found if chapter.rows]


def said(name: str, lang: Lang) -> str:
    """A word of a record in the reader's language."""
    known = _WORDS.get(name)
    return word(name, lang) if known is None else known[0 if lang == "zh" else 1]


def moment(time_ms: int | None) -> str | None:
    """Beijing time to the second."""
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


class _Teller:
    def __init__(self, record: AfterAction, mode: str, lang: Lang) -> None:
        self._record = record
        self._mode = mode
        self._lang = lang

    def summary(self) -> Chapter:
        record, lang = self._record, self._lang
        snapshot: Mapping[str, Any] = record.snapshot or {}
        region = snapshot.get("region")
        rows: list[tuple[str, Cell]] = [
            ("instance", record.instance),
            ("title", title(record.definition.titles, lang) if record.definition else None),
            ("mode", self._mode),
            ("region", None if region is None else f"{name_of(region)} ({region})"),
            ("response_level", level(record.level)),
            ("command", " ".join(filter(None, (snapshot.get("command_department"), snapshot.get("command_unit"))))),
            ("lead", snapshot.get("lead")),
            ("opened_at", moment(record.opened_at)),
            ("closed_at", moment(record.closed_at)),
            ("closed_because", self._reason(record.closed_because)),
            ("version", snapshot.get("version")),
            ("as_of", moment(record.as_of)),
            ("note", record.note and record.note.in_(lang)),
        ]
        shown: list[tuple[str, Cell]] = [(said(name, lang), cell) for name, cell in rows if cell not in (None, "")]
        for one in remembered(snapshot.get("facts"), record.definition):
            told = moment(int(one.value)) if one.time else _cell(value(one.value, lang))
            shown.append((f"{said('fact', lang)}: {title(one.titles, lang)}", told))
        return self._chapter("summary", ("what", "value"), shown)

    def chronology(self, name: str, lines: Iterable[Mapping[str, Any]]) -> Chapter:
        rows = [
            (
                moment(line["at"]), word(line["kind"], self._lang), line["rule"], _short(line["task"]),
                line["department"], line["actor"], line["basis"], self._detail(line["detail"]), line["cause"],
                line["record"],
            )
            for line in lines
        ]  # fmt: skip
        columns = ("when", "what", "rule", "task", "department", "actor", "basis", "detail", "cause", "record")
        return self._chapter(name, columns, rows)

    def tasks(self) -> Chapter:
        columns = (
            "task", "what", "subject", "region", "department", "unit", "basis", "requested_at", "acknowledge_by",
            "acknowledged_at", "acknowledge_margin", "acknowledged_by", "complete_by", "ended_at", "complete_margin",
            "outcome", "late", "ended_by", "attempt", "escalations", "reassigned", "extended",
        )  # fmt: skip
        return self._chapter("tasks", columns, [self._task(task) for task in self._record.tasks])

    def resources(self) -> Chapter:
        lines = self._record.resources()
        figures = [name for name in FIGURES if any(line[name] is not None for line in lines)]
        rows = [
            [line["resource"] or word("all", self._lang), *(_cell(value(line[name], self._lang)) for name in figures)]
            for line in lines
        ]
        return self._chapter("resources", ("resource", *figures), rows)

    def levels(self) -> Chapter:
        rows = [
            (
                moment(step["at"]), level(step["from_level"]), level(step["to_level"]),
                self._reason(step["reason"]), step["rule"], step["actor"], step["basis"],
            )
            for step in self._record.levels
        ]  # fmt: skip
        return self._chapter("levels", ("when", "from_level", "to_level", "reason", "rule", "actor", "basis"), rows)

    def steps(self, name: str, steps: Iterable[Mapping[str, Any]]) -> Chapter:
        """Who took command, or what was merged and split."""
        own = ("at", "kind", "actor", "basis", "cause")
        rows = [
            (
                moment(step["at"]), word(str(step.get("kind", "command_taken")), self._lang),
                self._detail({part: text for part, text in step.items() if part not in own}), step["actor"],
                step["basis"],
            )
            for step in steps
        ]  # fmt: skip
        return self._chapter(name, ("when", "what", "detail", "actor", "basis"), rows)

    def escalations(self) -> Chapter:
        rows = [
            (
                moment(step.at), _short(task.task), self._title(task), task.department,
                word(step.missed, self._lang), moment(step.due), step.to, moment(step.withdrawn_at), step.basis,
            )
            for step, task in sorted(
                ((step, task) for task in self._record.tasks for step in task.escalations),
                key=lambda both: (both[0].at, both[1].task),
            )
        ]  # fmt: skip
        columns = ("when", "task", "what", "department", "missed", "due", "to", "withdrawn", "basis")
        return self._chapter("escalations", columns, rows)

    def _task(self, task: TaskRecord) -> tuple[Cell, ...]:
        completed = task.ended_at if task.outcome == "completed" else None
        late = task.acknowledged_late or task.completed_late or task.overdue
        return (
            _short(task.task), self._title(task), task.subject, task.region, task.department, task.unit, task.basis,
            moment(task.requested_at), moment(task.acknowledge_by), moment(task.acknowledged_at),
            _margin(task.acknowledge_by, task.acknowledged_at), task.acknowledged_by, moment(task.complete_by),
            moment(task.ended_at), _margin(task.complete_by, completed),
            word("paused" if task.paused_at is not None else task.outcome or task.state, self._lang),
            word("yes" if late else "no", self._lang), task.ended_by, task.attempt, len(task.escalations),
            len(task.reassigned), len(task.extended),
        )  # fmt: skip

    def _title(self, task: TaskRecord) -> str:
        return task.title_zh if self._lang == "zh" else task.title_en

    def _detail(self, detail: Mapping[str, Any]) -> str:
        said = ((name, self._reason(text) if name == "reason" else text) for name, text in detail.items())
        return "; ".join(f"{word(name, self._lang)}: {text}" for name, text in said if text)

    def _reason(self, reason: str | None) -> str | None:
        return reason and in_words(reason).in_(self._lang)

    def _chapter(self, name: str, columns: Iterable[str], rows: Sequence[Sequence[Cell]]) -> Chapter:
        return Chapter(name, said(name, self._lang), tuple(said(column, self._lang) for column in columns), rows)


def _short(task: str | None) -> str | None:
    return None if task is None else task[:_SHORT]


def _margin(limit_ms: int, at_ms: int | None) -> int | None:
    """Whole minutes left, rounded so that what is late by less than one is late."""
    return None if at_ms is None else (limit_ms - at_ms) // _MINUTE_MS


def _cell(given: object) -> Cell:
    return given if given is None or isinstance(given, str | int | float) else str(given)
