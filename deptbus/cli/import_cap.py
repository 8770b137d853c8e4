"""``deptbus import cap``: alerts of other systems, published as the warning release centre."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.imports.cap.alert import Read
    from deptbus.imports.item import Item, Problem
    from deptbus.outcome import Outcome
    from deptbus.settings import Settings

_COLUMNS = {
    "en": ("file", "identifier", "type", "event", "severity", "colour", "region", "signature"),
    "zh": ("文件", "编号", "类型", "事件", "严重程度", "颜色", "地区", "签名"),
}
_COUNTS = {
    "en": {"files": "files", "read": "read", "refused": "refused", "published": "published"},
    "zh": {"files": "文件", "read": "读取", "refused": "拒绝", "published": "发布"},
}


def cap(
    files: Annotated[list[str], typer.Argument(help="Files, folders (*.cap and *.xml in them), patterns, or - .")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check; publish nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: every field of every alert.")] = False,
) -> None:
    """Publish alerts (CAP 1.1 and 1.2), one event a file, as `warning`.

    Ids follow from sender, identifier and sent, so importing the same alert again publishes the same event. Each file
    that breaks the standard is refused with line and reason, and the others are published; the exit code then is 1. An
    alert of status Exercise, Test or Draft is marked so, and nothing in actual life acts on it.
    """
    from deptbus.settings import Settings

    settings = Settings.load()
    done = _read(settings, files)
    items = list({read.item.id: read.item for read in done if read.item is not None}.values())
    outcomes = [] if dry_run or not items else _publish(settings, items)
    _show(settings, done, outcomes, dry_run, as_json)
    for outcome in outcomes:
        outcome.require()
    if any(read.refusals for read in done):
        raise typer.Exit(1)


def _read(settings: "Settings", names: list[str]) -> "list[Read]":
    from rich.progress import track

    from deptbus.imports.cap.files import find, read

    found = find(names)
    reading = read(found, settings.import_bytes_max, _encoder(settings))
    return list(track(reading, "Reading", total=len(found), console=output.err, transient=True))


def _encoder(settings: "Settings") -> "Callable[[str, dict[str, Any]], bytes]":
    """Encodes as publishing will, without a registry: what does not fit is refused before anything is sent."""
    from deptbus.codec import Codec
    from deptbus.imports.cap.alert import TYPE
    from deptbus.schemas.codecs import codec_schema
    from deptbus.schemas.store import load_schemas

    file = load_schemas(settings.root).newest(TYPE)
    return Codec([codec_schema(TYPE, file.version, 0, file.schema)], settings.value_bytes_max).encode


def _publish(settings: "Settings", items: "list[Item]") -> "list[Outcome]":
    from rich.progress import Progress

    from deptbus import bootstrap
    from deptbus.imports.cap.alert import DEPARTMENT
    from deptbus.imports.publish import publish

    with ExitStack() as stack:
        bus = bootstrap.connect(settings, DEPARTMENT)
        stack.callback(bus.close)
        progress = stack.enter_context(Progress(console=output.err, transient=True))
        bar = progress.add_task("Publishing", total=len(items))
        return publish(items, {DEPARTMENT: bus}, lambda: progress.advance(bar))


def _show(settings: "Settings", done: "list[Read]", outcomes: "list[Outcome]", dry_run: bool, as_json: bool) -> None:
    counts = {
        "files": len(done),
        "read": sum(read.item is not None for read in done),
        "refused": sum(bool(read.refusals) for read in done),
        "published": sum(outcome.acknowledged for outcome in outcomes),
    }
    if as_json:
        output.json({**counts, "alerts": _alerts(done), "problems": _listed(done, 0), "remarks": _listed(done, 1)})
        return
    lang = settings.lang
    title = (
        {"en": "Read only (--dry-run)", "zh": "只读取（--dry-run）"} if dry_run else {"en": "Imported", "zh": "已导入"}
    )
    output.table(title[lang], _COLUMNS[lang], [_row(read) for read in done if read.item is not None])
    output.out.print("  ".join(f"{_COUNTS[lang][name]}: {count}" for name, count in counts.items()))
    for which in (0, 1):
        for problem in _problems(done, which):
            output.note(str(problem))


def _row(read: "Read") -> tuple[object, ...]:
    from deptbus.cli.words import cell

    assert read.item is not None
    data = read.item.data
    names = ("identifier", "message_type", "event", "severity", "colour", "region", "signature")
    return (cell(read.file), *(cell(data[name]) for name in names))


def _alerts(done: "list[Read]") -> list[dict[str, Any]]:
    from deptbus.clock import iso

    return [
        {
            "file": read.file,
            "id": read.item.id,
            "type": read.item.type,
            "time": iso(read.item.at_ms),
            "mode": read.item.mode,
            "data": read.item.data,
        }
        for read in done
        if read.item is not None
    ]


def _problems(done: "list[Read]", which: int) -> "list[Problem]":
    """Refusals (0) or remarks (1), file by file."""
    from deptbus.imports.item import Problem

    return [
        Problem(read.file, finding.line or None, finding.reason)
        for read in done
        for finding in (read.refusals, read.remarks)[which]
    ]


def _listed(done: "list[Read]", which: int) -> list[dict[str, Any]]:
    return [{"file": one.file, "line": one.line, "reason": one.reason} for one in _problems(done, which)]
