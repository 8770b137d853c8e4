"""``deptbus workflows fold``: recompute every state from the journal and compare it with the live one."""

from typing import Annotated

import typer
from rich.progress import Progress

from deptbus.cli import output


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus workflows``."""
    app.command(epilog="Example: BUS_NAMESPACE=demo deptbus workflows fold --outputs")(fold)


def fold(
    instance: Annotated[
        str | None, typer.Option(help="Only this instance: <workflow>/<key>/<n>.", metavar="ID")
    ] = None,
    outputs: Annotated[bool, typer.Option("--outputs", help="Compare tasks, timeline and events as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Fold the journal again and compare with what was written, byte by byte. Ends with 1 where they differ."""
    from deptbus.folding import fold_namespace
    from deptbus.settings import Settings

    settings = Settings.load()
    with Progress(console=output.err, transient=True) as bar:
        task = bar.add_task("Folding", total=None)
        result = fold_namespace(
            settings,
            instance=instance,
            outputs=outputs,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    if as_json:
        output.json(
            {
                "equal": result.equal,
                "instances": result.instances,
                "entries": result.entries,
                "differences": list(result.differences),
            }
        )
    else:
        for difference in result.differences:
            output.error(difference)
        if result.equal:
            output.out.print(f"{result.entries} entries, {result.instances} instances: folded and live are equal.")
    if not result.equal:
        raise typer.Exit(1)
