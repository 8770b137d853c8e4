"""``deptbus run``: the bus's own processes, in the foreground until SIGTERM."""

from typing import Annotated

import typer

from deptbus import bootstrap
from deptbus.cli import output
from deptbus.cli.departments import departments
from deptbus.clock import system_clock
from deptbus.settings import Settings

app = typer.Typer(help="Run the bus's own processes in the foreground.", no_args_is_help=True)

Slot = Annotated[
    int, typer.Option("--worker", min=0, help="Slot of this worker; two workers of one role need different ones.")
]


@app.command()
def workflow(worker: Slot = 0) -> None:
    """Both of correlate and advance in one process: what a worker usually is."""
    _run("workflow", worker)


@app.command()
def correlate(worker: Slot = 0) -> None:
    """Place events of departments in the journal, by the rules of the packs in force."""
    _run("correlate", worker)


@app.command()
def advance(worker: Slot = 0) -> None:
    """Work the journal off: open instances, ask for tasks, watch deadlines."""
    _run("advance", worker)


app.command()(departments)


@app.command()
def lineage() -> None:
    """Keep the index of lineage current, so that `deptbus trace` need not read before it answers."""
    from deptbus.operations.lineage.keeping import keep_current

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    keep_current(settings)


@app.command(epilog="Example: BUS_METRICS_PORT=9465 deptbus run watch")
def watch() -> None:
    """Tell in metrics how far every group of the namespace is behind, and whether the audit holds."""
    from deptbus.observe.watching import serve

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    serve(settings)


def _run(role: str, worker: int) -> None:
    from deptbus.streams.run import run  # Faust takes half a second to import

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    run(settings, role, worker)


@app.command()
def health(worker: Annotated[str, typer.Argument(help="Such as advance-0.")]) -> None:
    """Say whether a worker on this machine works; exit code 1 if it does not."""
    from deptbus.health import health_path, read_health

    settings = Settings.load()
    well, content = read_health(health_path(settings, worker), system_clock())
    output.json({"worker": worker, "well": well, **content})
    if not well:
        raise typer.Exit(1)
