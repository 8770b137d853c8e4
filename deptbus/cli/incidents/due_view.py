"""How what is due next is shown to people."""

from deptbus.cli import output, words
from deptbus.cli.showing import banner, table, unit
from deptbus.desk.board import Board, short_ids
from deptbus.desk.due import Due, Who
from deptbus.settings import Settings

_COLUMNS = ("when", "kind", "what", "responsible", "instance", "task", "basis")


def show_due(settings: Settings, board: Board, lines: list[Due]) -> None:
    """One line for each, in the order given."""
    lang, now = settings.lang, board.now_ms
    if not lines:
        output.note("没有到期事项。" if lang == "zh" else "Nothing is due.")
    else:
        short = short_ids(task["id"] for one in board.instances.values() for task in one["tasks"])
        overdue = sum(line.is_overdue(now) for line in lines)
        title = f"{words.word('due_next', lang)}: {len(lines)}, {words.word('overdue', lang)} {overdue}; "
        rows = [
            (
                _when(line, now, lang), words.word(line.kind, lang), _what(line, lang), unit(*_names(line)),
                f"{line.instance}\n{words.title(line.workflow, lang)} {words.level(line.level)}",
                short.get(line.task or "", ""), line.basis,
            )
            for line in lines
        ]  # fmt: skip
        table(f"{title}{words.moment(now)} (UTC+8)", _COLUMNS, rows, lang)
    banner(settings, board.note)


def _names(line: Due) -> tuple[str, str]:
    return (line.responsible.department, line.responsible.unit) if line.responsible else ("", "")


def _when(line: Due, now: int, lang: str) -> str:
    if line.at is not None:
        return words.countdown(line.at, now, lang)
    return f"{words.word('since', lang)} {words.moment(line.since)}"


def _what(line: Due, lang: str) -> str:
    """What is due; whom an escalation tells, what a timer does, what a clock waits for."""
    parts = [words.title(line.what, lang)]
    if line.subject:
        parts.append(line.subject)
    if line.told is not None:
        then = f"; {words.word(line.then, lang)}" if line.then else ""
        missed = words.word(line.missed or "", lang)
        parts.append(f"{missed} → {_told(line.told)}{then}")
    parts += [f"{words.word('asks', lang)}: {words.title(titles, lang)}" for titles in line.asks]
    parts += [f"{words.word('cancels', lang)}: {words.title(titles, lang)}" for titles in line.cancels]
    if line.until and line.kind == "clock_stopped":
        parts.append(f"{words.word('until', lang)}: {', '.join(line.until)}")
    return "\n".join(parts)


def _told(who: Who) -> str:
    return unit(who.department, who.unit).replace("\n", " ")
