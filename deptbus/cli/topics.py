"""``deptbus topics``: plan and apply what ``topics/`` declares, and list it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output
from deptbus.cli.options import Operator, Reason

if TYPE_CHECKING:
    from deptbus.topics.plan import Plan

app = typer.Typer(help="Topics: where events are kept.", no_args_is_help=True, rich_markup_mode="rich")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
AllowDelete = Annotated[bool, typer.Option("--allow-delete", help="Also delete topics that are in no file.")]
DRIFT = 3
"""The exit code of ``plan`` where files and cluster differ."""


@app.command(epilog="Example: deptbus topics plan && echo nothing to do")
def plan(allow_delete: AllowDelete = False, as_json: AsJson = False) -> None:
    """Show what `apply` would change. Ends with 0 where that is nothing, else with 3."""
    from deptbus.topics.apply import plan_topics

    found = plan_topics(**_arguments(), allow_delete=allow_delete)
    _show(found, "Plan", as_json)
    if found.drift:
        raise typer.Exit(DRIFT)


@app.command(epilog="Example: BUS_NAMESPACE=demo deptbus topics apply")
def apply(
    allow_delete: AllowDelete = False, reason: Reason = "", operator: Operator = None, as_json: AsJson = False
) -> None:
    """Create and alter topics as the files say, and read back that they are so. Safe to repeat. It goes on record."""
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.operations.changing import Changes
    from deptbus.settings import Settings

    settings = Settings.load(**({"operator": operator} if operator else {}))
    catalogue = load_catalogue(settings.root, system_clock())
    with Changes(settings, catalogue, output.warning, reason) as changes:
        applied = changes.apply_topics(allow_delete=allow_delete)
    _show(applied, "Applied", as_json)


@app.command("list", epilog="Example: deptbus topics list --json")
def list_topics(as_json: AsJson = False) -> None:
    """List the topics that are declared, with their events and who may read them."""
    from dataclasses import asdict

    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.settings import Settings

    catalogue = load_catalogue(Settings.load().root, system_clock())
    if as_json:
        output.json([asdict(topic) for topic in catalogue.topics.values()])
        return
    rows = [
        (topic.name, topic.key, topic.partitions, _days(topic.retention_ms), topic.sharing,
         "\n".join(topic.event_types), ", ".join(catalogue.readers(topic)))
        for topic in catalogue.topics.values()
    ]  # fmt: skip
    output.table("Topics", ("topic", "key", "partitions", "kept", "sharing", "event types", "granted to"), rows)


def _arguments() -> dict[str, Any]:
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.kafka.admin import Admin
    from deptbus.kafka.configuration import client_configuration
    from deptbus.settings import Settings

    settings = Settings.load()
    return {
        "admin": Admin(client_configuration(settings)),
        "namespace": settings.world,
        "catalogue": load_catalogue(settings.root, system_clock()),
        "replication": settings.replication,
    }


def _show(found: "Plan", title: str, as_json: bool) -> None:
    if as_json:
        output.json(
            {
                "drift": found.drift,
                "changes": [
                    {"action": change.action.value, "topic": change.topic, "detail": change.detail}
                    for change in found.changes
                ],
            }
        )
        return
    if found.changes:
        rows = [(change.action.value, change.topic, change.detail) for change in found.changes]
        output.table(title, ("action", "topic", "detail"), rows)
    if not found.drift:
        output.note("No changes: the cluster is as the files say.")


def _days(retention_ms: int) -> str:
    if retention_ms < 0:
        return "forever"
    days = retention_ms / 86_400_000
    return f"{days:g} d"
