"""The ``deptbus`` command. One module per group of commands; each declares its own ``app`` or commands.

A ``BusError`` is printed as one sentence on standard error and ends with its exit code; anything else is a bug
and shows its traceback.
"""

import sys
from functools import cache

import typer

from deptbus.cli import (
    alerts,
    archive,
    audit,
    bus,
    deadletters,
    demo,
    departments,
    desk,
    doctor,
    exercise,
    export,
    groups,
    imports,
    incidents,
    lag,
    notify,
    output,
    replay,
    run,
    schemas,
    setup,
    stack,
    tail,
    topics,
    trace,
    workflows,
)
from deptbus.desk.refused import Refusal
from deptbus.errors import BusError
from deptbus.settings import Settings

app = typer.Typer(
    name="deptbus",
    help="An event-driven bus on which government departments work together.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@cache
def _assemble() -> None:
    """Put the groups together, in the order in which a person meets them; once, however often ``main`` is called."""
    stack.register(app)
    app.command()(setup.setup)
    app.command(epilog="Example: deptbus demo leak-shenzhen")(demo.demo)
    app.add_typer(schemas.app, name="schemas")
    app.add_typer(topics.app, name="topics")
    app.command(epilog="Example: deptbus publish health.CaseReported --data case.json --subject 440100")(bus.publish)
    app.command(epilog="Example: deptbus tail health.cases --type health.CasesConfirmed --where 'count>=5'")(tail.tail)
    app.command(epilog="Example: deptbus trace --instance epidemic/440100/1 --graph epidemic.mmd")(trace.trace)
    app.add_typer(deadletters.app, name="deadletters")
    app.add_typer(archive.app, name="archive")
    app.add_typer(workflows.app, name="workflows")
    app.add_typer(desk.app, name="desk")
    app.add_typer(incidents.app, name="incidents")
    run.app.command()(departments.departments)
    app.add_typer(notify.app, name="notify")
    app.add_typer(run.app, name="run")
    app.add_typer(imports.app, name="import")
    app.add_typer(export.app, name="export")
    app.command(epilog="Example: deptbus alerts --region 440300")(alerts.alerts)
    app.add_typer(exercise.app, name="exercise")
    app.command(epilog="Example: deptbus doctor || deptbus doctor --json > findings.json")(doctor.doctor)
    app.command(epilog="Example: deptbus lag --over 1000 --over 5m")(lag.lag)
    app.add_typer(groups.app, name="groups")
    app.add_typer(audit.app, name="audit")
    app.add_typer(replay.app, name="replay")


def main() -> None:
    """The entry point: runs the command and turns errors into a sentence and an exit code."""
    _assemble()
    try:
        _run()
    except BusError as error:
        output.error(str(error))
        sys.exit(error.exit_code)


def _run() -> None:
    """Run the command; what an officer or commander is refused is said in the reader's language."""
    try:
        app()
    except Refusal as refusal:
        output.error(_told(refusal, Settings.load().lang))
        sys.exit(refusal.exit_code)


def _told(refusal: Refusal, lang: str) -> str:
    """The sentence, and on a command line what helps."""
    see = refusal.see and (f"参见 {refusal.see}。" if lang == "zh" else f" See {refusal.see}.")
    return refusal.said.in_(lang) + see
