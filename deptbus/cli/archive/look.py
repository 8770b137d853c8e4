"""``deptbus archive verify`` and ``list``: whether an archive is as it was written, and what it holds."""

import typer

from deptbus.cli import output
from deptbus.cli.archive.saying import Folder, data, table, word
from deptbus.cli.options import Json
from deptbus.cli.progress import bar

BROKEN = 3
"""The exit code where something is broken."""


def register(app: typer.Typer) -> None:
    """Add the commands to ``deptbus archive``."""
    app.command(epilog="Example: deptbus archive verify backup/2020-02-01")(verify)
    app.command("list", epilog="Example: deptbus archive list backup/2020-02-01 --json")(list_partitions)


def verify(folder: Folder, as_json: Json = False) -> None:
    """Check every byte; name file, block and record of what is broken, truncated or missing. Ends with 3 then."""
    from dataclasses import asdict

    from deptbus.errors import ArchiveBroken
    from deptbus.operations.archive.reading import Archive
    from deptbus.operations.archive.verify import verify as check
    from deptbus.settings import Settings

    lang = Settings.load().lang
    try:
        manifest = Archive(folder).manifest
    except ArchiveBroken:  # it is told below
        manifest = None
    with bar(word("checking", lang), manifest.records if manifest else 0) as progress:
        faults = check(folder, progress.by)
    records = manifest.records if manifest else 0
    files = sum(1 for _ in manifest.files()) + 2 if manifest else 0
    if as_json:
        output.json(
            {"whole": not faults, "records": records, "files": files, "faults": [asdict(each) for each in faults]}
        )
    elif faults:
        for fault in faults:
            output.error(str(fault))
        output.note(word("broken", lang).format(count=len(faults), folder=folder))
    else:
        output.out.print(word("sound", lang).format(records=records, files=files), markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(BROKEN)


def list_partitions(folder: Folder, as_json: Json = False) -> None:
    """List what an archive holds: partitions, counts, offsets and times. Asks neither broker nor registry."""
    from deptbus.operations.archive.reading import Archive
    from deptbus.settings import Settings

    manifest = Archive(folder).manifest
    if as_json:
        output.json(data(manifest))
    else:
        table(manifest, Settings.load().lang)
