"""``deptbus incidents``: what commanders watch and order."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.desk.board import Board
    from deptbus.desk.reading import Reading

app = typer.Typer(
    help="Incidents and cases: the command's view, and its orders.", no_args_is_help=True, rich_markup_mode="rich"
)

Instance = Annotated[str, typer.Argument(metavar="ID", help="<workflow>/<key>/<n>; without <n>, the latest.")]
Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or enough of its first letters.")]
Officer = Annotated[str, typer.Option(help="Who orders it; it is kept.")]
Basis = Annotated[str, typer.Option(help="The legal basis of the order.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the effect.", show_default="10")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Only publish the order.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="In an exercise: when, by its own clock. By default its now.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
_WAIT_S = 10.0


@app.command("list", epilog="Example: deptbus incidents list --open --region 440000 --department transport --late")
def list_incidents(
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Only in this region: a GB/T 2260 code or its first digits.")
    ] = None,
    level: Annotated[str | None, typer.Option(help="Only at this response level: I, II, III or IV.")] = None,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only open, or only closed ones.")] = None,
    department: Annotated[str | None, typer.Option(help="Only where this department has open tasks.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only where an open task is late.")] = False,
    kind: Annotated[str, typer.Option(help="incident, case or all.")] = "incident",
    as_json: AsJson = False,
) -> None:
    """List incidents: level, tasks open and late, last change. Those with late tasks come first."""
    from deptbus.cli.incident_view import show_list
    from deptbus.desk.incidents import Filter, incidents
    from deptbus.desk.orders import parse_level

    chosen = Filter(
        workflow=workflow, region=region, level=parse_level(level) if level else None, is_open=is_open,
        department=department, late=late, kind=kind,
    )  # fmt: skip
    with _look() as reading:
        rows = incidents(reading.board(), chosen)
    if as_json:
        output.json([row.to_json() for row in rows])
    else:
        show_list(reading.settings, rows)


@app.command(epilog="Example: deptbus incidents show epidemic/440100/1 --json > after-action.json")
def show(
    instance: Instance,
    last: Annotated[int, typer.Option("-n", "--last", min=0, help="Lines of the timeline.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="The whole timeline, and tasks that are over.")] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As it stood at this time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show an incident: facts, open tasks with countdowns, escalations, timeline.

    --json gives the after-action record so far: every level, task, answer, escalation and order with its basis and
    cause.
    """
    from deptbus.cli.incident_view import show_record
    from deptbus.clock import from_iso
    from deptbus.errors import ActRefused

    try:
        at_ms = from_iso(at) if at else None
    except ValueError:
        raise ActRefused(f"--at {at} is no time with a zone, such as 2020-01-24T12:00:00+08:00.") from None
    with _look() as reading:
        record = reading.record(instance, at_ms)
    if as_json:
        output.json(record.to_json() | {"namespace": reading.settings.namespace, "mode": reading.settings.world.mode})
    else:
        show_record(reading.settings, record, None if everything else last)


@app.command(
    "open",
    epilog='Example: deptbus incidents open epidemic 440100 --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第二十六条" --reason "cluster reported by telephone"',
)
def open_incident(
    workflow: Annotated[str, typer.Argument(help="The workflow, such as epidemic.")],
    key: Annotated[str, typer.Argument(help="What tells its instances apart, such as the region.")],
    officer: Officer,
    basis: Basis,
    reason: Reason,
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code; by default the key, where it is one.")] = None,
    wait: Wait = _WAIT_S,
    no_wait: NoWait = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order an incident to be opened where no event has opened it."""
    from deptbus.errors import ActRefused
    from deptbus.packs import Packs

    with _look() as reading:
        board = reading.board()
        running = [one for one in board.instances.values() if (one["workflow"], one["key"]) == (workflow, key)]
        if any(one["status"] == "open" for one in running):
            raise ActRefused(f"{workflow}/{key} is open already: {running[-1]['instance']}.")
        with Packs(reading.settings, reading.catalogue) as packs:
            opening = packs.in_force().opening
        if workflow not in opening:
            known = ", ".join(sorted(opening)) or "none"
            raise ActRefused(f"The workflow {workflow} is not in force; in force: {known}.")
        if opening[workflow].definition.directives is None:
            raise ActRefused(f"The workflow {workflow} takes no orders: it names no `directives`.")
        where = region or (key if len(key) == 6 and key.isdigit() else None)
        _order(
            reading, board, "open", (workflow, key, None, where), (officer, basis, reason), {},
            0 if no_wait else wait, at, as_json,
        )  # fmt: skip


@app.command(
    epilog='Example: deptbus incidents level epidemic/440100/1 II --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第二十七条" --reason "spread to a third district"'
)
def level(
    instance: Instance,
    to: Annotated[str, typer.Argument(metavar="LEVEL", help="I (highest), II, III or IV.")],
    officer: Officer,
    basis: Basis,
    reason: Reason,
    wait: Wait = _WAIT_S,
    no_wait: NoWait = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order the response level; the standing rule of the workflow may still raise it later."""
    from deptbus.desk.orders import parse_level

    particulars = {"level": parse_level(to)}
    with _look() as reading:
        board = reading.board()
        about = _open_instance(board, instance)
        _order(
            reading, board, "level", about, (officer, basis, reason), particulars, 0 if no_wait else wait, at, as_json
        )


@app.command(
    epilog='Example: deptbus incidents reassign 3f2a81c0 --to police --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第三十三条" --reason "transport has no staff there"'
)
def reassign(
    task: Task,
    to: Annotated[str, typer.Option("--to", metavar="DEPARTMENT", help="Who is responsible from now on.")],
    officer: Officer,
    basis: Basis,
    reason: Reason,
    wait: Wait = _WAIT_S,
    no_wait: NoWait = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order a task to be given to another department."""
    from deptbus.desk.orders import check_takes

    with _look() as reading:
        board = reading.board()
        found = board.task(task)
        check_takes(board.definition(board.instances[found.instance]), found, to)
        particulars = {"task": found.task, "to_department": to}
        about = _open_instance(board, found.instance)
        _order(
            reading, board, "reassign", about, (officer, basis, reason), particulars, 0 if no_wait else wait, at,
            as_json,
        )  # fmt: skip


@app.command(
    epilog='Example: deptbus incidents extend 3f2a81c0 --complete-by +4h --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第三十三条" --reason "the road is closed"'
)
def extend(
    task: Task,
    officer: Officer,
    basis: Basis,
    reason: Reason,
    complete_by: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339, or +4h after the present deadline.")
    ] = None,
    acknowledge_by: Annotated[str | None, typer.Option(metavar="TIME", help="As --complete-by.")] = None,
    wait: Wait = _WAIT_S,
    no_wait: NoWait = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order more time for a task."""
    from deptbus.desk.orders import parse_deadline
    from deptbus.errors import ActRefused

    if complete_by is None and acknowledge_by is None:
        raise ActRefused("Give the new time: --complete-by or --acknowledge-by.")
    with _look() as reading:
        board = reading.board()
        found = board.task(task)
        particulars: dict[str, Any] = {"task": found.task}
        if complete_by is not None:
            particulars["complete_by"] = parse_deadline(complete_by, found.complete_by, "--complete-by")
        if acknowledge_by is not None:
            particulars["acknowledge_by"] = parse_deadline(acknowledge_by, found.acknowledge_by, "--acknowledge-by")
        about = _open_instance(board, found.instance)
        _order(
            reading, board, "extend", about, (officer, basis, reason), particulars, 0 if no_wait else wait, at, as_json
        )


@app.command(
    epilog='Example: deptbus incidents close epidemic/440100/1 --officer "Chen" '
    '--basis "《突发事件应对法》第五十八条" --reason "opened by mistake"'
)
def close(
    instance: Instance,
    officer: Officer,
    basis: Basis,
    reason: Reason,
    wait: Wait = _WAIT_S,
    no_wait: NoWait = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order an incident to be closed; its open tasks are cancelled."""
    with _look() as reading:
        board = reading.board()
        about = _open_instance(board, instance)
        _order(reading, board, "close", about, (officer, basis, reason), {}, 0 if no_wait else wait, at, as_json)


def _look() -> "Reading":
    from deptbus.desk.reading import Reading
    from deptbus.settings import Settings

    return Reading(Settings.load())


About = tuple[str, str, str | None, str | None]
"""Workflow, key, instance and region of what an order is about."""


def _open_instance(board: "Board", name: str) -> About:
    from deptbus.cli.words import moment
    from deptbus.errors import ActRefused

    snapshot = board.instance(name)
    if snapshot["status"] != "open":
        raise ActRefused(f"{snapshot['instance']} is closed since {moment(snapshot['closed_at'])}.")
    definition = board.definition(snapshot)
    if definition is not None and definition.directives is None:
        raise ActRefused(f"The workflow {snapshot['workflow']} takes no orders: it names no `directives`.")
    return snapshot["workflow"], snapshot["key"], snapshot["instance"], snapshot["region"]


def _order(
    reading: "Reading", board: "Board", act: str, about: About, by: tuple[str, str, str],
    particulars: dict[str, Any], wait_s: float, at: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Publish the order, wait for its effect and tell both. Ends with 2 where the workflow says that it is void."""
    from deptbus.cli.desk import outcome_data
    from deptbus.cli.incident_view import show_effects
    from deptbus.desk import orders
    from deptbus.desk.acting import Acting, Order

    workflow, key, instance, region = about
    officer, basis, reason = by
    data = orders.directive(act, workflow, key, reason, **particulars)
    with Acting(reading, orders.COMMAND, orders.ISSUED, board, at) as acting:
        outcome, lines = acting.order(Order(data, officer, basis, instance, region), wait_s)
    in_vain = any(orders.is_in_vain(line) for line in lines)
    if as_json:
        applied = bool(lines) and not in_vain
        output.json(outcome_data(orders.ISSUED, outcome) | {"act": act, "applied": applied, "effects": lines})
    else:
        show_effects(reading.settings, act, instance or f"{workflow}/{key}", outcome, lines)
    if in_vain:
        raise typer.Exit(2)
