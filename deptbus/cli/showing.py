"""What several commands show in the same way: tables in the reader's language, and what to know of the whole."""

from collections.abc import Iterable

from deptbus.cli import output, words
from deptbus.settings import Settings
from deptbus.workflow.said import Said


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], lang: str) -> None:
    """A table whose columns are words of ``words``; its cells hold text from events."""
    output.table(
        title, [words.word(column, lang) for column in columns], [[words.cell(part) for part in row] for row in rows]
    )


def banner(settings: Settings, note: Said | None = None) -> None:
    """Whether this is actual life, and what is to be known of the time."""
    if settings.namespace:
        output.note(
            f"这不是实际情况：命名空间 {settings.namespace}。"
            if settings.lang == "zh"
            else f"This is not actual life: namespace {settings.namespace}."
        )
    if note:
        output.note(note.in_(settings.lang))


def unit(department: str | None, name: str | None) -> str:
    """A department and the unit in it, one below the other."""
    return "\n".join(part for part in (department, name) if part)
