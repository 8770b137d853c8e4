"""The results as a table for people and as ``.run/bench/results.json``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.suite.bounds import Result
from bench.suite.processes import ROOT

RESULTS = ROOT / ".run" / "bench" / "results.json"


def write(results: Iterable[Result], path: Path = RESULTS) -> None:
    """Write what was measured so far; whole at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps([result.as_json() for result in results], indent=1, ensure_ascii=False) + "\n")
    beside.replace(path)


def show(results: Sequence[Result], machine: Mapping[str, str], console: Console | None = None) -> None:
    """The table, and what it was measured on."""
    console = console or Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("row", overflow="fold")
    for name in ("measured", "95 %", "bound"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("", overflow="fold")
    for result in results:
        bound = f"{'≤' if result.of.at_most else '≥'} {_number(result.of.bound)}"
        holds = "[green]holds[/]" if result.holds else "[red]does not hold[/]"
        between = f"{_number(result.low)}–{_number(result.high)}"
        measured = f"{_number(result.ratio)} {result.of.unit}".strip()
        table.add_row(result.of.row, measured, between, bound, holds)
    console.print(table)
    for result in results:
        if result.detail:
            console.print(f"{result.of.row}:", style="bold", highlight=False, markup=False)
            console.print(f"  {result.detail}", highlight=False, markup=False)
    for name, words in machine.items():
        console.print(f"{name:10} {words}", highlight=False, markup=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"
