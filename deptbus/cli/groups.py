"""``deptbus groups``: who reads, what they have committed, and setting it anew."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output, showing, words
from deptbus.cli.options import Operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deptbus.kafka.looks import Looker
    from deptbus.operations.groups import Group, Move
    from deptbus.operations.lag import Lag
    from deptbus.settings import Settings

app = typer.Typer(help="Consumer groups: who reads what, and how far.", no_args_is_help=True, rich_markup_mode="rich")
Name = Annotated[str, typer.Argument(metavar="GROUP", help="A group's name, without the namespace's prefix.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list", epilog="Example: deptbus groups list")
def list_groups(as_json: AsJson = False) -> None:
    """List the groups of the namespace: their state, members, topics and unread events."""
    from deptbus.kafka.looks import Looker
    from deptbus.operations.lag import History, by_topic
    from deptbus.settings import Settings

    settings = Settings.load()
    looker = Looker(settings)
    try:
        names = looker.names(jobs=True)
        groups = looker.describe(names)
        lags = by_topic(History().add(looker.look(names)))
    finally:
        looker.close()
    read = {group.name: [one for one in lags if one.group == group.name] for group in groups}
    if as_json:
        output.json(
            [
                {
                    "group": group.name, "state": group.state, "kind": group.kind, "members": len(group.members),
                    "topics": [one.topic for one in read[group.name]],
                    "unread": sum(one.events for one in read[group.name]),
                    "exact": all(one.exact for one in read[group.name]),
                }
                for group in groups
            ]
        )  # fmt: skip
        return
    showing.banner(settings)
    if not groups:
        output.note("没有消费组。" if settings.lang == "zh" else "There is no group.")
        return
    rows = [
        (
            group.name, _state(group, settings.lang), len(group.members),
            words.events(
                sum(one.events for one in read[group.name]), settings.lang,
                exact=all(one.exact for one in read[group.name]),
            ),
            len(read[group.name]),
        )
        for group in groups
    ]  # fmt: skip
    showing.table("", ("group", "state", "members", "unread", "topics"), rows, settings.lang)


@app.command(epilog="Example: deptbus groups describe health")
def describe(name: Name, as_json: AsJson = False) -> None:
    """Show a group's members with their hosts and partitions, and its offsets with what lies before them."""
    from deptbus.kafka.looks import Looker
    from deptbus.operations.lag import History
    from deptbus.settings import Settings

    settings = Settings.load()
    looker = Looker(settings)
    try:
        group = _present(name, looker.names(jobs=True), looker)
        lags = History().add(looker.look([name]))
    finally:
        looker.close()
    if as_json:
        output.json(_to_json(group, lags))
        return
    showing.banner(settings)
    output.out.print(f"{group.name}: {_state(group, settings.lang)}, {group.kind}", markup=False)
    if group.members:
        rows = [
            (member.client_id, member.instance_id, member.host.lstrip("/"), _partitions(member.partitions))
            for member in group.members
        ]
        showing.table("", ("client_id", "instance", "host", "assigned"), rows, settings.lang)
    offsets = [
        (
            f"{one.topic}[{one.partitions[0]}]", one.position,
            words.events(one.events, settings.lang, exact=one.exact),
            "" if one.commit_age_ms is None else words.brief(one.commit_age_ms, settings.lang), one.owner,
        )
        for one in lags
    ]  # fmt: skip
    if offsets:
        showing.table("", ("partition", "offset", "unread", "committed_ago", "client_id"), offsets, settings.lang)


@app.command(epilog='Example: deptbus groups reset lab --to 2026-01-20T08:00+08:00 --yes --reason "reads again"')
def reset(
    name: Name,
    to: Annotated[str | None, typer.Option("--to", metavar="POINT", help="Where all partitions go.")] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Only in this topic; repeat it.")] = None,
    partition: Annotated[
        list[str] | None,
        typer.Option("--partition", metavar="TOPIC:N=POINT", help="Where one partition goes; repeat it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only show what would change.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it goes on record. Needed with --yes.")] = "",
    operator: Operator = None,
    as_json: AsJson = False,
) -> None:
    """Set a group's offsets: to the beginning or end, -N (the last N), @OFFSET, a time, or an event id.

    Shows old and new first; nothing is changed without --yes. A group with members is refused. The act goes on record,
    and what is set is read back; ends with 1 where it is not as it was set.
    """
    from deptbus import bootstrap
    from deptbus.clock import system_clock
    from deptbus.errors import SettingsError
    from deptbus.kafka.configuration import client_configuration, reader_configuration
    from deptbus.kafka.groups import Groups
    from deptbus.kafka.log import KafkaLog
    from deptbus.kafka.looks import Looker
    from deptbus.operations.groups import not_so, plan_reset, read_target, refuse_active
    from deptbus.operations.points import read_point
    from deptbus.settings import Settings

    settings = Settings.load()
    point = read_point(to, "--to") if to else None
    targets = [read_target(text) for text in partition or ()]
    if yes and not reason.strip():
        raise SettingsError("--yes needs --reason: it goes on record why the offsets were set.")
    looker = Looker(settings)
    try:
        group = _present(name, looker.names(jobs=True), looker)
    finally:
        looker.close()
    groups = Groups(client_configuration(settings), settings.world)
    log = KafkaLog(reader_configuration(settings), settings.world)
    try:
        committed = groups.committed([name])[name]
        moves = plan_reset(name, committed, log, system_clock(), to=point, topics=topic or (), targets=targets)
    finally:
        log.close()
    if moves:
        refuse_active(group)
    wrong: list[str] = []
    if moves and yes:
        with bootstrap.open_auditor(settings, operator=operator) as auditor:
            particulars = {f"{move.topic}[{move.partition}]": f"{move.old} → {move.new}" for move in moves}
            with auditor.act("groups.reset", name, reason, particulars) as act:
                found = groups.commit(name, {(move.topic, move.partition): move.new for move in moves})
                wrong = not_so(moves, found)
                act.outcome = "failed" if wrong else "done"
    if as_json:
        output.json({"group": name, "done": yes and not wrong, "moves": [_move(one) for one in moves]})
    else:
        _show_moves(name, moves, settings, done=yes)
    if wrong:
        output.error(
            f"The offsets of {name} were set, and yet {'; '.join(wrong)}: look at them again before it starts."
        )
        raise typer.Exit(1)


def _present(name: str, present: "Sequence[str]", looker: "Looker") -> "Group":
    from deptbus.errors import NotFound

    if name not in present:
        raise NotFound(f"There is no group {name}; there are {', '.join(present) or 'none'}.")
    (group,) = looker.describe([name])
    return group


def _show_moves(name: str, moves: "Sequence[Move]", settings: "Settings", *, done: bool) -> None:
    zh = settings.lang == "zh"
    showing.banner(settings)
    if not moves:
        output.note(
            f"{name} 的位移已经如此，无需更改。" if zh else f"The offsets of {name} are so already: nothing to set."
        )
        return
    rows = [
        (f"{move.topic}[{move.partition}]", move.old, move.new, move.again or "", move.skipped or "") for move in moves
    ]
    showing.table("", ("partition", "old_offset", "new_offset", "read_again", "skipped"), rows, settings.lang)
    if done:
        output.note(f"{len(moves)} 个分区已设定。" if zh else f"{len(moves)} partitions are set.")
    else:
        output.note(
            "尚未更改；加 --yes 执行。数目含事务标记。"
            if zh
            else "Nothing is changed yet; --yes does it. The counts are offsets, transaction markers included."
        )


def _move(move: "Move") -> dict[str, Any]:
    return {
        "topic": move.topic, "partition": move.partition, "old": move.old, "new": move.new, "again": move.again,
        "skipped": move.skipped,
    }  # fmt: skip


def _to_json(group: "Group", lags: "Sequence[Lag]") -> dict[str, Any]:
    return {
        "group": group.name,
        "state": group.state,
        "kind": group.kind,
        "members": [
            {
                "client_id": member.client_id, "instance_id": member.instance_id, "host": member.host.lstrip("/"),
                "partitions": [{"topic": topic, "partition": number} for topic, number in member.partitions],
            }
            for member in group.members
        ],
        "offsets": [
            {
                "topic": one.topic, "partition": one.partitions[0], "offset": one.position, "unread": one.events,
                "exact": one.exact, "commit_age_ms": one.commit_age_ms, "client_id": one.owner or None,
            }
            for one in lags
        ],
    }  # fmt: skip


def _state(group: "Group", lang: str) -> str:
    return words.word(group.state, lang)


def _partitions(partitions: "Sequence[tuple[str, int]]") -> str:
    """``health.cases 0-3`` for each topic."""
    numbers: dict[str, list[int]] = {}
    for topic, number in partitions:
        numbers.setdefault(topic, []).append(number)
    return "\n".join(f"{topic} {_ranges(found)}" for topic, found in numbers.items())


def _ranges(numbers: "Sequence[int]") -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
