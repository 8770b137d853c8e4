"""``deptbus export``: what other systems read."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.exports.cap.messages import Message

app = typer.Typer(help="Events of the bus in the formats of others.", no_args_is_help=True, rich_markup_mode="rich")


class Kind(StrEnum):
    """Which messages."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


class Language(StrEnum):
    """In which language."""

    ZH = "zh"
    EN = "en"


@app.callback()
def _group() -> None:
    """One command a format."""


@app.command(epilog="Example: deptbus export cap --instance epidemic/440300/1 --output alerts/")
def cap(
    instance: Annotated[str, typer.Option(metavar="ID", help="<workflow>/<key>/<n>; without <n>, the latest.")],
    folder: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Write a file for each message.")
    ] = None,
    message: Annotated[Kind | None, typer.Option(help="Only messages of this kind.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Only in this language; by default in both.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Write the activations of an instance as CAP 1.2: an Alert, an Update for each later one, a Cancel at the end.

    A single message goes to standard output unless there is an --output. The status is Actual in actual life and
    Exercise elsewhere. Each message is checked as `deptbus import cap` checks those of others.
    """
    found = _messages(instance, message, lang)
    if folder is not None:
        _write(found, folder)
    if as_json:
        output.json([_data(one, folder) for one in found])
    elif folder is not None:
        output.table("Exported", ("kind", "identifier", "sent", "file"), [_row(one, folder) for one in found])
    else:
        _print(found, instance)


def _messages(instance: str, kind: Kind | None, lang: Language | None) -> "list[Message]":
    from deptbus.desk.reading import Reading
    from deptbus.errors import ExportRefused
    from deptbus.exports.cap.activation import ACTIVATED, LANGUAGES, about
    from deptbus.exports.cap.levels import read_confirmed
    from deptbus.exports.cap.messages import messages
    from deptbus.settings import Settings
    from deptbus.workflow.definition import Titles

    with Reading(Settings.load()) as reading:
        record = reading.record(instance)
        if record.definition is None:
            raise ExportRefused(f"The pack of {record.instance} is not at hand: activate its workflow first.")
        owner = reading.catalogue.topic_of(ACTIVATED).owner
        sender = Titles.model_validate(reading.catalogue.departments[owner].titles)
        common = about(record.instance, record.definition, sender)
        joined = {line["detail"].get("event") for line in record.timeline if line["kind"] == "joined"}
        confirmed = list(read_confirmed(reading, record.instance, joined))
    return messages(common, confirmed, list(LANGUAGES) if lang is None else [lang], kind)


def _write(found: "list[Message]", folder: Path) -> None:
    from deptbus.errors import ExportRefused

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            (folder / one.file_name).write_bytes(one.xml)
    except OSError as error:
        raise ExportRefused(f"{error.filename or folder} cannot be written: {error.strerror or error}.") from None


def _print(found: "list[Message]", instance: str) -> None:
    from deptbus.errors import ExportRefused

    if len(found) > 1:
        kinds = ", ".join(one.kind for one in found)
        raise ExportRefused(
            f"{instance} has {len(found)} messages ({kinds}): name a folder with --output, or one kind with --message."
        )
    typer.echo(found[0].xml, nl=False)


def _data(one: "Message", folder: Path | None) -> dict[str, object]:
    where = {"xml": one.xml.decode()} if folder is None else {"file": str(folder / one.file_name)}
    return {"kind": one.kind, "identifier": one.identifier, "sent": one.sent, **where}


def _row(one: "Message", folder: Path) -> tuple[object, ...]:
    from deptbus.cli.words import cell

    return one.kind, cell(one.identifier), cell(one.sent), cell(folder / one.file_name)
