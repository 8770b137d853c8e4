"""How incidents are shown to people: the list, one incident, and what came of an order."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from deptbus.cli import output, words
from deptbus.clock import from_iso
from deptbus.desk.afteraction import AfterAction, TaskRecord
from deptbus.desk.board import short_ids
from deptbus.desk.incidents import Incident
from deptbus.outcome import Outcome
from deptbus.settings import Settings

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def show_list(settings: Settings, rows: list[Incident]) -> None:
    """One line for each incident."""
    lang = settings.lang
    if not rows:
        output.note("没有符合条件的实例。" if lang == "zh" else "There is no such incident.")
        return
    columns = ("instance", "title", "region", "response_level", "opened", "state", "tasks_open_/_late", "last_change")
    lines = [
        (
            row.instance,
            words.title(row.titles, lang),
            row.region,
            words.level(row.level),
            words.moment(row.opened_at),
            words.word(row.status, lang),
            f"{row.open_tasks} / {row.late_tasks}"
            + "".join(f"\n{name} {n}" for name, n in row.late_departments.items()),
            words.moment(row.changed_at),
        )
        for row in rows
    ]
    _table(f"{len(rows)} (UTC+8)", columns, lines, lang)
    _banner(settings)


def show_record(settings: Settings, record: AfterAction, last: int | None) -> None:
    """One incident; ``last`` lines of its timeline, or everything."""
    lang = settings.lang
    _header(settings, record)
    snapshot = record.snapshot or {}
    facts = sorted((snapshot.get("facts") or {}).items())
    if facts:
        _table(words.word("facts", lang), ("fact", "value"), facts, lang)
    tasks = record.open_tasks if last is not None else record.tasks
    short = short_ids(task.task for task in record.tasks)
    columns = ("task", "what", "department", "acknowledge_by", "complete_by", "state", "attempt", "basis")
    if tasks:
        _table(
            f"{words.word('tasks', lang)}: {len(tasks)}", columns,
            [_task(task, short[task.task], record.as_of, lang) for task in tasks], lang,
        )  # fmt: skip
    _escalations(record, tasks, short, lang)
    resources = [
        (line["resource"], line["requested"], line["committed"], line["open"], line["declined"])
        for line in record.resources()
    ]
    if resources:
        _table(
            words.word("resources", lang), ("resource", "asked_for", "committed", "open", "declined"), resources, lang
        )
    _timeline(record, last, short, lang)
    _banner(settings)


def show_effects(settings: Settings, act: str, name: str, outcome: Outcome, lines: Iterable[Mapping[str, Any]]) -> None:
    """What became of an order."""
    where = f"{outcome.topic}[{outcome.partition}]@{outcome.offset}"
    output.out.print(f"{name}: the order ({act}) is published on {where}.", markup=False, soft_wrap=True)
    told = [_line(line, settings.lang) for line in lines]
    for when, kind, what in told:
        output.out.print(f"{when}  {kind}  {what}", markup=False, soft_wrap=True)
    if not told:
        output.note("It is published but not yet applied: the timeline shows no effect so far.")


def _header(settings: Settings, record: AfterAction) -> None:
    lang = settings.lang
    snapshot = record.snapshot or {}
    titles = record.definition.titles if record.definition else None
    closed = f" – {words.moment(record.closed_at)} ({record.closed_because})" if record.closed_at else ""
    region = f"{words.word('region', lang)}: {snapshot.get('region') or '-'}"
    level = f"{words.word('response_level', lang)}: {words.level(record.level)}"
    opened = f"{words.word('closed' if record.closed_at else 'open', lang)}: {words.moment(record.opened_at)}{closed}"
    pack = f"version {snapshot.get('version')}, pack {str(snapshot.get('pack'))[:12]}"
    lines = [
        f"{record.instance}  {words.title(titles, lang) if titles else ''}",
        f"{region}   {level}   {opened}",
        f"{pack}; {words.moment(record.as_of)} (UTC+8)",
    ]
    lines += [
        f"  {words.moment(step['at'])}  {words.level(step['from_level'])} → {words.level(step['to_level'])}  "
        f"{step['reason'] or ''}  {step['basis'] or ''}"
        for step in record.levels
    ]
    for line in lines:
        output.out.print(words.cell(line), soft_wrap=True)


def _task(task: TaskRecord, short: str, as_of: int, lang: str) -> tuple[Any, ...]:
    title = task.title_zh if lang == "zh" else task.title_en
    if task.outcome is not None:
        by = words.moment(task.acknowledged_at), words.moment(task.ended_at)
    else:
        seen = task.acknowledged_at is not None
        by = (
            words.word("acknowledged", lang) if seen else words.countdown(task.acknowledge_by, as_of, lang),
            words.countdown(task.complete_by, as_of, lang),
        )
    state = "completed_late" if task.completed_late else "paused" if task.paused_at is not None else task.state
    return (
        short, title + (f"\n{task.subject}" if task.subject else ""),
        task.department + (f"\n{task.unit}" if task.unit else ""), *by, words.word(state, lang), task.attempt,
        task.basis,
    )  # fmt: skip


def _escalations(record: AfterAction, tasks: list[TaskRecord], short: Mapping[str, str], lang: str) -> None:
    rows = [
        (
            words.moment(step.at),
            short[task.task],
            task.title_zh if lang == "zh" else task.title_en,
            f"{words.word(step.missed, lang)}\n{words.moment(step.due)}",
            step.to,
            words.word("withdrawn", lang) if step.withdrawn_at else "",
            step.basis,
        )
        for task in tasks
        for step in task.escalations
    ]
    if rows:
        columns = ("when", "task", "what", "missed", "to", "withdrawn", "basis")
        _table(f"{words.word('escalations', lang)}: {len(rows)}", columns, sorted(rows), lang)


def _timeline(record: AfterAction, last: int | None, short: Mapping[str, str], lang: str) -> None:
    lines = record.timeline if last is None else record.timeline[len(record.timeline) - last :] if last else []
    if not lines:
        return
    rows = [
        (
            words.moment(line["at"]),
            words.word(line["kind"], lang),
            line["rule"],
            short.get(line["task"] or "", ""),
            line["actor"] or line["department"],
            "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in _detail(line).items()),
            line["basis"],
            line["cause"][:8],
        )
        for line in lines
    ]
    columns = ("when", "what", "rule", "task", "by", "detail", "basis", "cause")
    _table(f"{words.word('timeline', lang)}: {len(lines)} / {len(record.timeline)}", columns, rows, lang)


def _detail(line: Mapping[str, Any]) -> dict[str, str]:
    """The particulars of a line, their times as those beside them; without the event that is its cause anyway."""
    return {
        name: words.moment(from_iso(value)) if _TIME.fullmatch(value) else value
        for name, value in line["detail"].items()
        if not (name == "event" and value == line["cause"])
    }


def _line(line: Mapping[str, Any], lang: str) -> tuple[str, str, str]:
    detail = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in _detail(line).items() if value)
    about = ", ".join(part for part in (line["task"] and line["task"][:8], line["department"], detail) if part)
    return words.moment(line["at"]), words.word(line["kind"], lang), about


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], lang: str) -> None:
    output.table(
        title, [words.word(column, lang) for column in columns], [[words.cell(part) for part in row] for row in rows]
    )


def _banner(settings: Settings) -> None:
    if settings.namespace:
        output.note(
            f"这不是实际情况：命名空间 {settings.namespace}。"
            if settings.lang == "zh"
            else f"This is not actual life: namespace {settings.namespace}."
        )
