"""``deptbus-dashboard``: serves the page, fills its database anew, keeps its users."""

import sys
import time
from typing import Annotated

import typer

from deptbus import bootstrap
from deptbus.cli import output
from deptbus.errors import BusError
from deptbus.settings import Settings
from services.dashboard.access.commands import app as users

app = typer.Typer(
    name="deptbus-dashboard",
    help="The incident dashboard: what a command post looks at.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(users, name="users")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus-dashboard serve --port 8080")
def serve(
    host: Annotated[str | None, typer.Option(help="The address; beyond loopback only with sign-on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free one.")] = None,
) -> None:
    """Serve the dashboard until it is stopped; says its address once it answers."""
    from services.dashboard.serving import serve as run

    given = {"dashboard_host": host, "dashboard_port": port}
    settings = Settings.load(**{name: value for name, value in given.items() if value is not None})
    bootstrap.configure_logs(settings)
    run(settings, lambda url: output.out.print(url, markup=False, soft_wrap=True))


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus-dashboard start")
def start() -> None:
    """Have the dashboard run behind this command, and print its address; one that serves this world goes on."""
    from services.dashboard import background

    with output.err.status("starting the dashboard") as spinner:
        url = background.start(Settings.load(), spinner.update)
    output.out.print(url, markup=False, soft_wrap=True)


@app.command()
def stop() -> None:
    """Have the dashboard end that `start` started; what it knows of the bus stays on this machine."""
    from services.dashboard import background

    output.note("The dashboard is stopped." if background.stop(Settings.load()) else "The dashboard does not run.")


@app.command(epilog="Example: deptbus-dashboard rebuild --json")
def rebuild(as_json: AsJson = False) -> None:
    """Empty the dashboard's database and fill it from the topics."""
    from deptbus import garbage
    from deptbus.cli.progress import bar
    from services.dashboard.projection.following import Follower
    from services.dashboard.serving import looking

    garbage.look_seldom()
    settings = Settings.load()
    began = time.monotonic()
    with looking(settings) as look, bar("rebuild", quiet=as_json) as progress:
        standing = Follower(look).fill(lambda now: progress.to(now.read, now.total))
        kept = look.store.count()
    took_s = time.monotonic() - began
    if as_json:
        output.json({"records": standing.total, "seconds": round(took_s, 3), "kept": kept})
    else:
        output.out.print(
            f"{standing.total:,} records in {took_s:.1f} s: {kept['instances']:,} instances, "
            f"{kept['open_tasks']:,} open tasks, {kept['records']:,} records kept.",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def main() -> None:
    """The entry point: runs the command and turns errors into a sentence and an exit code."""
    try:
        app()
    except BusError as error:
        output.error(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
