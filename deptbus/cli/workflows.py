"""``deptbus workflows``: check, list and show definitions; bring packs into and out of force."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.settings import Settings
    from deptbus.workflow.definition import PackContent, Step
    from deptbus.workflow.pack import Pack

app = typer.Typer(help="Workflows: procedures across departments.", no_args_is_help=True, rich_markup_mode="rich")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="A folder of services/workflows/.")]
_REACH_S = 3.0
"""How long `check` waits for a cluster to answer, in seconds."""


@app.command(epilog="Example: deptbus workflows check --offline")
def check(
    offline: Annotated[bool, typer.Option("--offline", help="Do not compare with the packs in force.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every workflow: its files, and whether it would break what runs. Ends with 2 where something is wrong."""
    from deptbus.workflow.load import check_workflows

    settings, catalogue, year = _project()
    contents, problems = check_workflows(settings.root, catalogue, (year,))
    notes = [
        f"{name}: the calendar {content.calendar.calendar} does not have {year + 1} yet; a deadline in working days "
        "that reaches into it will be refused."
        for name, content in contents.items()
        if content.calendar.years and year + 1 not in content.calendar.years
    ]
    compared = False
    if not offline:
        breaking, note = _breaking(settings, catalogue, contents)
        problems += breaking
        compared = note is None
        notes += [note] if note else []
    if as_json:
        output.json({"workflows": sorted(contents), "compared": compared, "problems": problems, "notes": notes})
    else:
        for problem in problems:
            output.error(problem)
        for note in notes:
            output.note(note)
        if not problems:
            running = "; nothing that runs would break" if compared else ""
            output.note(f"{len(contents)} workflow{'s' if len(contents) != 1 else ''}: nothing is wrong{running}.")
    if problems:
        raise typer.Exit(2)


@app.command("list", epilog="Example: deptbus workflows list --json")
def list_workflows(as_json: AsJson = False) -> None:
    """List the workflows that the files define."""
    from deptbus.workflow.load import load_workflows
    from deptbus.workflow.pack import Pack

    settings, catalogue, _ = _project()
    packs = [Pack(content) for content in load_workflows(settings.root, catalogue).values()]
    if as_json:
        output.json([_summary(pack) for pack in packs])
        return
    rows = [
        (
            pack.workflow,
            pack.version,
            f"{pack.definition.titles.zh}\n{pack.definition.titles.en}",
            pack.definition.kind,
            len(pack.definition.rules),
            len(pack.definition.steps),
            pack.hash[:12],
        )
        for pack in packs
    ]
    output.table("Workflows", ("workflow", "version", "title", "kind", "rules", "steps", "pack"), rows)


@app.command(epilog="Example: deptbus workflows show epidemic")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a workflow: its rules, timers, steps, and who answers in each role."""
    from deptbus.workflow.load import load_workflow
    from deptbus.workflow.pack import Pack

    settings, catalogue, _ = _project()
    pack = Pack(load_workflow(settings.root, name, catalogue))
    if as_json:
        output.json(_summary(pack) | {"definition": pack.definition.model_dump(mode="json", by_alias=True)})
        return
    definition = pack.definition
    output.out.print(f"{definition.titles.zh}\n{definition.titles.en}", markup=False)
    output.out.print(f"{pack.workflow} version {pack.version}, {definition.kind}, {definition.basis}", markup=False)
    output.out.print(f"pack {pack.hash}\n", markup=False)
    output.table(
        "Rules",
        ("rule", "event", "does", "window", "basis"),
        [(r.rule, r.on, _does(r.opens, r.match), r.window, r.basis) for r in definition.rules],
    )
    if definition.timers:
        timers = [(t.timer, t.after, t.not_before, t.basis) for t in definition.timers]
        output.table("Timers", ("timer", "after", "not before", "basis"), timers)
    columns = ("step", "title", "asked on", "role", "acknowledge", "complete", "completed by", "basis")
    output.table("Steps", columns, [_step(step) for step in definition.steps])
    rungs = [(r.at, r.after, r.to, _rung(r.retry, r.reassign)) for r in definition.escalate]
    output.table("Escalation", ("missed", "after", "told", "then"), rungs)
    lines = [
        (r.role, r.region or "all", r.level or "all", r.department, f"{r.unit.zh}\n{r.unit.en}", r.basis)
        for r in definition.responsibilities
    ]
    output.table("Responsibilities", ("role", "region", "level", "department", "unit", "basis"), lines)
    output.out.print(f"closes when: {' '.join(definition.closes.split())}", markup=False)


@app.command(epilog="Example: deptbus workflows activate epidemic")
def activate(
    name: Name,
    not_before: Annotated[
        list[str] | None,
        typer.Option(
            "--not-before",
            metavar="TIMER=TIME",
            help="Let a timer not be due before a time: quiet=2020-02-29T00:00:00+08:00. Repeatable.",
        ),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="The time of an exercise, RFC 3339; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a workflow into force: new instances open by it from now on. Safe to repeat."""
    from deptbus.packs import Packs
    from deptbus.workflow.load import load_workflow
    from deptbus.workflow.pack import Pack

    settings, catalogue, year = _project()
    content = load_workflow(settings.root, name, catalogue, (year,))
    for given in not_before or ():
        content = _overridden(content, given)
    pack = Pack(content)
    _reach(settings)
    with Packs(settings, catalogue) as packs:
        new = packs.activate(pack, _time(settings, at))
    if as_json:
        output.json(_summary(pack) | {"activated": new})
    elif new:
        output.note(f"{pack.workflow} version {pack.version} ({pack.hash[:12]}) is in force.")
    else:
        output.note(f"{pack.workflow} version {pack.version} ({pack.hash[:12]}) is in force already.")


@app.command(epilog='Example: deptbus workflows retire epidemic --reason "replaced by version 2"')
def retire(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Which version; by default the oldest in force.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="The time of an exercise, RFC 3339; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take a version out of force. Refused while instances of it are open."""
    from deptbus.errors import NotFound
    from deptbus.packs import Packs

    settings, catalogue, _ = _project()
    _reach(settings)
    with Packs(settings, catalogue) as packs:
        found = [pack for pack in packs.in_force().of(name) if version in (None, pack.version)]
        if not found:
            which = f" version {version}" if version else ""
            raise NotFound(f"{name}{which} is not in force; `deptbus workflows list` shows what could be.")
        packs.retire(found[0], reason, _time(settings, at))
    if as_json:
        output.json(_summary(found[0]))
    else:
        output.note(f"{name} version {found[0].version} ({found[0].hash[:12]}) is retired.")


def _project() -> tuple["Settings", "Catalogue", int]:
    """Settings, catalogue and the present year."""
    from datetime import UTC, datetime

    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.settings import Settings

    settings = Settings.load()
    now = system_clock()
    return settings, load_catalogue(settings.root, now), datetime.fromtimestamp(now / 1000, UTC).year


def _reach(settings: "Settings") -> None:
    from deptbus.kafka.reach import check_reachable

    check_reachable(settings, _REACH_S)


def _time(settings: "Settings", given: str | None) -> int:
    """The time that the activation names: now, or in an exercise what the caller says."""
    from deptbus.clock import from_iso, system_clock
    from deptbus.errors import SettingsError

    if given is None:
        return system_clock()
    if not settings.namespace:
        raise SettingsError("--at belongs to exercises: set BUS_NAMESPACE; in actual life the time is now.")
    try:
        return from_iso(given)
    except ValueError:
        raise SettingsError(f"--at {given} is no time with a zone, such as 2020-01-20T00:00:00+08:00.") from None


def _breaking(
    settings: "Settings", catalogue: "Catalogue", contents: dict[str, "PackContent"]
) -> tuple[list[str], str | None]:
    """What would break on the cluster, and why the question could not be asked."""
    from deptbus.errors import BusError
    from deptbus.packs import Packs
    from deptbus.workflow.evolution import breaks, unheard

    try:
        _reach(settings)
        with Packs(settings, catalogue) as packs:
            state = packs.in_force()
            found = []
            for workflow in sorted({pack.workflow for pack in state.packs.values()}):
                running = packs.running(workflow)
                opening = state.opening.get(workflow)
                if opening is not None and workflow in contents:
                    found += breaks(opening.content, contents[workflow], running)
                for pack in state.of(workflow):
                    found += unheard(pack.content, running, catalogue.schemas.types())
    except BusError as error:
        return [], f"The packs in force were not compared: {error}"
    return [f"{sentence}." for sentence in found], None


def _overridden(content: "PackContent", given: str) -> "PackContent":
    from deptbus.errors import DefinitionError
    from deptbus.workflow.activation import with_not_before

    timer, _, time = given.partition("=")
    if not time:
        raise DefinitionError(f"--not-before {given}: write TIMER=TIME, such as quiet=2020-02-29T00:00:00+08:00.")
    return with_not_before(content, timer, time)


def _summary(pack: "Pack") -> dict[str, Any]:
    return {
        "workflow": pack.workflow,
        "version": pack.version,
        "kind": pack.definition.kind,
        "titles": pack.definition.titles.model_dump(),
        "hash": pack.hash,
        "event_types": sorted(pack.event_types),
    }


def _does(opens: bool, match: str | None) -> str:
    if match:
        return f"concerns by {match}"
    return "opens" if opens else "joins"


def _rung(retry: bool, reassign: bool) -> str:
    if reassign:
        return "asked instead"
    return "asked again" if retry else ""


def _step(step: "Step") -> tuple[str, ...]:
    title = f"{step.titles.zh}\n{step.titles.en}"
    asked = "\n".join([*step.on, *([f"every {step.every}"] if step.every else [])])
    role = f"{step.role}\nby leave of {step.gate.role}" if step.gate else step.role
    completed = "\n".join(step.completed_by) or "its answer"
    return (step.step, title, asked, role, step.acknowledge_by, step.complete_by, completed, step.basis)
