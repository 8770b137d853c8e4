"""``deptbus workflows``: definitions and packs. One module per group of commands."""

import typer

from deptbus.cli.workflows import diff, files, fold, force, graph, lint, migrate

app = typer.Typer(help="Workflows: procedures across departments.", no_args_is_help=True, rich_markup_mode="rich")
files.register(app)
lint.register(app)
diff.register(app)
graph.register(app)
force.register(app)
migrate.register(app)
fold.register(app)
