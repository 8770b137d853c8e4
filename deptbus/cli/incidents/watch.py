"""What commanders watch: the list of incidents, one of them, and what is due next in all."""

from contextlib import suppress
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.cli.incidents.options import AsJson, Instance, Level, Region, Workflow, app, look

REFRESH_S = 5.0


@app.command("list", epilog="Example: deptbus incidents list --open --region 440000 --department transport --late")
def list_incidents(
    workflow: Workflow = None,
    region: Region = None,
    level: Level = None,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only open, or only closed ones.")] = None,
    department: Annotated[str | None, typer.Option(help="Only where this department has open tasks.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only where an open task is late.")] = False,
    kind: Annotated[str, typer.Option(help="incident, case or all.")] = "incident",
    as_json: AsJson = False,
) -> None:
    """List incidents: level, command, tasks open and late, last change. Those with late tasks come first.

    Those merged under the command of another one stand below it.
    """
    from deptbus.cli.incidents.view import show_list
    from deptbus.desk.incidents import Filter, incidents
    from deptbus.desk.writing import parse_level

    chosen = Filter(
        workflow=workflow, region=region, level=parse_level(level) if level else None, is_open=is_open,
        department=department, late=late, kind=kind,
    )  # fmt: skip
    with look() as reading:
        board = reading.board()
    rows = incidents(board, chosen)
    if as_json:
        output.json([row.to_json() for row in rows])
    else:
        show_list(reading.settings, rows, board.note)


@app.command(epilog="Example: deptbus incidents show epidemic/440100/1 --json > after-action.json")
def show(
    instance: Instance,
    last: Annotated[int, typer.Option("-n", "--last", min=0, help="Lines of the timeline.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="The whole timeline, and tasks that are over.")] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As it stood at this time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show an incident: who commands, facts, regions asked, open tasks with countdowns, escalations, timeline.

    --json gives the after-action record so far: every level, task, answer, escalation and order with its basis and
    cause.
    """
    from deptbus.cli.incidents.record_view import show_record
    from deptbus.desk.writing import parse_time

    at_ms = parse_time(at, "--at") if at else None
    with look() as reading:
        record = reading.record(instance, at_ms)
    if as_json:
        output.json(record.to_json() | {"namespace": reading.settings.namespace, "mode": reading.settings.world.mode})
    else:
        show_record(reading.settings, record, None if everything else last, record.note)


@app.command(epilog="Example: deptbus incidents due --within 4h --department fire --watch")
def due(
    instances: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only of these instances.")] = None,
    within: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what is due within 30m, 4h, 2d, or is overdue.")
    ] = None,
    department: Annotated[str | None, typer.Option(help="Only what it is responsible for, or is told.")] = None,
    workflow: Workflow = None,
    region: Region = None,
    level: Level = None,
    watch: Annotated[bool, typer.Option("--watch", help=f"Show it again every {REFRESH_S:.0f} seconds.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is due next over all open incidents, the longest overdue first.

    Deadlines of tasks, the next rung of each escalation ladder and whom it tells, timers and what they ask for, events
    that wait for an incident, and at the end the clocks that stand.
    """
    from deptbus.cli.incidents.due_view import show_due
    from deptbus.desk.due import Wanted
    from deptbus.desk.due import due as due_of
    from deptbus.desk.writing import parse_length, parse_level

    wanted = Wanted(
        tuple(instances or ()), parse_length(within, "--within") if within else None, department, workflow, region,
        parse_level(level) if level else None,
    )  # fmt: skip
    with look() as reading, suppress(KeyboardInterrupt):  # which is how --watch ends
        for board in reading.boards(REFRESH_S):
            lines = due_of(board, wanted)
            if as_json:
                output.json([line.to_json(board.now_ms) for line in lines])
            else:
                if watch and output.out.is_terminal:
                    output.out.clear()
                show_due(reading.settings, board, lines)
            if not watch:
                return
