"""``deptbus archive``: stretches of topics kept as files, checked, looked into and restored."""

import typer

from deptbus.cli.archive import create, look, restore, show

app = typer.Typer(
    help="Archives: stretches of topics as files, to keep and to restore.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
create.register(app)
look.register(app)
show.register(app)
restore.register(app)
