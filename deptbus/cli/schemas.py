"""``deptbus schemas``: check, register, generate, release and list event schemas."""

from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.cli.options import Operator, Reason

app = typer.Typer(help="Event schemas: what departments may say.", no_args_is_help=True, rich_markup_mode="rich")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command(epilog="Example: deptbus schemas check")
def check(as_json: AsJson = False) -> None:
    """Check every schema: naming, docs, topics, compatibility of versions, released ones, typed classes.

    Ends with 2 where something is wrong.
    """
    from deptbus.clock import system_clock
    from deptbus.schemas.check import check_schemas
    from deptbus.settings import Settings

    report = check_schemas(Settings.load().root, system_clock())
    if as_json:
        output.json({"types": report.types, "versions": report.versions, "problems": list(report.problems)})
    else:
        for problem in report.problems:
            output.error(problem)
        if not report.problems:
            output.note(f"{report.types} event types in {report.versions} versions: nothing is wrong.")
    if report.problems:
        raise typer.Exit(2)


@app.command(epilog="Example: deptbus schemas register")
def register(reason: Reason = "", operator: Operator = None, as_json: AsJson = False) -> None:
    """Register every schema version that the registry does not have. Safe to repeat. It goes on record."""
    from rich.progress import Progress

    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.operations.changing import Changes
    from deptbus.settings import Settings

    settings = Settings.load(**({"operator": operator} if operator else {}))
    catalogue = load_catalogue(settings.root, system_clock())
    with Progress(console=output.err, transient=True) as bar:
        task = bar.add_task("registering schemas", total=len(catalogue.schemas.all()))
        with Changes(settings, catalogue, output.warning, reason) as changes:
            done = changes.register_schemas(lambda count: bar.advance(task, count))
    new = [registration for registration in done if registration.new]
    if as_json:
        output.json(
            {
                "registered": len(new),
                "present": len(done) - len(new),
                "schemas": [{"type": one.type, "version": one.version, "id": one.id, "new": one.new} for one in done],
            }
        )
    else:
        output.note(f"{len(new)} schema versions registered, {len(done) - len(new)} were there already.")


@app.command(epilog="Example: deptbus schemas generate")
def generate() -> None:
    """Write the typed event classes: services/<department>/events.py."""
    from deptbus.schemas import generate as generation
    from deptbus.schemas.store import load_schemas
    from deptbus.settings import Settings

    root = Settings.load().root
    written = generation.write(root, load_schemas(root))
    for path in written:
        output.note(f"wrote {path.relative_to(root)}")
    if not written:
        output.note("The typed event classes are as the schemas say.")


@app.command(epilog="Example: deptbus schemas release")
def release() -> None:
    """Lock every schema version in schemas/released.json: from then on it may not be edited."""
    from deptbus.schemas import released
    from deptbus.schemas.store import load_schemas
    from deptbus.settings import Settings

    root = Settings.load().root
    new = released.release(root, load_schemas(root))
    for name in new:
        output.note(f"released {name}")
    if not new:
        output.note("Every version was released already.")


@app.command("list", epilog="Example: deptbus schemas list --json")
def list_types(as_json: AsJson = False) -> None:
    """List event types with their topic, versions and meaning."""
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.settings import Settings

    catalogue = load_catalogue(Settings.load().root, system_clock())
    rows = [
        (
            name,
            catalogue.topic_of(name).name,
            catalogue.schemas.newest(name).version,
            catalogue.schemas.newest(name).schema["doc"],
        )
        for name in catalogue.schemas.types()
    ]
    if as_json:
        output.json([dict(zip(("type", "topic", "version", "doc"), row, strict=True)) for row in rows])
    else:
        output.table("Event types", ("event type", "topic", "newest", "meaning"), rows)


@app.command(epilog="Example: deptbus schemas show health.CasesConfirmed")
def show(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as health.CasesConfirmed.")],
    version: Annotated[int | None, typer.Option(help="The newest unless given.")] = None,
) -> None:
    """Show a schema as it is registered: self-contained, as JSON."""
    from deptbus.errors import NotFound
    from deptbus.schemas.store import load_schemas
    from deptbus.settings import Settings

    versions = load_schemas(Settings.load().root).versions(event_type)
    found = [file for file in versions if version in {None, file.version}]
    if not found:
        raise NotFound(f"{event_type} has no version {version}; it has v1 to v{versions[-1].version}.")
    output.json(found[-1].schema)
