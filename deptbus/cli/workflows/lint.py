"""``deptbus workflows lint``: what is allowed in a definition and yet in vain."""

from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import AsJson

if TYPE_CHECKING:
    from deptbus.settings import Settings
    from deptbus.workflow.lint import Finding


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus workflows``."""
    app.command(epilog="Example: deptbus workflows lint epidemic")(lint)


def lint(
    name: Annotated[str | None, typer.Argument(help="A folder of services/workflows/; by default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find what is in vain: steps never asked for, guards that never hold, deadlines that nobody can meet, and so on.

    Ends with 1 where there is something; remarks (what may well be meant) do not count, and 2 where a file is broken.
    """
    from deptbus.workflow.load import lint_workflow, workflow_names

    settings, catalogue, _ = common.project()
    names = [name] if name else workflow_names(settings.root)
    found = [(each, *one) for each in names for one in lint_workflow(settings.root, each, catalogue)]
    findings = [one for one in found if not one[2].remark]
    if as_json:
        output.json(
            [
                {"workflow": workflow, "place": place, "code": finding.code, "remark": finding.remark}
                | finding.message._asdict()
                for workflow, place, finding in found
            ]
        )
    else:
        for _, place, finding in found:
            (output.note if finding.remark else output.warning)(told(settings, place, finding))
        counted = f"{len(names)} workflow{'s' if len(names) != 1 else ''}"
        if not findings:
            output.note(
                f"{len(names)} 个流程：未发现问题。" if settings.lang == "zh" else f"{counted}: nothing is in vain."
            )
    if findings:
        raise typer.Exit(1)


def told(settings: "Settings", place: str, finding: "Finding") -> str:
    """A finding as one sentence with file and line, in the reader's language."""
    return f"{place}: {finding.message.in_(settings.lang)}{'。' if settings.lang == 'zh' else '.'}"
