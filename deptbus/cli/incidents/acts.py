"""The commander's acts. Each is an order with an officer, a legal basis and a reason, and waits for its effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.incidents.options import WAIT_S, AsJson, At, Basis, Instance, Officer, Reason, Task, Wait, app, look

if TYPE_CHECKING:
    from deptbus.desk.board import Board
    from deptbus.desk.orders import Order
    from deptbus.desk.reading import Reading

Draw = Callable[["Board", "Reading"], Sequence["Order"]]
"""Draws orders up from the board; ``ActRefused`` where they would be void."""


@dataclass(frozen=True, slots=True)
class By:
    """Who orders, by what right, and how the outcome is told."""

    officer: str
    basis: str
    wait_s: float
    at: str | None
    as_json: bool


@app.command(
    "open",
    epilog='Example: deptbus incidents open epidemic 440100 --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第二十六条" --reason "cluster reported by telephone"',
)
def open_incident(
    workflow: Annotated[str, typer.Argument(help="The workflow, such as epidemic.")],
    key: Annotated[str, typer.Argument(help="What tells its instances apart, such as the region.")],
    officer: Officer, basis: Basis, reason: Reason,
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code; by default the key, where it is one.")] = None,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order an incident to be opened where no event has opened it."""
    from deptbus.desk import orders
    from deptbus.packs import Packs

    def draw(board: "Board", reading: "Reading") -> Sequence["Order"]:
        with Packs(reading.settings, reading.catalogue) as packs:
            in_force = {name: pack.definition for name, pack in packs.in_force().opening.items()}
        return [orders.open_new(board, in_force, workflow, key, region, reason)]

    _order(draw, By(officer, basis, wait, at, as_json))


@app.command(
    epilog='Example: deptbus incidents level epidemic/440100/1 II --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第二十七条" --reason "spread to a third district"'
)
def level(
    instance: Instance,
    to: Annotated[str, typer.Argument(metavar="LEVEL", help="I (highest), II, III or IV.")],
    officer: Officer, basis: Basis, reason: Reason,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order the response level; the standing rule of the workflow may still raise it later."""
    from deptbus.desk import orders
    from deptbus.desk.writing import parse_level

    named = parse_level(to)
    by = By(officer, basis, wait, at, as_json)
    _order(lambda board, _: [orders.to_level(board, instance, named, reason)], by)


@app.command(
    epilog='Example: deptbus incidents reassign 3f2a81c0 --to police --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第三十三条" --reason "transport has no staff there"'
)
def reassign(
    task: Task,
    to: Annotated[str, typer.Option("--to", metavar="DEPARTMENT", help="Who is responsible from now on.")],
    officer: Officer, basis: Basis, reason: Reason,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order a task to be given to another department, and show which unit of it is responsible now."""
    from deptbus.desk import orders

    by = By(officer, basis, wait, at, as_json)
    _order(lambda board, _: [orders.reassign(board, board.task(task), to, reason)], by)


@app.command(
    epilog='Example: deptbus incidents extend 3f2a81c0 --complete-by +4h --officer "Chen" '
    '--basis "《突发公共卫生事件应急条例》第三十三条" --reason "the road is closed"'
)
def extend(
    task: Task, officer: Officer, basis: Basis, reason: Reason,
    complete_by: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339, or +4h after the present deadline.")
    ] = None,
    acknowledge_by: Annotated[str | None, typer.Option(metavar="TIME", help="As --complete-by.")] = None,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order more time for a task."""
    from deptbus.desk import orders
    from deptbus.desk.writing import parse_deadline

    def draw(board: "Board", _: "Reading") -> Sequence["Order"]:
        found = board.task(task)
        acknowledge = (
            parse_deadline(acknowledge_by, found.acknowledge_by, "--acknowledge-by") if acknowledge_by else None
        )
        complete = parse_deadline(complete_by, found.complete_by, "--complete-by") if complete_by else None
        return [orders.extend(board, found, reason, acknowledge_by=acknowledge, complete_by=complete)]

    _order(draw, By(officer, basis, wait, at, as_json))


@app.command(
    epilog='Example: deptbus incidents merge leak/340200-7/1 leak/340800-3/1 --into leak/340100-2/1 --officer "Chen" '
    '--basis "《中华人民共和国突发事件应对法》（2024年修订）第十七条" --reason "one river, one response"'
)
def merge(
    instances: Annotated[list[str], typer.Argument(metavar="ID...", help="The instances that come under its command.")],
    into: Annotated[str, typer.Option("--into", metavar="LEAD", help="The instance that leads them from now on.")],
    officer: Officer, basis: Basis, reason: Reason,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order instances to come under the command of another one.

    Each keeps its own tasks, deadlines and chain of causes; it takes a higher level of the one that leads, whose
    region then says who commands. Several are ordered one by one.
    """
    from deptbus.desk import orders

    by = By(officer, basis, wait, at, as_json)
    _order(lambda board, _: orders.merge(board, instances, into, reason), by, several=True)


@app.command(
    epilog='Example: deptbus incidents split leak/340800-3/1 --officer "Chen" '
    '--basis "《中华人民共和国突发事件应对法》（2024年修订）第十七条" --reason "the county can cope alone"'
)
def split(
    instance: Instance, officer: Officer, basis: Basis, reason: Reason,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order an instance that was merged under another one to be commanded on its own again; its level stays."""
    from deptbus.desk import orders

    by = By(officer, basis, wait, at, as_json)
    _order(lambda board, _: [orders.split(board, instance, reason)], by)


@app.command(
    epilog='Example: deptbus incidents close epidemic/440100/1 --officer "Chen" '
    '--basis "《突发事件应对法》第五十八条" --reason "opened by mistake"'
)
def close(
    instance: Instance, officer: Officer, basis: Basis, reason: Reason,
    wait: Wait = WAIT_S, at: At = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Order an incident to be closed; its open tasks are cancelled."""
    from deptbus.desk import orders

    by = By(officer, basis, wait, at, as_json)
    _order(lambda board, _: [orders.close(board, instance, reason)], by)


def _order(draw: Draw, by: By, *, several: bool = False) -> None:
    """Draw the orders up, publish them, wait for their effects and tell these. Ends with 2 where one is void.

    As JSON, one outcome, or a list where there may be ``several``.
    """
    from deptbus.cli.desk import outcome_data
    from deptbus.cli.incidents.view import show_results
    from deptbus.desk.acting import act_as, dated
    from deptbus.desk.orders import COMMAND, ISSUED

    with look() as reading:
        board = reading.board()
        orders = draw(board, reading)
        at_ms = dated(reading.settings, board, by.at)
        with act_as(reading, COMMAND, ISSUED) as acting:
            results = acting.order(orders, officer=by.officer, basis=by.basis, at_ms=at_ms, wait_s=by.wait_s)
    if by.as_json:
        told = [
            outcome_data(ISSUED, one.outcome)
            | {"act": one.order.act, "instance": one.order.name, "applied": one.applied, "effects": one.effects}
            for one in results
        ]
        output.json(told if several else told[0])
    else:
        show_results(reading.settings, results, board.note)
    if any(one.in_vain for one in results):
        raise typer.Exit(2)
