"""Which commands there are, in the order in which a person meets them; the code of each is loaded when it is called.

Loading all of them takes longer than most of them do.
"""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class Command(NamedTuple):
    """Where a command or a group of commands is found."""

    module: str
    """Below ``deptbus.cli``."""
    name: str = "app"
    """A function there, or a ``typer.Typer``."""
    epilog: str | None = None


COMMANDS = {
    "up": Command("stack", "up"),
    "down": Command("stack", "down"),
    "status": Command("stack", "status"),
    "logs": Command("stack", "logs"),
    "setup": Command("setup", "setup"),
    "demo": Command("demo", "demo", "Example: deptbus demo leak-shenzhen"),
    "schemas": Command("schemas"),
    "topics": Command("topics"),
    "publish": Command(
        "bus", "publish", "Example: deptbus publish health.CaseReported --data case.json --subject 440100"
    ),
    "tail": Command(
        "tail", "tail", "Example: deptbus tail health.cases --type health.CasesConfirmed --where 'count>=5'"
    ),
    "trace": Command("trace", "trace", "Example: deptbus trace --instance epidemic/440100/1 --graph epidemic.mmd"),
    "deadletters": Command("deadletters"),
    "archive": Command("archive"),
    "workflows": Command("workflows"),
    "desk": Command("desk"),
    "incidents": Command("incidents"),
    "notify": Command("notify"),
    "run": Command("run"),
    "import": Command("imports"),
    "export": Command("export"),
    "alerts": Command("alerts", "alerts", "Example: deptbus alerts --region 440300"),
    "exercise": Command("exercise"),
    "doctor": Command("doctor", "doctor", "Example: deptbus doctor || deptbus doctor --json > findings.json"),
    "lag": Command("lag", "lag", "Example: deptbus lag --over 1000 --over 5m"),
    "groups": Command("groups"),
    "audit": Command("audit"),
    "replay": Command("replay"),
}


class OnDemand(TyperGroup):
    """A group whose commands are those of ``COMMANDS``."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None where there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name, COMMANDS[cmd_name])
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As everywhere; a name that is none is answered with one that is like it, of all there are."""
        if args and args[0] not in COMMANDS:
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _load(name: str, command: Command) -> Any:
    found = getattr(import_module(f"deptbus.cli.{command.module}"), command.name)
    if isinstance(found, typer.Typer):
        made: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name, epilog=command.epilog)(found)
        made = get_command(alone)
    made.name = name
    return made
