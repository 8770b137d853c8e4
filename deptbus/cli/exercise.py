"""``deptbus exercise``: the simulated desks of an exercise, and plays besides the demo."""

from typing import Annotated

import typer

app = typer.Typer(help="Exercises: time that moves in steps, and simulated desks.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What an exercise consists of."""


@app.command()
def desks(seed: Annotated[int, typer.Option(help="What the answers are drawn from.")] = 1) -> None:
    """Answer the tasks of every department in the namespace's exercise time, until its clock says that it is over."""
    from deptbus import bootstrap, failpoint  # noqa: PLC0415
    from deptbus.exercise.desk_process import DeskProcess, find_desks  # noqa: PLC0415
    from deptbus.exercise.desks import Desks  # noqa: PLC0415
    from deptbus.exercise.link import Link  # noqa: PLC0415
    from deptbus.settings import Settings  # noqa: PLC0415

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    failpoint.arm(settings.failpoint)
    link = Link(settings, "desks")
    try:
        DeskProcess(link, Desks(seed, find_desks(settings.root, sorted(link.catalogue.departments)))).run()
    finally:
        link.close()
