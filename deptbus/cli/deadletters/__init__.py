"""``deptbus deadletters``: what could not be handled, why, and what is done about it."""

import typer

from deptbus.cli.deadletters.acting import discard, redrive
from deptbus.cli.deadletters.editing import edit
from deptbus.cli.deadletters.listing import list_letters, show

app = typer.Typer(help="Dead letters: what could not be handled, why, and what is done about it.", no_args_is_help=True)
app.command("list", epilog="Example: deptbus deadletters list --topic health.cases --state open")(list_letters)
app.command(epilog="Example: deptbus deadletters show 3f2a91c7")(show)
app.command(epilog="Example: deptbus deadletters redrive --why handler --group cdc --reason 'mended in 1.4'")(redrive)
app.command(epilog="Example: deptbus deadletters edit 3f2a91c7 --file mended.json --reason 'wrong hospital code'")(edit)
app.command(epilog="Example: deptbus deadletters discard 3f2a91c7 --reason 'a test message of the vendor'")(discard)
