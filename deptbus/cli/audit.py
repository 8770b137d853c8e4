"""``deptbus audit``: who did what to the bus, and whether its records are whole."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from deptbus.cli import output
from deptbus.cli.options import Json, Since, Until

if TYPE_CHECKING:
    from deptbus.operations.acts import Audited
    from deptbus.operations.audit import Auditor
    from deptbus.operations.trail import Trail
    from deptbus.settings import Settings

app = typer.Typer(
    help="The audit: who did what to the bus, and why.", no_args_is_help=True, rich_markup_mode="rich"
)  # fmt: skip
WRONG = 3
"""The exit code of ``verify`` where something is wrong."""
LIMIT = 50
_EVERYTHING = 1 << 62
_REACH_S = 3.0


@app.command("list", epilog="Example: deptbus audit list --act packs --since 2020-01-24T00:00+08:00")
def list_acts(
    act: Annotated[
        list[str] | None, typer.Option(metavar="ACT", help="Only this: topics.apply, or topics for all; repeat it.")
    ] = None,
    operator: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only by this operator; repeat it.")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only done to this; repeat it.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The newest so many.")] = LIMIT,
    as_json: Json = False,
) -> None:
    """List acts, oldest first. One without an end on record goes on, or was killed."""
    from deptbus.operations.filters import read_filter
    from deptbus.operations.trail import Wanted

    of_time = read_filter(since=since, until=until)
    wanted = Wanted(frozenset(act or ()), frozenset(operator or ()), frozenset(target or ()))
    settings, found = _trails(lambda act: wanted.holds(act) and of_time.envelope(act.envelope), limit)
    if as_json:
        output.json([trail.to_data() for trail in found])
        return
    zh = settings.lang == "zh"
    columns = _COLUMNS_ZH if zh else _COLUMNS
    output.table("", columns, [_row(trail, zh) for trail in found])
    if not found:
        output.note("没有符合条件的审计记录。" if zh else "No act on record is meant.")


@app.command(epilog="Example: deptbus audit show 41")
def show(
    which: Annotated[str, typer.Argument(metavar="NUMBER", help="Its number in the chain, or its event id.")],
    as_json: Json = False,
) -> None:
    """Show one act whole: who, what, why, particulars, and its records in the chain."""
    from deptbus.errors import NotFound

    settings, found = _trails(lambda act: True, _EVERYTHING)
    meant = [
        trail for trail in found
        if which in {mark for record in trail.records for mark in (str(record.head.number), record.envelope.id)}
    ]  # fmt: skip
    if not meant:
        raise NotFound(f"No act has the number or id {which}; `deptbus audit list` shows them.")
    if as_json:
        output.json(meant[-1].to_data())
    else:
        _show(meant[-1], settings.lang == "zh")


@app.command(epilog="Example: deptbus audit verify --head $(cat kept-elsewhere.txt)")
def verify(
    head: Annotated[
        str | None, typer.Option(metavar="NUMBER:HASH", help="A head that was kept elsewhere: the log must hold it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find what was changed, taken out, exchanged or cut off, and tell the chain's head.

    Held against the heads that this machine has seen. Keep the head that it tells in another's hands: only so a cut or
    a change by who can write the whole log is found. Ends with 3 where something is wrong.
    """
    from deptbus import bootstrap
    from deptbus.operations import verifying
    from deptbus.operations.chain import read_head

    given = [read_head(head)] if head is not None else []
    settings, auditor = _open()
    with auditor:
        found = verifying.verify(auditor, bootstrap.open_heads(settings), given, actual=not settings.namespace)
    zh = settings.lang == "zh"
    if as_json:
        output.json(
            {
                "whole": not found.found, "acts": found.acts, "head": str(found.head) if found.acts else None,
                "findings": [
                    {"code": finding.code, "offset": finding.offset} | finding.message._asdict()
                    for finding in found.findings
                ],
                "found": found.found,
            }
        )  # fmt: skip
    else:
        for finding in found.findings:
            output.error(finding.message.in_(settings.lang))
        more = found.found - len(found.findings)
        if more:
            output.note(f"另有 {more} 处。" if zh else f"And {more} more.")
        if not found.found:
            output.note(
                f"审计日志完整：{found.acts} 条记录。" if zh else f"The audit is whole: {found.acts} records."
            )  # fmt: skip
        if found.acts:
            output.out.print(f"{'链头' if zh else 'head'} {found.head}", markup=False, soft_wrap=True)
    if found.found:
        raise typer.Exit(WRONG)


def _open() -> "tuple[Settings, Auditor]":
    from deptbus import bootstrap
    from deptbus.kafka.reach import check_reachable
    from deptbus.settings import Settings

    settings = Settings.load()
    check_reachable(settings, _REACH_S)
    return settings, bootstrap.open_auditor(settings)


def _trails(wanted: "Callable[[Audited], bool]", limit: int) -> "tuple[Settings, list[Trail]]":
    from deptbus.operations.acts import Audited
    from deptbus.operations.trail import trails

    settings, auditor = _open()
    with auditor:
        return settings, trails((act for act in auditor.acts() if isinstance(act, Audited)), wanted, limit)


_COLUMNS = ("number", "when", "act", "target", "operator", "outcome", "reason")
_COLUMNS_ZH = ("编号", "时间", "操作", "对象", "操作员", "结果", "原因")
_OUTCOMES_ZH = {"started": "未结束", "done": "完成", "failed": "失败"}
_OUTCOMES = {"started": "no end"}
_NAMES_ZH = {
    "act": "操作", "target": "对象", "operator": "操作员", "account": "系统账号", "source": "来源", "reason": "原因",
    "basis": "依据", "outcome": "结果", "time": "开始", "end_time": "结束",
}  # fmt: skip


def _row(trail: "Trail", zh: bool) -> tuple[str, ...]:
    from deptbus.cli.words import cell, moment

    start = trail.start
    return (
        str(start.head.number), moment(start.envelope.time_ms), cell(start.data["act"]), cell(start.data["target"]),
        cell(start.data["operator"]), _outcome(trail, zh), cell(start.data["reason"]),
    )  # fmt: skip


def _outcome(trail: "Trail", zh: bool) -> str:
    return (_OUTCOMES_ZH if zh else _OUTCOMES).get(trail.outcome, trail.outcome)


def _show(trail: "Trail", zh: bool) -> None:
    data = trail.to_data() | {"outcome": _outcome(trail, zh)}
    for name in ("act", "target", "operator", "account", "source", "reason", "basis", "outcome", "time", "end_time"):
        if data[name] is not None:
            _line(f"{_NAMES_ZH[name] if zh else name.replace('_', ' ')}: {data[name]}")
    for name, value in data["detail"].items():
        _line(f"  {name}: {value}")
    for record in data["records"]:
        _line(
            f"第 {record['number']} 号（位移 {record['offset']}）：{record['hash']}" if zh
            else f"number {record['number']} at offset {record['offset']}: {record['hash']}"
        )  # fmt: skip


def _line(text: str) -> None:
    shown = "".join(character if character.isprintable() else "�" for character in text)
    output.out.print(shown, markup=False, soft_wrap=True)
