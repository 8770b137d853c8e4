"""How the list of incidents and the outcome of orders are shown to people."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from deptbus.cli import output, words
from deptbus.cli.showing import banner, table, unit
from deptbus.clock import from_iso
from deptbus.desk.acting import Result
from deptbus.desk.incidents import Incident
from deptbus.desk.reasons import in_words
from deptbus.settings import Settings
from deptbus.workflow.said import Said

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_LENGTH = "_ms"
"""How the names of lengths of time end."""
_COLUMNS = (
    "instance", "title", "region", "response_level", "command", "opened", "state", "tasks_open_/_late", "last_change",
)  # fmt: skip


def show_list(settings: Settings, rows: list[Incident], note: Said | None) -> None:
    """One line for each incident; those merged under one that is shown stand below it."""
    lang = settings.lang
    if not rows:
        output.note("没有符合条件的实例。" if lang == "zh" else "There is no such incident.")
        return
    shown = {row.instance for row in rows}
    lines = [
        (
            f"  └ {row.instance}" if row.lead in shown else row.instance + _led(row, lang),
            words.title(row.titles, lang),
            row.region,
            words.level(row.level),
            unit(row.command_department, row.command_unit),
            words.moment(row.opened_at),
            words.word(row.status, lang),
            f"{row.open_tasks} / {row.late_tasks}"
            + "".join(f"\n{name} {n}" for name, n in row.late_departments.items()),
            words.moment(row.changed_at),
        )
        for row in rows
    ]
    table(f"{len(rows)} (UTC+8)", _COLUMNS, lines, lang)
    banner(settings, note)


def _led(row: Incident, lang: str) -> str:
    return f"\n{words.word('lead', lang)}: {row.lead}" if row.lead else ""


def show_results(settings: Settings, results: Iterable[Result], note: Said | None) -> None:
    """What became of orders."""
    for result in results:
        outcome, act = result.outcome, words.word(f"act_{result.order.act}", settings.lang)
        where = f"{outcome.topic}[{outcome.partition}]@{outcome.offset}"
        _say(
            f"{result.order.name}：指令（{act}）已发布于 {where}。"
            if settings.lang == "zh"
            else f"{result.order.name}: the order ({act}) is published on {where}."
        )
        for line in result.effects:
            _say("  ".join(_line(line, settings.lang)))
        if not result.effects:
            output.note(
                "已发布，尚未生效：时间线上还没有结果。"
                if settings.lang == "zh"
                else "It is published but not yet applied: the timeline shows no effect so far."
            )
    if note:
        output.note(note.in_(settings.lang))


def _say(text: str) -> None:
    output.out.print(text, markup=False, soft_wrap=True)


def detail(line: Mapping[str, Any], lang: str) -> dict[str, str]:
    """The particulars of a line, times and lengths of time in words; without the event that is its cause anyway."""
    return dict(
        _particular(name, value, lang)
        for name, value in line["detail"].items()
        if not (name == "event" and value == line["cause"])
    )


def _particular(name: str, value: str, lang: str) -> tuple[str, str]:
    if name == "reason":
        return words.word(name, lang), in_words(value).in_(lang)
    if name.endswith(_LENGTH) and value.isdigit():
        return words.word(name.removesuffix(_LENGTH), lang), words.span(int(value), lang)
    return words.word(name, lang), words.moment(from_iso(value)) if _TIME.fullmatch(value) else value


def _line(line: Mapping[str, Any], lang: str) -> tuple[str, str, str]:
    particulars = ", ".join(f"{name} {value}" for name, value in detail(line, lang).items() if value)
    about = (line["instance"], line["task"] and line["task"][:8], line["department"], particulars)
    return words.moment(line["at"]), words.word(line["kind"], lang), ", ".join(part for part in about if part)
