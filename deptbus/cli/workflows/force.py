"""``deptbus workflows activate`` and ``retire``: packs come into and out of force."""

from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import AsJson, At, Name

if TYPE_CHECKING:
    from deptbus.workflow.definition import PackContent


def register(app: typer.Typer) -> None:
    """Add the commands to ``deptbus workflows``."""
    app.command(epilog="Example: deptbus workflows activate epidemic")(activate)
    app.command(epilog='Example: deptbus workflows retire epidemic --reason "replaced by version 2"')(retire)


def activate(
    name: Name,
    not_before: Annotated[
        list[str] | None,
        typer.Option(
            "--not-before",
            metavar="TIMER=TIME",
            help="Let a timer not be due before a time: quiet=2020-02-29T00:00:00+08:00. Repeatable.",
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Bring a workflow into force: new instances open by it from now on. Safe to repeat."""
    from deptbus.packs import Packs
    from deptbus.workflow.load import load_workflow
    from deptbus.workflow.pack import Pack

    settings, catalogue, year = common.project()
    content = load_workflow(settings.root, name, catalogue, (year,))
    for given in not_before or ():
        content = _overridden(content, given)
    pack = Pack(content)
    common.reach(settings)
    with Packs(settings, catalogue) as packs:
        new = packs.activate(pack, common.time(settings, at))
    if as_json:
        output.json(common.summary(pack) | {"activated": new})
    elif new:
        output.note(f"{pack.workflow} version {pack.version} ({pack.hash[:12]}) is in force.")
    else:
        output.note(f"{pack.workflow} version {pack.version} ({pack.hash[:12]}) is in force already.")


def retire(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Which version; by default the oldest in force.")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Take a version out of force. Refused while instances of it are open."""
    from deptbus.errors import NotFound
    from deptbus.packs import Packs

    settings, catalogue, _ = common.project()
    common.reach(settings)
    with Packs(settings, catalogue) as packs:
        found = [pack for pack in packs.in_force().of(name) if version in (None, pack.version)]
        if not found:
            which = f" version {version}" if version else ""
            raise NotFound(f"{name}{which} is not in force; `deptbus workflows list` shows what could be.")
        packs.retire(found[0], reason, common.time(settings, at))
    if as_json:
        output.json(common.summary(found[0]))
    else:
        output.note(f"{name} version {found[0].version} ({found[0].hash[:12]}) is retired.")


def _overridden(content: "PackContent", given: str) -> "PackContent":
    from deptbus.errors import DefinitionError
    from deptbus.workflow.activation import with_not_before

    timer, _, time = given.partition("=")
    if not time:
        raise DefinitionError(f"--not-before {given}: write TIMER=TIME, such as quiet=2020-02-29T00:00:00+08:00.")
    return with_not_before(content, timer, time)
