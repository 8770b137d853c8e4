"""``deptbus replay``: past events once more: into a new topic or, approved by name, to those who read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import options, output, showing
from deptbus.cli.options import Departments, From, Instances, Json, Operator, Reason, Regions, Since, To, Types, Until
from deptbus.cli.progress import bar
from deptbus.cli.rehearsal import PER_S, drop, read_pack, rehearse
from deptbus.cli.signals import interrupted
from deptbus.errors import SettingsError

if TYPE_CHECKING:
    from deptbus.operations.replays import Counts, Replay, Target
    from deptbus.replaying import Found, Replays

PARTIAL = 3
"""The exit code of a replay that was stopped."""

app = typer.Typer(invoke_without_command=True)

_EPILOG = (
    "Examples: deptbus replay --topic health.cases --from 2020-01-24T08:00+08:00 --to-topic rerun --dry-run · "
    "deptbus replay --compare --pack services/workflows/epidemic"
)


@app.callback(epilog=_EPILOG)
def replay(
    context: typer.Context,
    topics: Annotated[
        list[str] | None, typer.Option("--topic", help="A topic whose events are meant; repeat it.")
    ] = None,
    start: From = "beginning",
    end: To = "end",
    types: Types = None,
    departments: Departments = None,
    instances: Instances = None,
    regions: Regions = None,
    since: Since = None,
    until: Until = None,
    where: options.Where = None,
    to_topic: Annotated[
        str | None, typer.Option(metavar="NAME", help="Into a new topic; of several, one behind it.")
    ] = None,
    rehearsal: Annotated[
        str | None, typer.Option(metavar="NAME", help="Into a fresh namespace with workers and instances of its own.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Rehearse, and show what comes out differently than it did.")
    ] = False,
    pack: Annotated[
        Path | None, typer.Option(metavar="FOLDER|FILE", help="A changed workflow, in place of the one in force.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Minutes of a rehearsal's step, of actual life 1.")] = None,
    live: Annotated[str | None, typer.Option(metavar="TOPIC", help="Into a topic that is read; approve it.")] = None,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="To one consumer group of the topics alone; approve it.")
    ] = None,
    approve: Annotated[
        str | None, typer.Option(metavar="NAME", help="Once more what is named, where others are told.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Events in a second at most; a rehearsal's default is 300.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be replayed, and do nothing.")] = False,
    reason: Reason = "",
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Deliver a stretch of past events again. Both ends are fixed before it begins, and it is put on record.

    --department without --topic means all topics of the department. Every event keeps its bytes and its id, and gets
    ce_replayid. Ctrl-C stops it; nothing is lost or written twice when it is resumed. At the end source and target are
    read again and compared. Ends with 1 where they differ, with 3 where it was stopped.

    A rehearsal plays what departments published; the bus's own outputs are made anew, at the times of then. --compare
    shows per instance what came out differently, also under a changed workflow (--pack), and ends with 3 where anything
    did; without --rehearsal its namespace is dropped at the end.
    """
    if context.invoked_subcommand is not None:
        return
    from deptbus.ids import random_id
    from deptbus.operations.points import END, read_point
    from deptbus.operations.replays import Choice
    from deptbus.replaying import plan

    replay_id = random_id()
    if (pack or step) and not (rehearsal or compare):
        raise SettingsError("--pack and --step belong to a rehearsal: --rehearsal NAME, or --compare.")
    keep = rehearsal is not None
    if compare and rehearsal is None:
        rehearsal = f"compare-{replay_id[-8:]}"
    if rehearsal is not None and rate is None:
        rate = PER_S
    target = _target({"topic": to_topic, "live": live, "group": group, "rehearsal": rehearsal}, approve)
    first, last = read_point(start, "--from"), read_point(end, "--to")
    within = tuple(departments or ()) if topics else ()
    choice = Choice(
        tuple(types or ()), within, tuple(instances or ()), tuple(regions or ()), since, until, tuple(where or ())
    )
    choice.filter()
    if target.kind in _READ and not (reason or dry_run):
        raise SettingsError("A replay to those who read needs a reason: --reason TEXT goes on record.")
    with _opened(operator) as replays:
        changed = None if pack is None else read_pack(replays.settings.root, replays.catalogue, pack)
        if target.kind == "rehearsal" and not (topics or departments):
            topics = replays.inputs(changed)
        named = replays.topics(topics or (), departments or ())
        ordered = plan(replay_id, target, replays.stretches(named, first, last), choice, rate)
        aimed = {"topic": replays.to_topic, "live": replays.to_live, "group": replays.to_group}
        if target.kind in aimed:
            ordered = aimed[target.kind](ordered)
        if dry_run:
            _count(replays, ordered, as_json=as_json)
            return
        if target.kind == "rehearsal":
            rehearse(
                replays, ordered, until_ms=replays.until(last), whole=last == END, step=step, pack=changed,
                comparing=compare, keep=keep, reason=reason or None, as_json=as_json,
            )  # fmt: skip
            return
        replays.start(ordered, reason or None)
        _do(replays, ordered, as_json=as_json)


@app.command(epilog="Example: deptbus replay resume 0195a1b2")
def resume(
    replay_id: Annotated[str, typer.Argument(metavar="ID", help="The replay's id, or its beginning.")],
    operator: Operator = None,
    as_json: Json = False,
) -> None:
    """Go on with a replay that was stopped or killed, from where it came to. Another process that does so is ended."""
    from deptbus.operations.replays import find

    with _opened(operator) as replays:
        known = replays.known()
        found = find(known, replay_id)
        _do(replays, replays.resume(found.replay.id, found), as_json=as_json)


@app.command("drop", epilog="Example: deptbus replay drop january")
def drop_rehearsal(
    name: Annotated[str, typer.Argument(help="The namespace of a rehearsal.")], operator: Operator = None
) -> None:
    """Drop a rehearsal's namespace whole: its topics, groups and instances."""
    with _opened(operator) as replays:
        drop(replays, name)
    output.note(f"{name} is dropped.")


@app.command("list", epilog="Example: deptbus replay list --json")
def show_list(as_json: Json = False) -> None:
    """Show every replay on record: what it is, how it stands, and how much of it is left."""
    from deptbus.clock import beijing, iso

    with _opened(None) as replays:
        known = list(replays.known().values())
        left = [replays.left(each.replay) if each.state in ("started", "stopped") else 0 for each in known]
        lang = replays.settings.lang
    if as_json:
        output.json([
            {**_told(each.replay), "state": each.state, "started": iso(each.started_ms), "operator": each.operator,
             "reason": each.reason, "left": rest}
            for each, rest in zip(known, left, strict=True)
        ])  # fmt: skip
        return
    words = _WORDS[lang]
    rows = [
        (
            each.replay.id, words[each.state], beijing(each.started_ms), each.operator,
            f"{words[each.replay.target.kind]} {each.replay.target.name}",
            ", ".join(stretch.topic for stretch in each.replay.stretches), each.replay.offsets, rest or "",
        )
        for each, rest in zip(known, left, strict=True)
    ]  # fmt: skip
    output.table("", words["columns"].split(","), rows)


def _target(named: "dict[str, str | None]", approve: str | None) -> "Target":
    """The one target that was named; one that is read must be named twice."""
    from deptbus.operations.replays import Target

    given = [(kind, name) for kind, name in named.items() if name is not None]
    if len(given) != 1:
        raise SettingsError(
            "Say where the events go, one of: --to-topic NAME, --rehearsal NAME, --group NAME, --live TOPIC."
        )
    ((kind, name),) = given
    if kind in _READ and approve != name:
        raise SettingsError(
            f"{'Subscribers of ' if kind == 'live' else 'The group '}{name} would get these events again. If that is "
            f"meant, approve it by name: --{kind} {name} --approve {name}."
        )
    if kind not in _READ and approve is not None:
        raise SettingsError("--approve belongs to --live and --group; nobody reads the other targets.")
    return Target(kind, name)  # type: ignore[arg-type]  # the names are those of its kinds


_READ = ("live", "group")


@contextmanager
def _opened(operator: str | None) -> "Iterator[Replays]":
    """The world's replays, and who acts."""
    from deptbus import bootstrap, failpoint
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.kafka.reach import check_reachable
    from deptbus.operations.background import in_background
    from deptbus.replaying import Replays, decoder
    from deptbus.settings import Settings

    settings = Settings.load()
    failpoint.arm(settings.failpoint)
    check_reachable(settings, _REACH_S)
    catalogue = load_catalogue(settings.root, system_clock())
    with in_background(), bootstrap.open_auditor(settings, catalogue, operator=operator) as auditor:
        replays = Replays(settings, catalogue, auditor, decoder(settings, catalogue), system_clock)
        try:
            yield replays
        finally:
            replays.close()


_REACH_S = 5.0


def _count(replays: "Replays", ordered: "Replay", *, as_json: bool) -> None:
    """Say what a replay would deliver, and to whom."""
    with bar(_WORDS[replays.settings.lang]["counting"], ordered.offsets) as progress:
        counts = replays.count(ordered, progress.to)
    readers = replays.readers(ordered)
    if as_json:
        output.json({**_told(ordered), **_counted(counts), "subscribers": readers})
        return
    lang = replays.settings.lang
    words = _WORDS[lang]
    showing.banner(replays.settings)
    rows = [
        (topic, kind, number, ordered.into.get(topic, "")) for (topic, kind), number in sorted(counts.events.items())
    ]
    output.table(words["would"].format(counts.total), words["counted"].split(","), rows)
    for reader in readers:
        output.out.print(f"{words['read_by']} {reader}", markup=False, soft_wrap=True)
    if not readers and ordered.target.kind == "rehearsal":
        output.out.print(words["own"], markup=False, soft_wrap=True)
    elif not readers:
        output.out.print(words["nobody"], markup=False, soft_wrap=True)


def _do(replays: "Replays", ordered: "Replay", *, as_json: bool) -> None:
    """Copy, read back, and say what came of it."""
    words = _WORDS[replays.settings.lang]
    output.note(words["begun"].format(id=ordered.id))
    with bar(words["replaying"], ordered.offsets) as progress, interrupted() as stopped:
        finished = replays.run(ordered, stopped, lambda come: progress.to(come.offsets))
    if not finished:
        left = replays.left(ordered)
        if as_json:
            output.json({**_told(ordered), "state": "stopped", "left": left})
        output.note(words["left"].format(id=ordered.id, left=left))
        raise typer.Exit(PARTIAL)
    with bar(words["reading"], 2 * ordered.offsets) as progress:
        found = replays.verify(ordered, progress.to)
    if as_json:
        state = "failed" if found.differences else "done"
        output.json({
            **_told(ordered), "state": state, "events": found.events, "differences": list(found.differences),
            "hashes": dict(found.hashes),
        })  # fmt: skip
    else:
        _say(found, ordered, words)
    if found.differences:
        raise typer.Exit(1)


def _say(found: "Found", ordered: "Replay", words: dict[str, str]) -> None:
    for difference in found.differences:
        output.error(difference)
    if not found.differences:
        into = ", ".join(dict.fromkeys(ordered.into.values()))
        output.out.print(words["equal"].format(events=found.events, into=into), markup=False, soft_wrap=True)


def _told(ordered: "Replay") -> dict[str, Any]:
    """A replay for programs."""
    return {
        "id": ordered.id,
        "target": {"kind": ordered.target.kind, "name": ordered.target.name},
        "into": dict(ordered.into),
        "stretches": {
            stretch.topic: {str(number): list(found) for number, found in stretch.ranges.items()}
            for stretch in ordered.stretches
        },
        "offsets": ordered.offsets,
    }


def _counted(counts: "Counts") -> dict[str, Any]:
    from deptbus.clock import iso

    by_topic: dict[str, dict[str, int]] = {}
    for (topic, kind), number in sorted(counts.events.items()):
        by_topic.setdefault(topic, {})[kind] = number
    return {
        "events": counts.total,
        "by_topic": by_topic,
        "first": None if counts.first_ms is None else iso(counts.first_ms),
        "last": None if counts.last_ms is None else iso(counts.last_ms),
    }


_WORDS = {
    "en": {
        "would": "{:,} events would be replayed", "counted": "topic,type,events,into", "read_by": "read by",
        "own": "Only the rehearsal's own workers read them.",
        "nobody": "Nobody reads the target: it is new.", "replaying": "replaying", "reading": "reading back",
        "begun": "Replay {id}; after a stop, go on with: deptbus replay resume {id}",
        "left": "Stopped with {left:,} offsets left; go on with: deptbus replay resume {id}",
        "equal": "{events:,} events are in {into}; read back, they are those of the source, in order.",
        "columns": "replay,state,began,operator,target,topics,offsets,left", "counting": "counting",
        "started": "begun", "stopped": "stopped", "done": "done", "failed": "failed",
        "topic": "new topic", "live": "live topic", "group": "group", "rehearsal": "rehearsal",
    },
    "zh": {
        "would": "将重放 {:,} 个事件", "counted": "主题,类型,事件数,写入", "read_by": "读取方",
        "own": "仅由复演自己的进程读取。",
        "nobody": "目标是新的，无人读取。", "replaying": "重放", "reading": "回读核对",
        "begun": "重放 {id}；中断后继续：deptbus replay resume {id}",
        "left": "已停止，剩余 {left:,} 个位置；继续：deptbus replay resume {id}",
        "equal": "{events:,} 个事件已写入 {into}；回读核对一致，次序相同。",
        "columns": "重放,状态,开始,操作人,目标,主题,位置数,剩余", "counting": "计数",
        "started": "已开始", "stopped": "已停止", "done": "已完成", "failed": "失败",
        "topic": "新主题", "live": "在用主题", "group": "消费组", "rehearsal": "复演",
    },
}  # fmt: skip
