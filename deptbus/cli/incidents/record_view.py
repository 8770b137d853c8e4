"""How one incident is shown to people: who commands, what it remembers, its tasks, what escalated, its timeline."""

from collections.abc import Mapping
from typing import Any

from deptbus.cli import output, words
from deptbus.cli.incidents.view import detail
from deptbus.cli.showing import banner, table, unit
from deptbus.desk.afteraction import AfterAction, TaskRecord
from deptbus.desk.board import asked, short_ids
from deptbus.desk.reasons import in_words
from deptbus.desk.remembered import remembered
from deptbus.desk.resources import FIGURES
from deptbus.settings import Settings
from deptbus.workflow.said import Said


def show_record(settings: Settings, record: AfterAction, last: int | None, note: Said | None) -> None:
    """One incident; ``last`` lines of its timeline, or everything."""
    lang = settings.lang
    for line in _header(record, lang):
        output.out.print(words.cell(line), soft_wrap=True)
    facts = remembered((record.snapshot or {}).get("facts"), record.definition)
    if facts:
        shown = [
            (words.title(one.titles, lang), words.moment(int(one.value)) if one.time else words.value(one.value, lang))
            for one in facts
        ]
        table(words.word("facts", lang), ("fact", "value"), shown, lang)
    tasks = record.open_tasks if last is not None else record.tasks
    short = short_ids(task.task for task in record.tasks)
    columns = ("task", "what", "region", "department", "acknowledge_by", "complete_by", "state", "attempt", "basis")
    if tasks:
        rows = [_task(task, short[task.task], record.as_of, lang) for task in tasks]
        table(f"{words.word('tasks', lang)}: {len(tasks)}", columns, rows, lang)
    _escalations(tasks, short, lang)
    _resources(record, lang)
    _timeline(record, last, short, lang)
    banner(settings, note)


def _header(record: AfterAction, lang: str) -> list[str]:
    snapshot = record.snapshot or {}
    titles = record.definition.titles if record.definition else None
    closed = f" – {words.moment(record.closed_at)} ({_reason(record.closed_because, lang)})" if record.closed_at else ""
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
        f"{_reason(step['reason'], lang)}  {step['basis'] or ''}"
        for step in record.levels
    ]
    return lines + _command(record, snapshot, lang) + _targets(record, snapshot, lang)


def _reason(reason: str | None, lang: str) -> str:
    return in_words(reason).in_(lang) if reason else ""


def _command(record: AfterAction, snapshot: Mapping[str, Any], lang: str) -> list[str]:
    """Who commands, under which instance, and which ones under this."""
    lines = []
    if snapshot.get("command_department"):
        who = unit(snapshot["command_department"], snapshot["command_unit"]).replace("\n", " ")
        lines.append(f"{words.word('command', lang)}: {who}")
    lines += [
        f"  {words.moment(taken['at'])}  {_unit(taken, 'from')} → {_unit(taken, 'to')}  "
        f"{_reason(taken['reason'], lang)}  {taken['basis'] or ''}"
        for taken in record.commands
    ]
    if snapshot.get("lead"):
        lines.append(f"{words.word('lead', lang)}: {snapshot['lead']}")
    lines += [f"  └ {part}" for part in snapshot.get("parts") or ()]
    lines += [
        f"  {words.moment(step['at'])}  {words.word(step['kind'], lang)}: {step.get('lead') or step.get('part')}  "
        f"{_reason(step['reason'], lang)}  {step['actor'] or ''}  {step['basis'] or ''}"
        for step in record.merges
    ]
    return lines


def _unit(taken: Mapping[str, Any], which: str) -> str:
    return unit(taken[f"{which}_department"], taken[f"{which}_unit"]).replace("\n", " ") or "-"


def _targets(record: AfterAction, snapshot: Mapping[str, Any], lang: str) -> list[str]:
    """In which regions each step is asked that is asked region by region, and what for."""
    lines = []
    for name, regions in sorted((snapshot.get("targets") or {}).items()):
        step, _, subject = name.partition(" ")
        about = " ".join(part for part in (words.title(asked(record.definition, step).titles, lang), subject) if part)
        lines.append(f"{words.word('regions', lang)}: {about}: {' '.join(regions) or '-'}")
    return lines


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
    about = [title, task.subject, *(_retargeted(task, lang) if task.retargeted else ())]
    return (
        short, "\n".join(part for part in about if part), task.region, unit(task.department, task.unit), *by,
        words.word(state, lang), task.attempt, task.basis,
    )  # fmt: skip


def _retargeted(task: TaskRecord, lang: str) -> list[str]:
    """When what it is about moved last, and what is so from then on."""
    moved = task.retargeted[-1]
    changed = [f"{name}: {value}" for name, value in task.context.items() if moved["from_context"].get(name) != value]
    return [f"{words.word('retargeted', lang)} {words.moment(moved['at'])}", *changed]


def _escalations(tasks: list[TaskRecord], short: Mapping[str, str], lang: str) -> None:
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
        table(f"{words.word('escalations', lang)}: {len(rows)}", columns, sorted(rows), lang)


def _resources(record: AfterAction, lang: str) -> None:
    lines = record.resources()
    figures = [name for name in FIGURES if any(line[name] is not None for line in lines)]
    rows = [
        (line["resource"] or words.word("all", lang), *(words.value(line[name], lang) for name in figures))
        for line in lines
    ]
    if rows:
        named = {"requested": "asked_for", "committed": "bound"}
        columns = ("resource", *(named.get(name, name) for name in figures))
        table(words.word("resources", lang), columns, rows, lang)


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
            "\n".join(f"{name}: {value}" for name, value in detail(line, lang).items()),
            line["basis"],
            line["cause"][:8],
        )
        for line in lines
    ]
    columns = ("when", "what", "rule", "task", "by", "detail", "basis", "cause")
    table(f"{words.word('timeline', lang)}: {len(lines)} / {len(record.timeline)}", columns, rows, lang)
