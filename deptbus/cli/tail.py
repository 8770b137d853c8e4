"""``deptbus tail``: the events of a topic, decoded, and those that come."""

import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.options import Departments, Instances, Operator, Regions, Since, Types, Until, Where
from deptbus.errors import SettingsError
from deptbus.operations.points import HELP

if TYPE_CHECKING:
    from deptbus.operations.filters import Filter
    from deptbus.operations.lines import Line
    from deptbus.operations.pace import Pace

LIMIT = 10
LIMIT_MAX = 1_000_000
RATE = 100
"""Events shown in a second while more are waited for: nobody reads faster, and a full topic is no flood."""
SLOWED = 1_000
"""After so many that had to wait, who follows is told."""
NOTES = {
    "bound": (
        "Only the newest 1,000,000 records were looked at; --from says where to begin.",
        "只查看了最新的1000000条记录；用 --from 指定起点。",
    ),
    "limit": ("It ended at the limit; --limit takes more.", "已到条数上限；用 --limit 增加条数。"),
    "none": ("There is no such event.", "没有符合条件的事件。"),
    "slowed": (
        "More events come than are shown in a second; they wait. --rate shows more at once.",
        "事件到达快于显示速度，其余在等待；用 --rate 提高速度。",
    ),
}
"""What there is to know besides the events, in English and Chinese."""
_DATA_CHARS_MAX = 300
_REACH_S = 5.0


def tail(
    topic: Annotated[str, typer.Argument(help="A topic's name, without the namespace's prefix.")],
    start: Annotated[
        str | None, typer.Option("--from", metavar="POINT", help=f"Where it begins: {HELP}. By default the newest.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="POINT", help="Where it ends: as --from. By default the end.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            max=LIMIT_MAX,
            help=f"How many: the newest, or with --from the first. By default {LIMIT}; with --from and --follow, all.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more, until Ctrl-C.")] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0, help=f"Events shown in a second at most, 0 for no bound. By default {RATE} with --follow."),
    ] = None,
    types: Types = None,
    departments: Departments = None,
    instances: Instances = None,
    regions: Regions = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    unmask: Annotated[
        str | None, typer.Option(metavar="REASON", help="Show personal data, too. Why; it goes on record.")
    ] = None,
    operator: Operator = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the newest events of a topic, decoded, or those from a point on; --follow waits for more.

    What the schemas mark as personal is shown as ***, unless --unmask says why it must be seen; that goes on record
    before anything is shown, with what was asked for.
    """  # fmt: skip
    from deptbus import bootstrap
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.kafka.configuration import reader_configuration
    from deptbus.kafka.log import KafkaLog
    from deptbus.kafka.reach import check_reachable
    from deptbus.operations.filters import read_filter
    from deptbus.operations.lines import Reader
    from deptbus.operations.pace import Pace
    from deptbus.operations.points import END, read_point
    from deptbus.operations.tailing import Source, Wanted, lines
    from deptbus.settings import Settings

    if follow and end is not None:
        raise SettingsError("--follow waits for what comes and has no end; leave --to out, or --follow.")
    if unmask is not None and not unmask.strip():
        raise SettingsError("--unmask takes the reason why personal data must be seen; it goes on record.")
    meant = read_filter(
        types=types or (), departments=departments or (), instances=instances or (), regions=regions or (),
        since=since, until=until, where=where or (),
    )  # fmt: skip
    wanted = Wanted(
        topic,
        read_point(start, "--from") if start else None,
        read_point(end, "--to") if end else END,
        limit or (None if start and follow else LIMIT),
        follow,
    )
    settings = Settings.load()
    catalogue = load_catalogue(settings.root, system_clock())
    declared = catalogue.topic(topic)
    check_reachable(settings, _REACH_S)
    configuration = reader_configuration(settings)
    log = KafkaLog(configuration, settings.world)
    try:
        with bootstrap.open_registry(settings) as registry:
            codec = bootstrap.load_codec(settings, catalogue, registry, declared.event_types)
            reader = Reader(
                codec, catalogue.schemas, bootstrap.learner(codec, registry),
                meant=meant, keyed_by_actor=declared.key == "actor", unmasked=unmask is not None,
            )  # fmt: skip
            reader.check(declared.event_types)
            source = Source(configuration, log, settings.world.physical(topic), reader.line)
            found = lines(source, wanted, system_clock(), lambda what: _note(what, settings.lang))
            pace = Pace((RATE if follow else 0) if rate is None else rate)
            if unmask is None:
                show_all(found, pace, as_json, settings.lang)
                return
            asked = {"from": start, "to": end, "limit": wanted.limit, "follow": follow, "filter": _told(meant)}
            with (
                bootstrap.open_auditor(settings, catalogue, operator=operator) as auditor,
                auditor.act("events.unmask", topic, unmask.strip(), asked) as act,
            ):
                act.detail(shown=show_all(found, pace, as_json, settings.lang))
    finally:
        log.close()


def _told(meant: "Filter") -> str | None:
    """A filter in words, for the record; of fields only which ones, for what they are held against may be personal."""
    told = {part.name: getattr(meant, part.name) for part in fields(meant)}
    told["where"] = [".".join(one.path) for one in meant.where]
    named = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in told.items() if value}
    return ", ".join(f"{name}={value}" for name, value in named.items()) or None


def show_all(lines: Iterator["Line"], pace: "Pace", as_json: bool, lang: str) -> int:
    """Show what comes, until it ends, Ctrl-C, or nobody reads any more; how many that were."""
    shown = slowed = 0
    try:
        for line in lines:
            slowed += pace.wait()
            if slowed == SLOWED:
                _note("slowed", lang)
            _show(line, as_json)
            shown += 1
        if not shown:
            _note("none", lang)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # as `| head` ends; what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return shown


def _note(what: str, lang: str) -> None:
    output.note(NOTES[what][lang == "zh"])


def _show(line: "Line", as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(line.as_json() + b"\n")
        sys.stdout.buffer.flush()
        return
    from rich.text import Text

    time, kind, key, subject, data = line.as_text()
    if output.out.is_terminal and len(data) > _DATA_CHARS_MAX:
        data = data[:_DATA_CHARS_MAX] + "…"
    keys = key if key == subject else f"{key} {subject}"
    text = Text.assemble((time, "dim"), " ", (kind, "bold cyan"), " ", (keys, "yellow"), " ", data)
    output.out.print(text, soft_wrap=True)
