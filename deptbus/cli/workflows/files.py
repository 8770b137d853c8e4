"""``deptbus workflows check``, ``list`` and ``show``: what the files say."""

from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import AsJson, Name

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.settings import Settings
    from deptbus.workflow.definition import PackContent, Step


def register(app: typer.Typer) -> None:
    """Add the commands to ``deptbus workflows``."""
    app.command(epilog="Example: deptbus workflows check --offline")(check)
    app.command("list", epilog="Example: deptbus workflows list --json")(list_workflows)
    app.command(epilog="Example: deptbus workflows show epidemic")(show)


def check(
    offline: Annotated[bool, typer.Option("--offline", help="Do not compare with the packs in force.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every workflow: its files, and whether it would break what runs. Ends with 2 where something is wrong.

    What is in vain is a warning only; `deptbus workflows lint` says more of it.
    """
    from deptbus.cli.workflows.lint import told
    from deptbus.workflow.load import check_workflows, lint_workflow

    settings, catalogue, year = common.project()
    contents, problems = check_workflows(settings.root, catalogue, (year,))
    in_vain = {name: lint_workflow(settings.root, name, catalogue) for name in contents}
    warnings = [
        told(settings, place, finding) for found in in_vain.values() for place, finding in found if not finding.remark
    ]
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
        report = {"workflows": sorted(contents), "compared": compared, "problems": problems}
        output.json(report | {"warnings": warnings, "notes": notes})
    else:
        for problem in problems:
            output.error(problem)
        for warning in warnings:
            output.warning(warning)
        for note in notes:
            output.note(note)
        if not problems:
            running = "; nothing that runs would break" if compared else ""
            output.note(f"{len(contents)} workflow{'s' if len(contents) != 1 else ''}: nothing is wrong{running}.")
    if problems:
        raise typer.Exit(2)


def list_workflows(as_json: AsJson = False) -> None:
    """List the workflows that the files define."""
    from deptbus.workflow.load import load_workflows
    from deptbus.workflow.pack import Pack

    settings, catalogue, _ = common.project()
    packs = [Pack(content) for content in load_workflows(settings.root, catalogue).values()]
    if as_json:
        output.json([common.summary(pack) for pack in packs])
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


def show(name: Name, as_json: AsJson = False) -> None:
    """Show a workflow: its rules, timers, steps, and who answers in each role."""
    from deptbus.workflow.load import load_workflow
    from deptbus.workflow.pack import Pack

    settings, catalogue, _ = common.project()
    pack = Pack(load_workflow(settings.root, name, catalogue))
    if as_json:
        output.json(common.summary(pack) | {"definition": pack.definition.model_dump(mode="json", by_alias=True)})
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


def _breaking(
    settings: "Settings", catalogue: "Catalogue", contents: dict[str, "PackContent"]
) -> tuple[list[str], str | None]:
    """What would break on the cluster, and why the question could not be asked."""
    from deptbus.errors import BusError
    from deptbus.packs import Packs
    from deptbus.workflow.evolution import breaks, unheard

    try:
        common.reach(settings)
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
