"""``redrive`` and ``discard``: many letters at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output, showing, words
from deptbus.cli.deadletters.common import (
    Again,
    All,
    DryRun,
    Force,
    Groups,
    Ids,
    Reasons,
    Since,
    States,
    Topics,
    Types,
    Until,
    chooser,
    doing_of,
    letters_of,
    open_box,
    read_wanted,
    recorded,
    said,
)
from deptbus.cli.options import Json, Operator, Reason
from deptbus.cli.progress import bar

if TYPE_CHECKING:
    from deptbus.operations.letterbox import Doing
    from deptbus.operations.letters import Letters, Plan, Refused
    from deptbus.settings import Settings

PARTLY = 3
"""Exit code: some of the letters meant stay as they are."""
REFUSED_SHOWN = 10


def redrive(
    reason: Reason,
    ids: Ids = None,
    reasons: Reasons = None,
    groups: Groups = None,
    topics: Topics = None,
    types: Types = None,
    states: States = None,
    since: Since = None,
    until: Until = None,
    every: All = False,
    again: Again = False,
    force: Force = False,
    rate: Annotated[float | None, typer.Option(min=0.1, metavar="N", help="At most so many in a second.")] = None,
    dry_run: DryRun = False,
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Send records again to their topic, for the group that gave them up. Ends with 3 where some stay as they are.

    Each is sent once, however often the command is killed and given again. Other groups pass over them.
    """
    from deptbus.operations.letters import Terms, plan_redrive

    choose = chooser(ids, read_wanted(reasons, groups, topics, types, states, since, until), every=every, force=force)
    with open_box() as box:
        terms = Terms(redrives_max=box.settings.redrives_max, again=again, force=force)

        def plan(letters: "Letters") -> "Plan":
            return plan_redrive(choose(letters, box.settings), box.catalogue.topics, terms)

        planned = plan(letters_of(box))
        doing = doing_of(box.settings, operator, reason)
        done = 0
        if planned.letters and not dry_run:
            about = {"letters": len(planned.letters), "forced": force, "again": again}
            with recorded(box, "redrive", target(planned), doing, **about) as act, bar("", quiet=as_json) as progress:
                done = box.redrive(lambda letters: plan(letters).letters, doing, rate=rate, progress=progress.to)
                act.detail(redriven=done)
        tell("redriven", planned, done, doing, box.settings, as_json=as_json, dry_run=dry_run)


def discard(
    reason: Reason,
    ids: Ids = None,
    reasons: Reasons = None,
    groups: Groups = None,
    topics: Topics = None,
    types: Types = None,
    states: States = None,
    since: Since = None,
    until: Until = None,
    every: All = False,
    dry_run: DryRun = False,
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Say of dead letters that nothing more is to be done about them. They stay where they are, with the reason."""
    from deptbus.operations.letters import plan_discard

    choose = chooser(ids, read_wanted(reasons, groups, topics, types, states, since, until), every=every, force=True)
    with open_box() as box:
        if not dry_run:
            box.begin()
        planned = plan_discard(choose(letters_of(box), box.settings))
        doing = doing_of(box.settings, operator, reason)
        done = 0
        if planned.letters and not dry_run:
            with recorded(box, "discard", target(planned), doing, letters=len(planned.letters)) as act:
                done = box.settle(planned.letters, "discarded", doing)
                act.detail(discarded=done)
        tell("discarded", planned, done, doing, box.settings, as_json=as_json, dry_run=dry_run)


def target(planned: "Plan") -> str:
    """What is acted on, for the record: one letter by its id, else the topics of many."""
    if len(planned.letters) == 1:
        return planned.letters[0].id
    return ", ".join(sorted({letter.topic for letter in planned.letters}))


def tell(
    what: str,
    planned: "Plan",
    done: int,
    doing: "Doing",
    settings: "Settings",
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    """What was done and what was not, and the exit code that follows."""
    if as_json:
        output.json({
            "dry_run": dry_run, "run": None if dry_run else doing.run, what: done, "meant": len(planned.letters),
            "counts": [
                {"topic": topic, "type": kind, "group": group, "letters": count}
                for topic, kind, group, count in planned.counts
            ],
            "refused": [{"id": one.letter.id, "why": one.why} for one in planned.refused],
        })  # fmt: skip
    else:
        if dry_run:
            title = said(settings.lang, "Would be " + what, "将" + words.word(what, "zh"))
            showing.table(title, ("topic", "type", "group", "letters"), planned.counts, settings.lang)
        _show_refused(planned.refused)
        output.out.print(_sentence(what, planned, done, settings, dry_run=dry_run), markup=False, soft_wrap=True)
    if planned.refused or (done < len(planned.letters) and not dry_run):
        raise typer.Exit(PARTLY if done or (dry_run and planned.letters) else 1)


def _sentence(what: str, planned: "Plan", done: int, settings: "Settings", *, dry_run: bool) -> str:
    stay = len(planned.refused)
    count = len(planned.letters) if dry_run else done
    if settings.lang == "zh":
        return f"{'将' if dry_run else '已'}{words.word(what, 'zh')} {count} 件；{stay} 件保持原状。"
    return f"{count} {'would be' if dry_run else 'are'} {what}; {stay} stay as they are."


def _show_refused(refused: "Sequence[Refused]") -> None:
    for one in refused[:REFUSED_SHOWN]:
        output.warning(f"{one.letter.id} ({one.letter.coordinates}) stays as it is: {one.why}.")
    if len(refused) > REFUSED_SHOWN:
        output.warning(f"So do {len(refused) - REFUSED_SHOWN} more; --json names all.")
