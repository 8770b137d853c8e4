"""``deptbus lag``: how far groups are behind, for how long still, and where they stand still."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deptbus.cli import output, showing, words

if TYPE_CHECKING:
    from deptbus.kafka.looks import Looker
    from deptbus.operations.lag import Lag
    from deptbus.settings import Settings

ALERT = 3
"""The exit code where a limit is exceeded or a partition stands still."""
EVERY_S = 2.0
_COLUMNS = ("group_topic", "unread", "waiting_committed", "reads_until", "state")


@dataclass(frozen=True, slots=True)
class _Shown:
    """How much of it is shown."""

    settings: "Settings"
    partitions: bool
    everything: bool
    form: Literal["people", "json", "prometheus"]

    def leaves_out(self, one: "Lag") -> bool:
        """Whether this is not worth a line."""
        return not (self.everything or one.events or one.alarming)


def lag(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]...", help="Only these groups; else all of the namespace.")
    ] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Only in this topic; repeat it.")] = None,
    partitions: Annotated[bool, typer.Option("--partitions", help="A line for each partition.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is caught up.")] = False,
    over: Annotated[
        list[str] | None,
        typer.Option(metavar="LIMIT", help="End with 3 where more EVENTS wait in a topic, or for longer: 1000, 5m."),
    ] = None,
    stuck_after: Annotated[
        str, typer.Option(metavar="TIME", help="How long a record waits before its partition counts as stuck.")
    ] = "30s",
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks; rates need two.")] = EVERY_S,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="As metrics lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show how far each group is behind: unread events, how long the first of them waits, when it catches up.

    Everything is read from the log when it is asked for. "At most" stands where events are too many to count, and
    transaction markers may be among them. Ends with 3 where a limit is exceeded or a partition stands still.
    """
    from deptbus.cli.alarms import alerts as alerts_of
    from deptbus.kafka.looks import Looker
    from deptbus.operations.lag import History, read_length, read_limit
    from deptbus.settings import Settings

    settings = Settings.load()
    judge = partial(alerts_of, limits=[read_limit(text) for text in over or ()], lang=settings.lang)
    history = History(read_length(stuck_after, "--stuck-after"))
    shown = _Shown(settings, partitions, everything, "prometheus" if prometheus else "json" if as_json else "people")
    looker = Looker(settings)
    try:
        looks = _looks(looker, history, groups or [], topic or [], every, None if watch else 2)
        if watch:
            alerts = _watch(looks, judge, shown)
        else:
            *_, lags = looks
            alerts = judge(lags)
            _tell(lags, alerts, shown)
    finally:
        looker.close()
    if alerts:
        raise typer.Exit(ALERT)


def _watch(looks: "Iterable[list[Lag]]", judge: "Callable[[list[Lag]], list[str]]", shown: "_Shown") -> list[str]:
    """Show each look, in place on a terminal, until Ctrl-C; what the last one calls attention to."""
    from rich.live import Live

    alerts: list[str] = []
    with suppress(KeyboardInterrupt), ExitStack() as held:
        in_place = shown.form == "people" and output.out.is_terminal
        live = held.enter_context(Live(console=output.out, auto_refresh=False)) if in_place else None
        for lags in looks:
            alerts = judge(lags)
            if live is None:
                _tell(lags, alerts, shown)
            else:
                live.update(_grid(lags, alerts, shown), refresh=True)
    return alerts


def _tell(lags: "list[Lag]", alerts: Sequence[str], shown: "_Shown") -> None:
    """One look, in the form that is asked for."""
    from deptbus.operations.lag import exposition

    if shown.form == "prometheus":
        typer.echo(exposition(lags), nl=False)
    elif shown.form == "json":
        output.json(_to_json(lags, alerts))
    else:
        _show(lags, shown)
        for alert in alerts:
            output.warning(alert)


def _looks(
    looker: "Looker", history: Any, groups: Sequence[str], topics: Sequence[str], every_s: float, count: int | None
) -> "Iterator[list[Lag]]":
    """So many looks, or looks without end, ``every_s`` apart; ``NotFound`` for what is not there."""
    from deptbus.errors import NotFound

    done = 0
    while True:
        started = time.monotonic()
        present = looker.names(jobs=bool(groups))
        if missing := [name for name in groups if name not in present]:
            raise NotFound(f"There is no group {missing[0]}; there are {', '.join(present) or 'none'}.")
        lags = history.add(looker.look(groups or present, topics))
        read = {one.topic for one in lags}
        if missing := [topic for topic in topics if topic not in read]:
            raise NotFound(f"None of these groups reads {missing[0]}; `deptbus groups list` shows what they read.")
        yield lags
        done += 1
        if done == count:
            return
        time.sleep(max(0.0, every_s - (time.monotonic() - started)))


def _show(lags: "list[Lag]", shown: "_Shown") -> None:
    lang = shown.settings.lang
    showing.banner(shown.settings)
    rows = list(_rows(lags, shown))
    if rows:
        showing.table("", _COLUMNS, rows, lang)
    for line in _left_out(lags, shown):
        output.out.print(line, markup=False, soft_wrap=True)
    if not lags:
        output.note("没有消费组读过任何主题。" if lang == "zh" else "No group reads anything yet.")


def _grid(lags: "list[Lag]", alerts: Sequence[str], shown: "_Shown") -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table(header_style="bold")
    for column in _COLUMNS:
        grid.add_column(words.word(column, shown.settings.lang), overflow="fold")
    for row in _rows(lags, shown):
        grid.add_row(*(words.cell(part) for part in row))
    return Group(grid, *map(Text, [*_left_out(lags, shown), *alerts]))


def _rows(lags: "Iterable[Lag]", shown: "_Shown") -> Iterator[tuple[str, ...]]:
    """Two lines each: what it is and what it comes to."""
    from deptbus.operations.lag import by_topic

    lang = shown.settings.lang
    for one in lags if shown.partitions else by_topic(lags):
        if shown.leaves_out(one):
            continue
        where = f"{one.topic}[{one.partitions[0]}]" if shown.partitions else one.topic
        committed = "-" if one.commit_age_ms is None else words.brief(one.commit_age_ms, lang)
        yield (
            f"{one.group}\n{where}",
            words.events(one.events, lang, exact=one.exact),
            f"{words.brief(one.waiting_ms, lang) if one.events else '-'}\n{committed}",
            f"{'-' if one.rate is None else f'{one.rate:,.0f}/s'}\n{_catch_up(one, lang)}",
            words.word(one.state.value, lang),
        )


def _left_out(lags: "Iterable[Lag]", shown: "_Shown") -> list[str]:
    """Of each group, how much of what it reads is caught up and not in the table."""
    from deptbus.operations.lag import by_topic

    counts = Counter(one.group for one in (lags if shown.partitions else by_topic(lags)) if shown.leaves_out(one))
    what = ("分区", "partitions") if shown.partitions else ("主题", "topics")
    return [
        f"{group}：{count} 个{what[0]}已跟上"
        if shown.settings.lang == "zh"
        else f"{group}: {count} {what[1]} caught up"
        for group, count in counts.items()
    ]


def _catch_up(one: "Lag", lang: str) -> str:
    if not one.events:
        return "-"
    if one.catch_up_s is None:
        return ("无法追上" if lang == "zh" else "never") if one.rate is not None else "-"
    return words.brief(round(one.catch_up_s * 1000), lang)


def _to_json(lags: "Iterable[Lag]", alerts: Sequence[str]) -> dict[str, Any]:
    rows = []
    for one in lags:
        row = asdict(one) | {"partition": one.partitions[0], "catch_up_s": one.catch_up_s, "state": one.state.value}
        del row["partitions"]
        rows.append(row)
    return {"lags": rows, "alerts": list(alerts)}
