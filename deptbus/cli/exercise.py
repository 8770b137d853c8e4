"""``deptbus exercise``: the simulated desks of an exercise, and plays besides the demo."""

import signal
import sys
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.errors import SettingsError

app = typer.Typer(help="Exercises: time that moves in steps, and simulated desks.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What an exercise consists of."""


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus exercise desks --seed 1")
def desks(
    seed: Annotated[int, typer.Option(help="What the answers are drawn from.")] = 1,
    scenario: Annotated[str | None, typer.Option(help="The scenario whose answers they follow.")] = None,
) -> None:
    """Answer the tasks of every department in the namespace's exercise time, until its clock says that it is over."""
    from deptbus import bootstrap, failpoint
    from deptbus.exercise.default_desk import DefaultDesk
    from deptbus.exercise.desk_process import DeskProcess, find_desks
    from deptbus.exercise.desks import Desks
    from deptbus.exercise.link import Link
    from deptbus.exercise.scenario import load_scenario
    from deptbus.observe.process import observing
    from deptbus.packs import Packs
    from deptbus.settings import Settings

    settings = Settings.load()
    bootstrap.configure_logs(settings)
    failpoint.arm(settings.failpoint)
    link = Link(settings, "desks")
    try:
        catalogue = link.catalogue
        answers = load_scenario(settings.root, scenario, catalogue).answers if scenario else ()
        packs = Packs(settings, catalogue, link.codec).in_force().opening
        default = DefaultDesk(catalogue.schemas, {name: pack.definition for name, pack in packs.items()})
        officials = Desks(seed, default, find_desks(settings.root, sorted(catalogue.departments)), answers)
        with observing(settings, "desks") as observed:
            DeskProcess(link, officials).run(observed.beat)
    finally:
        link.close()


@app.command("free-play", epilog="Example: BUS_NAMESPACE=demo deptbus exercise free-play --detach")
def free_play(
    detach: Annotated[bool, typer.Option("--detach", help="Behind the command line, until `exercise stop`.")] = False,
) -> None:
    """Go on with an exercise that was played, in real time: people answer its tasks and give its orders.

    The clock goes on from where it stopped; no desk is simulated any more. Officers and commanders act by
    `deptbus desk` and `deptbus incidents`, or on the dashboard's page.
    """
    from deptbus import bootstrap
    from deptbus.clock import beijing
    from deptbus.exercise import freeplay
    from deptbus.settings import Settings

    settings = Settings.load()
    if not settings.namespace:
        raise SettingsError("Only an exercise can be played freely; name its namespace (BUS_NAMESPACE).")
    if detach:
        with output.err.status("going on with the exercise"):
            freeplay.start(settings)
        output.note(f"The exercise in {settings.namespace} goes on in real time: deptbus exercise stop ends that.")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the workers are stopped too
    bootstrap.configure_logs(settings)
    with output.err.status("starting the workers") as spinner:
        freeplay.play_freely(settings, lambda step: spinner.update(f"it is {beijing(step.starts_at)}"))


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus exercise stop")
def stop() -> None:
    """End free play behind the command line, without a namespace in all of them; it can be gone on with again."""
    from deptbus.exercise import freeplay
    from deptbus.settings import Settings

    ended = freeplay.stop(Settings.load())
    output.note(f"These stand still: {', '.join(ended)}." if ended else "No exercise goes on in real time.")


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus exercise check")
def check() -> None:
    """Hold the records of an exercise that was played against each other; ends with 1 where they do not fit.

    Every input must be in the journal or among the dead letters, and the journal, folded again, must give every task,
    timeline record, follow-up event and snapshot, in order and once.
    """
    from deptbus.checking import check_namespace
    from deptbus.settings import Settings

    settings = Settings.load()
    if not settings.namespace:
        raise SettingsError("Only an exercise can be checked; name its namespace (BUS_NAMESPACE).")
    with output.err.status("reading and folding"):
        differences = check_namespace(settings)
    for difference in differences:
        output.error(difference)
    if differences:
        raise typer.Exit(1)
    output.out.print(f"Everything in {settings.namespace} fits together.")
