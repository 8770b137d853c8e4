"""``edit``: a value put right by hand."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import orjson
import typer

from deptbus.cli import output
from deptbus.cli.deadletters.common import (
    Again,
    DryRun,
    Force,
    One,
    doing_of,
    letters_of,
    open_box,
    print_line,
    recorded,
    require,
    said,
)
from deptbus.cli.options import Json, Operator, Reason
from deptbus.errors import SettingsError

if TYPE_CHECKING:
    from deptbus.settings import Settings


def edit(
    letter_id: One,
    reason: Reason,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The value as JSON, - for standard input; else $EDITOR opens.")
    ] = None,
    again: Again = False,
    force: Force = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is sent.")] = False,
    dry_run: DryRun = False,
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Put a value right and send it to the group that gave it up: a new event, whose cause is the letter."""
    from deptbus.operations.editing import as_text, difference, edit_refusal, edited
    from deptbus.operations.explaining import explain
    from deptbus.operations.letters import Terms

    with open_box() as box:
        terms = Terms(redrives_max=box.settings.redrives_max, again=again, force=force)
        letter = letters_of(box).one(letter_id)
        require(letter, edit_refusal(letter, box.catalogue.topics, terms))
        schema = box.newest_schema(letter.type) if letter.type else None
        if letter.type is None or schema is None:
            require(letter, f"its event type, {letter.type or 'which its headers do not say'}, has no schema here")
            return
        doing = doing_of(box.settings, operator, reason)
        record = box.held(letter)
        before = explain(record.value, letter.type, box.registry.schema_by_id, box.newest_schema).data
        after = _edited_text(as_text({} if before is None else before), file)
        made = edited(letter, record, after, schema, box.codec_of(letter.type), doing.actor)
        event_id = str(dict(made.headers)["ce_id"], "ascii")
        if not as_json:
            for line in difference(before, after):
                print_line(line)
        if not dry_run and not is_wanted(box.settings, asks=not (yes or as_json)):
            raise typer.Exit(1)
        if not dry_run:
            box.begin()
            now = letters_of(box).one(letter.id)
            require(now, edit_refusal(now, box.catalogue.topics, terms))
            with recorded(box, "edit", letter.id, doing, event=event_id, topic=letter.topic, group=letter.group):
                box.send(now, made, event_id, "edited", doing)
        if as_json:
            changes = list(difference(before, after))
            output.json({"letter": letter.id, "event": event_id, "dry_run": dry_run, "difference": changes})
        elif not dry_run:
            print_line(said(box.settings.lang, f"{event_id} is sent in its place.", f"已改发 {event_id}。"))


def _edited_text(text: str, file: str | None) -> Any:
    """The JSON that a person made of a text: in a file, or in an editor."""
    if file is None:
        written = click.edit(text, extension=".json", require_save=False)
        content, what = (written or "").encode(), "What was written"
    else:
        try:
            content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise SettingsError(f"--file {file} cannot be read: {error.strerror}.") from None
        what = f"--file {file}"
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        kept = ""
        if file is None:
            path = Path(tempfile.mkstemp(prefix="deadletter-", suffix=".json")[1])
            path.write_bytes(content)
            kept = f" It is kept: mend it and give --file {path}."
        raise SettingsError(f"{what} is no JSON: {error}.{kept}") from None


def is_wanted(settings: "Settings", *, asks: bool) -> bool:
    """Whether the operator agrees; only somebody at a terminal is asked."""
    if not asks or not sys.stdin.isatty() or not output.out.is_terminal:
        return True
    return typer.confirm(said(settings.lang, "Send it?", "发送？"))
