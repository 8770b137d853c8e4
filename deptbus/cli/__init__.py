"""The ``deptbus`` command. One module per group of commands, named in ``commands.py``.

A ``BusError`` is printed as one sentence on standard error and ends with its exit code; anything else is a bug
and shows its traceback.
"""

import sys

import typer

from deptbus.cli import output
from deptbus.cli.commands import OnDemand
from deptbus.desk.refused import Refusal
from deptbus.errors import BusError

app = typer.Typer(
    cls=OnDemand,
    name="deptbus",
    help="An event-driven bus on which government departments work together.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    pass


def main() -> None:
    """The entry point: runs the command and turns errors into a sentence and an exit code."""
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
        from deptbus.settings import Settings

        output.error(_told(refusal, Settings.load().lang))
        sys.exit(refusal.exit_code)


def _told(refusal: Refusal, lang: str) -> str:
    """The sentence, and on a command line what helps."""
    see = refusal.see and (f"参见 {refusal.see}。" if lang == "zh" else f" See {refusal.see}.")
    return refusal.said.in_(lang) + see
