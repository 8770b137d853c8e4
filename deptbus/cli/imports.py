"""``deptbus import``: real input, published as the departments that are its source."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import import_cap, output

if TYPE_CHECKING:
    from deptbus.imports.epidemic import Import
    from deptbus.outcome import Outcome

app = typer.Typer(help="Real input, as events of its source.", no_args_is_help=True, rich_markup_mode="rich")
PROBLEMS_SHOWN_MAX = 20


@app.callback()
def _group() -> None:
    """One command a format."""


app.command(epilog="Example: deptbus import cap alerts/ storm.cap --dry-run")(import_cap.cap)


@app.command(
    epilog="Example: deptbus import epidemic ../shared/data/epidemic --province 440000"
    " --from 2020-01-20 --to 2020-02-29"
)
def epidemic(
    folder: Annotated[Path, typer.Argument(help="The folder with the day files YYYY-MM-DD.csv.")],
    province: Annotated[str, typer.Option(help="GB/T 2260 code such as 440000, or all.")],
    first: Annotated[str, typer.Option("--from", help="First day, such as 2020-01-20.")],
    last: Annotated[str, typer.Option("--to", help="Last day, inclusive.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; publish nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Publish daily cumulative case counts: new cases as `health`, objections to figures as `data`.

    Ids follow from file and line, so importing the same files again publishes the same events. Rows that cannot
    be read are listed and left out.
    """
    from deptbus.imports.epidemic import day_of, read_days

    found = read_days(folder, province, day_of(first), day_of(last))
    outcomes = [] if dry_run else _publish(found)
    _show(found, outcomes, dry_run, as_json)
    for outcome in outcomes:
        outcome.require()


def _publish(found: "Import") -> "list[Outcome]":
    from rich.progress import Progress

    from deptbus import bootstrap
    from deptbus.imports.publish import publish
    from deptbus.settings import Settings

    settings = Settings.load()
    with ExitStack() as stack:
        buses = {}
        for department in ("health", "data"):
            buses[department] = bootstrap.connect(settings, department)
            stack.callback(buses[department].close)
        progress = stack.enter_context(Progress(console=output.err, transient=True))
        bar = progress.add_task("Publishing", total=len(found.items))
        return publish(found.items, buses, lambda: progress.advance(bar))


def _show(found: "Import", outcomes: "list[Outcome]", dry_run: bool, as_json: bool) -> None:
    counts: dict[str, int] = {
        "case_events": found.case_events,
        "cases": found.cases,
        "regions": found.regions,
        "files": found.files,
        "rows": found.rows,
        "problems": len(found.problems),
        "published": sum(outcome.acknowledged for outcome in outcomes),
    }
    if as_json:
        problems = [{"file": p.file, "line": p.line, "reason": p.reason} for p in found.problems]
        output.json({**counts, "objections": found.objections, "problems": problems})
        return
    objections = [(f"objections: {kind}", count) for kind, count in found.objections.items()]
    output.table(
        "Read only (--dry-run)" if dry_run else "Imported",
        ("what", "number"),
        [*((name.replace("_", " "), count) for name, count in counts.items()), *objections],
    )
    for problem in found.problems[:PROBLEMS_SHOWN_MAX]:
        output.note(str(problem))
    if len(found.problems) > PROBLEMS_SHOWN_MAX:
        output.note(f"{len(found.problems) - PROBLEMS_SHOWN_MAX} more problems; --json lists them all.")
