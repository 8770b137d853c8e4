"""What the commands share: their options, which letters they mean, and the letters themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus import failpoint
from deptbus.cli import output, words
from deptbus.errors import ActRefused, SettingsError

if TYPE_CHECKING:
    from deptbus.operations.audit import OpenAct
    from deptbus.operations.letterbox import Doing, LetterBox
    from deptbus.operations.letters import Letter, Letters, Wanted
    from deptbus.settings import Settings

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]", help="Letters by their ids, or the beginnings.")]
One = Annotated[str, typer.Argument(metavar="ID", help="A letter by its id, or the beginning of it.")]
Reasons = Annotated[list[str] | None, typer.Option("--why", metavar="REASON", help="Only of this reason; repeat it.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="Only what this group gave up; repeat it.")]
Topics = Annotated[list[str] | None, typer.Option("--topic", help="Only records of this topic; repeat it.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only events of this type; repeat it.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", help="open, quarantined, redriven, edited or discarded; repeat it."),
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only what was given up then or later.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only what was given up before.")]
All = Annotated[bool, typer.Option("--all", help="Every open letter, without any filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Also what has been dealt with already.")]
Force = Annotated[bool, typer.Option("--force", help="Also what is in quarantine.")]


def read_wanted(
    reasons: list[str] | None,
    groups: list[str] | None,
    topics: list[str] | None,
    types: list[str] | None,
    states: list[str] | None,
    since: str | None,
    until: str | None,
) -> "Wanted":
    from deptbus.operations.filters import read_filter
    from deptbus.operations.letters import STATES, Wanted

    for state in states or ():
        if state not in STATES:
            raise SettingsError(f"--state is {', '.join(STATES[:-1])} or {STATES[-1]}, not {state}.")
    between = read_filter(since=since, until=until)
    return Wanted(
        reasons=frozenset(reasons or ()), groups=frozenset(groups or ()), topics=frozenset(topics or ()),
        types=frozenset(types or ()), states=frozenset(states or ()),
        since_ms=between.since_ms, until_ms=between.until_ms,
    )  # fmt: skip


def chooser(
    ids: list[str] | None, wanted: "Wanted", *, every: bool, force: bool
) -> "Callable[[Letters, Settings], list[Letter]]":
    """Which letters a command means: those named, or those that the filter holds and that nothing was done about."""
    if ids and (every or not wanted.empty):
        raise SettingsError("Name letters by their ids, or by filters, not both.")
    if not ids and wanted.empty and not every:
        raise SettingsError("Say which dead letters: by their ids, by filters (--why, --topic, …), or --all.")

    def choose(letters: "Letters", settings: "Settings") -> "list[Letter]":
        if ids:
            return list({one.id: one for one in map(letters.one, ids)}.values())
        limit = settings.redrives_max
        open_states = ("open", "quarantined") if force else ("open",)
        return [
            letter
            for letter in letters.by_id.values()
            if wanted.holds(letter, limit) and (wanted.states or letter.state(limit) in open_states)
        ]

    return choose


@contextmanager
def open_box() -> "Iterator[LetterBox]":
    from deptbus.operations.letterbox import LetterBox
    from deptbus.settings import Settings

    settings = Settings.load()
    failpoint.arm(settings.failpoint)
    with LetterBox(settings) as box:
        yield box


def letters_of(box: "LetterBox") -> "Letters":
    letters = box.letters()
    if box.unreadable:
        output.warning(f"{box.unreadable} records of bus.deadletters cannot be read and are left out.")
    return letters


def doing_of(settings: "Settings", operator: str | None, reason: str) -> "Doing":
    """Who acts and why; ``SettingsError`` without a reason."""
    from deptbus.ids import random_id
    from deptbus.operations.letterbox import Doing

    if not reason.strip():
        raise SettingsError("--reason is empty: say why, it goes on record.")
    return Doing(operator or settings.operator, reason.strip(), random_id())


@contextmanager
def recorded(box: "LetterBox", act: str, target: str, doing: "Doing", **detail: object) -> "Iterator[OpenAct]":
    """Have on record what is done within: that it begins, and how it ended."""
    from deptbus import bootstrap

    with (
        bootstrap.open_auditor(box.settings, box.catalogue, operator=doing.actor) as auditor,
        auditor.act(f"deadletters.{act}", target, doing.reason, {"run": doing.run, **detail}) as opened,
    ):
        yield opened


def require(letter: "Letter", refusal: str | None) -> None:
    if refusal is not None:
        raise ActRefused(f"The dead letter {letter.id} ({letter.coordinates}) stays as it is: {refusal}.")


def said(lang: str, en: str, zh: str) -> str:
    """A sentence in the reader's language."""
    return zh if lang == "zh" else en


def print_line(text: str) -> None:
    output.out.print(words.plain(text), markup=False, soft_wrap=True)
