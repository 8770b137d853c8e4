"""``deptbus workflows diff``: what differs between two versions, in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.workflows import common
from deptbus.cli.workflows.common import AsJson

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.settings import Settings
    from deptbus.workflow.definition import PackContent
    from deptbus.workflow.diff import Difference

_HASH_MIN = 6
"""So many characters of a hash at least name a pack."""
_WHICH = "epidemic (the files), epidemic@1 or the first characters of a hash (a pack on the cluster), or a folder."


def register(app: typer.Typer) -> None:
    """Add the command to ``deptbus workflows``."""
    app.command(epilog="Example: deptbus workflows diff epidemic@1 epidemic")(diff)


def diff(
    old: Annotated[str, typer.Argument(metavar="A", help=f"Before: {_WHICH}")],
    new: Annotated[str, typer.Argument(metavar="B", help="After: likewise.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 where they differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two versions of a workflow."""
    from deptbus.workflow.diff import differences

    settings, catalogue, _ = common.project()
    found = differences(_content(settings, catalogue, old), _content(settings, catalogue, new))
    if as_json:
        output.json([{"group": group, **message._asdict()} for group, message in found])
    else:
        _tell(settings, found)
    if found and exit_code:
        raise typer.Exit(1)


def _tell(settings: "Settings", found: list["Difference"]) -> None:
    from deptbus.workflow.diffwords import GROUPS

    last = None
    for group, message in found:
        if group != last:
            output.out.print(GROUPS[group].in_(settings.lang), style="bold", markup=False)
            last = group
        output.out.print(f"  {message.in_(settings.lang)}", markup=False, soft_wrap=True)
    if not found:
        output.note("两者相同。" if settings.lang == "zh" else "They are the same.")


def _content(settings: "Settings", catalogue: "Catalogue", which: str) -> "PackContent":
    """The pack that an argument names: of the files, of a folder elsewhere, or on the cluster."""
    from pathlib import Path

    from deptbus.workflow.load import content_of, load_workflow, read_folder, workflow_names

    if which in workflow_names(settings.root):
        return load_workflow(settings.root, which, catalogue)
    if (Path(which) / "workflow.yaml").is_file():
        return content_of(settings.root, read_folder(Path(which), which.rstrip("/")), catalogue)
    return _on_the_cluster(settings, catalogue, which)


def _on_the_cluster(settings: "Settings", catalogue: "Catalogue", which: str) -> "PackContent":
    from deptbus.errors import NotFound
    from deptbus.packs import Packs

    name, _, version = which.partition("@")
    is_hash = len(which) >= _HASH_MIN and set(which) <= set("0123456789abcdef")
    if not version.isdigit() and not is_hash:
        raise NotFound(f"{which} names no workflow; write {_WHICH}")
    common.reach(settings)
    with Packs(settings, catalogue) as packs:
        known = packs.known()
    found = [
        pack for pack in known.values()
        if pack.hash.startswith(which) or (pack.workflow, str(pack.version)) == (name, version)
    ]  # fmt: skip
    if len(found) != 1:
        here = ", ".join(f"{pack.workflow}@{pack.version} ({pack.hash[:12]})" for pack in known.values()) or "none"
        wrong = "is not known on" if not found else "means several packs of"
        raise NotFound(f"{which} {wrong} the cluster; activated there: {here}.")
    return found[0].content
