"""``list`` and ``show``."""

from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.cli.deadletters.common import (
    Groups,
    One,
    Reasons,
    Since,
    States,
    Topics,
    Types,
    Until,
    doing_of,
    letters_of,
    open_box,
    read_wanted,
    recorded,
)
from deptbus.cli.deadletters.shown import content_json, letter_json, show_heaps, show_letter, show_letters
from deptbus.cli.options import Json, Operator


def list_letters(
    every: Annotated[bool, typer.Option("--all", help="Each letter on a line, not only how many there are.")] = False,
    reasons: Reasons = None,
    groups: Groups = None,
    topics: Topics = None,
    types: Types = None,
    states: States = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """List dead letters by reason, group, topic and type, with their numbers and times."""
    from deptbus.operations.letters import heaps

    wanted = read_wanted(reasons, groups, topics, types, states, since, until)
    with open_box() as box:
        limit = box.settings.redrives_max
        found = [one for one in letters_of(box).by_id.values() if wanted.holds(one, limit)]
        found.sort(key=lambda letter: letter.last_ms)
        if every:
            show_letters(found, box.settings, as_json)
        else:
            show_heaps(heaps(found, limit), box.settings, as_json)


def show(
    letter_id: One,
    whole: Annotated[bool, typer.Option("--bytes", help="All bytes of the value, not only the first.")] = False,
    unmask: Annotated[
        bool, typer.Option("--unmask", help="Also personal data, and bytes that may hold some; needs --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why --unmask; it goes on record.")] = None,
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Show one dead letter: where it was, why, its bytes, how far they can be read, and what was done about it."""
    from deptbus.operations.explaining import explain, hide

    with open_box() as box:
        letter = letters_of(box).one(letter_id)
        record = box.held(letter)
        explained = explain(record.value, letter.type, box.registry.schema_by_id, box.newest_schema)
        if unmask:
            doing = doing_of(box.settings, operator, reason or "")
            with recorded(box, "unmask", letter.id, doing):
                bare = True
        else:
            explained, bare = hide(explained, box.schemas(letter.type, explained.schema or letter.type))
        if as_json:
            content = content_json(record, explained, bare=bare, unmask=unmask)
            output.json(letter_json(letter, box.settings) | content)
        else:
            show_letter(letter, record, explained, box.settings, bare=bare, unmask=unmask, whole=whole)
