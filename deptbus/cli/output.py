"""How commands speak: tables and sentences for people, JSON for programs; colour only where it is welcome.

rich honours ``NO_COLOR`` and drops colour when the output is not a terminal.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def error(message: str) -> None:
    """One sentence on standard error."""
    err.print("error:", style="bold red", end=" ")
    err.print(message, markup=False, soft_wrap=True)


def warning(message: str) -> None:
    """One sentence on standard error about what is allowed and yet perhaps not meant."""
    err.print("warning:", style="yellow", end=" ")
    err.print(message, markup=False, soft_wrap=True)


def note(message: str) -> None:
    """A remark that is not the command's result: on standard error."""
    err.print(message, markup=False, soft_wrap=True)


def json(value: Any) -> None:
    """The command's result for programs: one JSON document on standard output."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The command's result for people: a table, or one block for each row where the terminal is too narrow for it.

    What is not a terminal gets the table as wide as it is, so that a line stays a line.
    """
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    for row in cells:
        grid.add_row(*row)
    width = out.measure(grid, options=out.options.update(width=WIDTH_MAX)).maximum
    if not out.is_terminal:
        Console(width=width, highlight=False).print(grid)
    elif width > out.width * BLOCKS_FROM and len(columns) > BLOCK_COLUMNS_MIN:
        _blocks(title, columns, cells)
    else:
        out.print(grid)


WIDTH_MAX = 1_000
BLOCKS_FROM = 1.3
"""A table that is wider than the terminal by this factor is shown as blocks."""
BLOCK_COLUMNS_MIN = 3


def _blocks(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """One block for each row: its first cell as a heading, then a line for each cell that says something."""
    if title:
        out.print(title, style="italic", markup=False)
    for row in rows:
        out.print(row[0].replace("\n", "  "), style="bold", markup=False, soft_wrap=True)
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                out.print(f"  {column}: {cell.replace(chr(10), '  ')}", markup=False, soft_wrap=True)
