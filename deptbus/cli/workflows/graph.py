"""``deptbus workflows graph``: a definition as a picture."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import Name


class Format(StrEnum):
    """In which form a picture is written."""

    MERMAID = "mermaid"
    SVG = "svg"


class Lang(StrEnum):
    """The language of a picture."""

    ZH = "zh"
    EN = "en"


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus workflows``."""
    app.command(epilog="Example: deptbus workflows graph epidemic --format svg --lang zh -o epidemic.svg")(graph)


def graph(
    name: Name,
    form: Annotated[Format, typer.Option("--format", help="Text for Mermaid, or a picture.")] = Format.MERMAID,
    lang: Annotated[Lang | None, typer.Option("--lang", help="By default BUS_LANG.")] = None,
    escalation: Annotated[bool, typer.Option("--escalation", help="Draw the escalation ladders, too.")] = False,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="A file; by default standard output.")] = None,
) -> None:
    """Draw a workflow: events, steps with who and until when, gates, timers, what cancels and retargets, the end."""
    from deptbus.errors import SettingsError
    from deptbus.workflow.graph.mermaid import mermaid
    from deptbus.workflow.graph.model import graph_of
    from deptbus.workflow.graph.svg import svg
    from deptbus.workflow.load import load_workflow
    from deptbus.workflow.pack import Pack

    settings, catalogue, _ = common.project()
    drawn = graph_of(Pack(load_workflow(settings.root, name, catalogue)), escalation=escalation)
    text = (svg if form is Format.SVG else mermaid)(drawn, lang.value if lang else settings.lang)
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{to} cannot be written: {error.strerror}; name another file with -o.") from None
    output.note(f"{to}: {len(drawn.nodes)} nodes, {len(drawn.edges)} edges.")
