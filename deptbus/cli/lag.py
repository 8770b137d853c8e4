"""``deptbus lag``: how far groups are behind, for how long still, and where they stand still."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output, showing, words

if TYPE_CHECKING:
    from deptbus.kafka.looks import Looker
    from deptbus.operations.lag import Lag
    from deptbus.settings import Settings

ALERT = 3
"""The exit code where a limit is exceeded or a partition stands still."""
EVERY_S = 2.0
_COLUMNS = ("group_topic", "unread", "waiting", "committed_ago", "reads", "caught_up_in", "state")


def lag(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]...", help="Only these groups; else all of the namespace.")
    ] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Only in this topic; repeat it.")] = None,
    partitions: Annotated[bool, typer.Option("--partitions", help="A line for each partition.")] = False,
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
    limits = [read_limit(text) for text in over or ()]
    history = History(read_length(stuck_after, "--stuck-after"))
    alerts: list[str] = []
    looker = Looker(settings)
    try:
        looks = _looks(looker, history, groups or [], topic or [], every, None if watch else 2)
        with suppress(KeyboardInterrupt):  # which is how --watch ends
            for lags in looks if not watch else _following(looks, settings, partitions, as_json or prometheus):
                alerts = alerts_of(lags, limits, settings.lang)
                if watch:
                    _tell(lags, alerts, prometheus, as_json)
        if not watch:
            if not (prometheus or as_json):
                _show(lags, settings, partitions)
            _tell(lags, alerts, prometheus, as_json)
    finally:
        looker.close()
    if not (as_json or prometheus):
        for alert in alerts:
            output.warning(alert)
    if alerts:
        raise typer.Exit(ALERT)


def _tell(lags: "list[Lag]", alerts: Sequence[str], prometheus: bool, as_json: bool) -> None:
    """One look for programs."""
    from deptbus.operations.lag import exposition

    if prometheus:
        typer.echo(exposition(lags), nl=False)
    elif as_json:
        output.json(_to_json(lags, alerts))


def _looks(
    looker: "Looker", history: Any, groups: Sequence[str], topics: Sequence[str], every_s: float, count: int | None
) -> "Iterator[list[Lag]]":
    """So many looks, or looks without end, ``every_s`` apart; ``NotFound`` for what is not there."""
    from deptbus.errors import NotFound

    done = 0
    while True:
        started = time.monotonic()
        present = looker.names()
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


def _following(
    looks: "Iterator[list[Lag]]", settings: "Settings", partitions: bool, quiet: bool
) -> "Iterator[list[Lag]]":
    """Show each look: in place on a terminal, else as one block after another; ``quiet`` shows nothing."""
    from rich.live import Live

    if quiet:
        yield from looks
        return
    if not output.out.is_terminal:
        for lags in looks:
            _show(lags, settings, partitions)
            yield lags
        return
    with Live(console=output.out, auto_refresh=False) as live:
        for lags in looks:
            live.update(_grid(lags, settings, partitions), refresh=True)
            yield lags


def _show(lags: "list[Lag]", settings: "Settings", partitions: bool) -> None:
    showing.banner(settings)
    if not lags:
        output.note("没有消费组读过任何主题。" if settings.lang == "zh" else "No group reads anything yet.")
        return
    showing.table("", _COLUMNS, _rows(lags, settings.lang, partitions), settings.lang)


def _grid(lags: "list[Lag]", settings: "Settings", partitions: bool) -> Any:
    from rich.table import Table

    grid = Table(header_style="bold")
    for column in _COLUMNS:
        grid.add_column(words.word(column, settings.lang), overflow="fold")
    for row in _rows(lags, settings.lang, partitions):
        grid.add_row(*(words.cell(part) for part in row))
    return grid


def _rows(lags: "Iterable[Lag]", lang: str, partitions: bool) -> Iterator[tuple[str, ...]]:
    from deptbus.operations.lag import by_topic

    for one in lags if partitions else by_topic(lags):
        where = f"{one.topic}[{one.partitions[0]}]" if partitions else one.topic
        yield (
            f"{one.group}\n{where}",
            words.events(one.events, lang, exact=one.exact),
            words.brief(one.waiting_ms, lang) if one.events else "",
            "" if one.commit_age_ms is None else words.brief(one.commit_age_ms, lang),
            "" if one.rate is None else f"{one.rate:,.0f}/s",
            _catch_up(one, lang),
            words.word(one.state.value, lang),
        )


def _catch_up(one: "Lag", lang: str) -> str:
    if not one.events:
        return ""
    if one.catch_up_s is None:
        return ("无法追上" if lang == "zh" else "never") if one.rate is not None else ""
    return words.brief(round(one.catch_up_s * 1000), lang)


def _to_json(lags: "Iterable[Lag]", alerts: Sequence[str]) -> dict[str, Any]:
    rows = []
    for one in lags:
        row = asdict(one) | {"partition": one.partitions[0], "catch_up_s": one.catch_up_s, "state": one.state.value}
        del row["partitions"]
        rows.append(row)
    return {"lags": rows, "alerts": list(alerts)}
