"""The group ``deptbus incidents``, and the arguments and options that several of its commands take."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deptbus.desk.reading import Reading

app = typer.Typer(
    help="Incidents and cases: the command's view, and its orders.", no_args_is_help=True, rich_markup_mode="rich"
)

Instance = Annotated[str, typer.Argument(metavar="ID", help="<workflow>/<key>/<n>; without <n>, the latest.")]
Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or enough of its first letters.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

Workflow = Annotated[str | None, typer.Option(help="Only of this workflow.")]
Region = Annotated[str | None, typer.Option(help="Only in this region: a GB/T 2260 code or its first digits.")]
Level = Annotated[str | None, typer.Option(help="Only at this response level: I, II, III or IV.")]

Officer = Annotated[str, typer.Option(help="Who orders it; it is kept.")]
Basis = Annotated[str, typer.Option(help="The legal basis of the order.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the effect; 0 only publishes.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="In an exercise: when, by its own clock. By default its now.")
]
WAIT_S = 10.0


def look() -> "Reading":
    """One look at the world that the settings name."""
    from deptbus.desk.reading import Reading
    from deptbus.settings import Settings

    return Reading(Settings.load())
