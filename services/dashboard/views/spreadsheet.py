"""Chapters as one CSV file for spreadsheets: UTF-8 with BOM, and no text of an event that they would compute. Pure."""

import csv
import io
from collections.abc import Iterable

from services.dashboard.views.chapters import Cell, Chapter

BOM = "\ufeff"
"""Without it Excel reads Chinese text as something else."""
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Text that begins like this a spreadsheet may take for a formula."""


def spreadsheet(chapters: Iterable[Chapter]) -> bytes:
    """The file: of each chapter its title, its columns and its rows, with an empty line between two."""
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for number, chapter in enumerate(chapters):
        if number:
            out.write("\r\n")
        writer.writerow([plain(chapter.title)])
        writer.writerow([plain(column) for column in chapter.columns])
        writer.writerows([plain(cell) for cell in row] for row in chapter.rows)
    return out.getvalue().encode()


def plain(cell: Cell) -> Cell:
    """A cell that nothing is computed of: text that could be a formula gets an apostrophe before it."""
    if isinstance(cell, str):
        cell = cell.replace("\0", "�")
        if cell.lstrip(" \u3000").startswith(_COMPUTED):
            return f"'{cell}"
    return cell
