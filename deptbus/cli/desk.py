"""``deptbus desk``: an officer's tasks, and what the officer says and does about them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.desk.answering import Answer, Late
    from deptbus.desk.board import Board, OpenTask
    from deptbus.desk.reading import Reading
    from deptbus.outcome import Outcome

app = typer.Typer(
    help="A department's desk: the tasks asked of it, and its answers.", no_args_is_help=True, rich_markup_mode="rich"
)

Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or enough of its first letters.")]
As = Annotated[str, typer.Option("--as", metavar="DEPARTMENT", help="The department that you act for.")]
Officer = Annotated[str, typer.Option(help="Who acts; it is kept with the answer.")]
Basis = Annotated[str | None, typer.Option(help="The legal basis; by default the task's own.")]
Note = Annotated[str | None, typer.Option(help="What you add, in words.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="In an exercise: when, by its own clock. By default its now.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list", epilog="Example: deptbus desk list --as health --instance epidemic/440100/1")
def list_tasks(
    department: As,
    instance: Annotated[str | None, typer.Option(metavar="ID", help="Only of this instance.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the open tasks of a department in every open instance, what is due first at the top."""
    from deptbus.desk.board import short_ids

    with _look() as reading:
        _check_department(reading, department)
        board = reading.board()
    if instance is not None:
        instance = str(board.instance(instance)["instance"])
    tasks = board.open_tasks(department, instance)
    short = short_ids(task.task for task in board.open_tasks())
    if as_json:
        output.json([task.to_json(board.now_ms) | {"short": short[task.task]} for task in tasks])
    elif not tasks:
        output.note(f"{department} has no open task{f' in {instance}' if instance else ''}.")
    else:
        _show(reading, department, board, tasks, short)


@app.command(epilog='Example: deptbus desk ack 3f2a81c0 --as health --officer "Li Wei"')
def ack(
    task: Task, department: As, officer: Officer, note: Note = None, basis: Basis = None, at: At = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Acknowledge a task: the department has seen it."""
    _say("acknowledged", task, department, officer, note, basis, at, as_json)


@app.command(epilog='Example: deptbus desk accept 3f2a81c0 --as health --officer "Li Wei"')
def accept(
    task: Task, department: As, officer: Officer, note: Note = None, basis: Basis = None, at: At = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Accept a task: the department takes it up, and an answer follows whether it binds itself."""
    _say("accepted", task, department, officer, note, basis, at, as_json)


@app.command(epilog='Example: deptbus desk commit 3f2a81c0 --as health --officer "Li Wei" --note "20 boats by noon"')
def commit(
    task: Task, department: As, officer: Officer, note: Note = None, basis: Basis = None, at: At = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Commit to a task: from now on the department is bound to do it.

    Acknowledging says that it was received, accepting that an answer follows; only this one binds (EDXL-RM).
    """
    _say("committed", task, department, officer, note, basis, at, as_json)


@app.command(epilog='Example: deptbus desk decline 3f2a81c0 --as health --officer "Li Wei" --reason "none in stock"')
def decline(
    task: Task,
    department: As,
    officer: Officer,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the answer.")],
    basis: Basis = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Decline a task, with the reason; the workflow's ladder says who is asked then."""
    _say("declined", task, department, officer, reason, basis, at, as_json)


@app.command(epilog='Example: deptbus desk progress 3f2a81c0 --as health --officer "Li Wei" --note "on the way"')
def progress(
    task: Task, department: As, officer: Officer, note: Note = None, basis: Basis = None, at: At = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Report that a task is under way."""
    _say("progressed", task, department, officer, note, basis, at, as_json)


@app.command(
    epilog="Example: deptbus desk complete 3f2a81c0 --as police --officer Wang --template > ban.json; "
    "deptbus desk complete 3f2a81c0 --as police --officer Wang --data ban.json"
)
def complete(
    task: Task,
    department: As,
    officer: Officer,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="The event that completes it, as JSON; - for standard input.")
    ] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Which event, where several end the task.")
    ] = None,
    template: Annotated[bool, typer.Option("--template", help="Only print the JSON that is to be filled in.")] = False,
    subject: Annotated[str | None, typer.Option(help="What the event is about; by default what the task is.")] = None,
    note: Note = None,
    basis: Basis = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Complete a task: with the event that it asks for, else with a plain answer.

    Without --data, a task that asks for an event gets the JSON to be filled in.
    """
    from deptbus.cli.bus import read_content
    from deptbus.desk import answering
    from deptbus.desk.template import skeleton

    with _look() as reading:
        board = reading.board()
        found = _find(reading, board, task, department)
        ending = answering.ending(found, event_type)
        if ending is None:
            if data is not None or template:
                answering.refuse_data(found)
            answer = answering.plain(found, "completed", note)
            _publish(reading, board, answer, officer, basis, at, as_json)
            return
        schema = reading.catalogue.schemas.newest(ending).schema
        if data is None or template:
            output.json(skeleton(schema, found, board.definition(board.instances[found.instance])))
            if not template:
                output.note(f"This completes it as {ending}: fill it in and give it with --data FILE.")
            return
        answer = answering.with_event(found, ending, read_content(data), schema, subject)
        _publish(reading, board, answer, officer, basis, at, as_json)


def _look() -> "Reading":
    from deptbus.desk.reading import Reading
    from deptbus.settings import Settings

    return Reading(Settings.load())


def _check_department(reading: "Reading", department: str) -> None:
    from deptbus.desk.answering import check_department

    check_department(department, reading.catalogue.departments)


def _find(reading: "Reading", board: "Board", prefix: str, department: str) -> "OpenTask":
    """The open task; a sentence of its own where it is over already."""
    from deptbus.desk.answering import Over, find

    def ever(prefix: str) -> Over | None:
        found = reading.task_ever(prefix)
        return None if found is None else Over(found.task, reading.record(found.instance))

    _check_department(reading, department)
    return find(board, prefix, department, ever)


def _say(
    disposition: str, prefix: str, department: str, officer: str, note: str | None, basis: str | None, at: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    from deptbus.desk.answering import plain

    with _look() as reading:
        board = reading.board()
        found = _find(reading, board, prefix, department)
        _publish(reading, board, plain(found, disposition, note), officer, basis, at, as_json)


def _publish(
    reading: "Reading", board: "Board", answer: "Answer", officer: str, basis: str | None, at: str | None, as_json: bool
) -> None:
    from deptbus.desk.acting import act_as, dated

    task = answer.task
    at_ms = dated(reading.settings, board, at)
    with act_as(reading, task.department, answer.type) as acting:
        outcome = acting.answer(answer, officer=officer, basis=basis, at_ms=at_ms)
    counts_at_ms = at_ms if reading.settings.namespace else outcome.timestamp_ms
    remarks = [_lateness(late) for late in answer.late(counts_at_ms)]
    remarks += [board.note.in_(reading.settings.lang)] if board.note else []
    if as_json:
        output.json(outcome_data(answer.type, outcome) | {"task": task.task, "remarks": remarks})
        return
    output.out.print(
        f"{task.asked.titles.en} ({task.task[:8]}, {task.instance}): {answer.says} by {officer} for {task.department}; "
        f"on {outcome.topic}[{outcome.partition}]@{outcome.offset}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    for remark in remarks:
        output.note(remark)


def outcome_data(event_type: str, outcome: "Outcome") -> dict[str, Any]:
    """What became of a publish, for programs."""
    names = ("state", "event_id", "topic", "partition", "offset")
    return {"type": event_type, **{name: getattr(outcome, name) for name in names}}


def _lateness(late: "Late") -> str:
    """What the answer's time means for a deadline."""
    from deptbus.cli.words import moment, span

    return f"It counts as {late.what} late: due {moment(late.due)}, {span(late.by_ms, 'en')} before."


def _show(reading: "Reading", department: str, board: "Board", tasks: list["OpenTask"], short: dict[str, str]) -> None:
    from deptbus.cli import words
    from deptbus.cli.showing import banner, table

    lang, now = reading.settings.lang, board.now_ms
    titles = reading.catalogue.departments[department].titles
    columns = ("task", "what", "where", "unit", "acknowledge_by", "complete_by", "state", "attempt", "basis")
    rows = [
        (
            short[task.task],
            "\n".join(part for part in (words.title(task.asked.titles, lang), task.subject, *_context(task)) if part),
            f"{task.region or ''}\n{task.instance}",
            task.unit,
            words.countdown(task.acknowledge_by, now, lang)
            if task.acknowledged_at is None
            else words.word("acknowledged", lang),
            words.countdown(task.complete_by, now, lang),
            words.word("paused" if task.paused_at is not None else task.state, lang),
            task.attempt,
            task.basis,
        )
        for task in tasks
    ]
    table(f"{titles[lang]}: {len(tasks)}, {words.moment(now)} (UTC+8)", columns, rows, lang)
    banner(reading.settings, board.note)


def _context(task: "OpenTask") -> list[str]:
    """What the department needs to know, as it stands now: a task that was retargeted has another context."""
    return [f"{name}: {value}" for name, value in task.context.items() if value]
