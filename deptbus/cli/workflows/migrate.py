"""``deptbus workflows migrate``: running instances move to the version in force."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import AsJson

if TYPE_CHECKING:
    from deptbus.migrating import Plan
    from deptbus.settings import Settings
    from deptbus.workflow.activation import Ordered

_WAIT_S = 10.0
_EXAMPLE = (
    'deptbus workflows migrate epidemic --officer "Chen" --basis "《突发公共卫生事件应急条例》第二十六条" '
    '--reason "shorter deadlines"'
)


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus workflows``."""
    app.command(epilog=f"Example: {_EXAMPLE}")(migrate)


def migrate(
    name: Annotated[str, typer.Argument(help="The workflow, such as epidemic.")],
    instance: Annotated[
        list[str] | None, typer.Option("--instance", metavar="ID", help="Only this instance. Repeatable.")
    ] = None,
    from_version: Annotated[
        int | None, typer.Option("--from", min=1, metavar="VERSION", help="Only instances of this version.")
    ] = None,
    officer: Annotated[str | None, typer.Option(help="Who orders it; it is kept.")] = None,
    basis: Annotated[str | None, typer.Option(help="The legal basis of the order.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Move the others where some cannot move.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the effect.")] = _WAIT_S,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="In an exercise: when, by its own clock. By default its now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Move running instances to the version in force: their deadlines and ladders follow it, their tasks stay.

    All move or none, unless --skip-broken. Ends with 1 where one did not move, or not within --wait.
    """
    from deptbus.migrating import order, plan
    from deptbus.packs import Packs

    by = None if dry_run else _ordered(officer, basis, reason)
    settings, catalogue, _ = common.project()
    common.reach(settings)
    at_ms = None if settings.namespace and at is None else common.time(settings, at)
    with Packs(settings, catalogue) as packs:
        planned = plan(packs, name, instance or (), from_version, by, at_ms)
        outcomes = {}
        if by is not None:
            outcomes = order(packs, planned, by, skip_broken=skip_broken, wait_s=wait)
    if as_json:
        output.json(
            {"version": planned.to.version, "pack": planned.to.hash, "dry_run": dry_run}
            | {"instances": [report | _outcome(report, outcomes) for report in planned.reports]}
        )
    else:
        _tell(settings, planned, dry_run, outcomes)
    moved = [report for report in planned.reports if outcomes.get(report["instance"]) == "migrated"]
    if not dry_run and len(moved) < len(planned.reports):
        raise typer.Exit(1)


def _ordered(officer: str | None, basis: str | None, reason: str | None) -> "Ordered":
    from deptbus.errors import ActRefused
    from deptbus.workflow.activation import Ordered

    if not officer or not basis or not reason:
        raise ActRefused("Say who moves them, on what basis and why: --officer, --basis and --reason; or --dry-run.")
    return Ordered(officer, basis, reason)


def _outcome(report: dict[str, Any], outcomes: dict[str, str]) -> dict[str, Any]:
    return {"outcome": outcomes.get(report["instance"])}


def _tell(settings: "Settings", planned: "Plan", dry_run: bool, outcomes: dict[str, str]) -> None:
    from deptbus.cli.workflows.moves import show

    zh = settings.lang == "zh"
    version = f"{planned.to.workflow} version {planned.to.version} ({planned.to.hash[:12]})"
    for report in planned.reports:
        show(settings, report)
    if not planned.reports:
        output.note(f"没有需要迁移到 {version} 的实例。" if zh else f"No instance is left to move to {version}.")
    for name, outcome in sorted(outcomes.items()):
        if outcome == "migrated":
            output.note(f"{name} 已迁移到 {version}。" if zh else f"{name} has moved to {version}.")
        else:
            output.error(f"{name} 未迁移：{outcome}。" if zh else f"{name} has not moved: {outcome}.")
    waiting = len(planned.reports) - len(planned.refused) - len(outcomes)
    if waiting and not dry_run:
        output.note(
            f"{waiting} 个实例的迁移已下令，时间线尚未记录。" if zh
            else f"{waiting} ordered to move, and the timeline does not say so yet."
        )  # fmt: skip
