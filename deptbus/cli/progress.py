"""How far long work has come: one bar for all commands, on standard error, and only where that is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deptbus.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """What moves the bar; without a terminal it moves nothing."""

    def __init__(self, progress: "Progress | None" = None, text: str = "", total: int | None = None) -> None:
        self._progress = progress
        self._done = 0
        if progress is not None:
            self._task = progress.add_task(text, total=total, rate="", visible=total is None or total > 0)

    def to(self, done: int, total: int | None = None) -> None:
        """So much is done; ``total``: of how much, once that is known."""
        self._done = done
        if self._progress is None:
            return
        speed = self._progress.tasks[0].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._progress.update(self._task, completed=done, total=total, rate=rate, visible=total != 0)

    def by(self, count: int, total: int | None = None) -> None:
        """So much more is done."""
        self.to(self._done + count, total)


@contextmanager
def bar(text: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Bar]:
    """A bar with rate and time left, gone when the work is over. ``total``: how much there is to do, if known."""
    if quiet or not output.err.is_terminal:
        yield Bar()
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=None), TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=output.err, transient=True) as progress:
        yield Bar(progress, text, total)
