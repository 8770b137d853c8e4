"""``deptbus alerts``: which alerts of other systems are in force."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deptbus.cli import output

if TYPE_CHECKING:
    from deptbus.imports.cap.chains import Standing
    from deptbus.settings import Settings

_COLUMNS = {
    "en": ("sent", "identifier", "event", "colour", "severity", "where", "expires", "state"),
    "zh": ("发布时间", "编号", "事件", "颜色", "严重程度", "地区", "失效时间", "状态"),
}
_TITLES = {
    "en": {False: "Alerts in force", True: "All alerts"},
    "zh": {False: "生效中的预警", True: "全部预警"},
}
_STATES = {
    "en": {
        "in_force": "in force",
        "expired": "expired",
        "superseded": "superseded by {}",
        "cancelled": "cancelled by {}",
    },
    "zh": {"in_force": "生效", "expired": "过期", "superseded": "已被 {} 更新", "cancelled": "已被 {} 解除"},
}
_COLOURS = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}


def alerts(
    everything: Annotated[bool, typer.Option("--all", help="Also what is superseded, cancelled or expired.")] = False,
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code: alerts for it, or for a part of it.")] = None,
    at: Annotated[
        str | None, typer.Option(help="As of an RFC 3339 time; by default now, in an exercise its own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """The alerts that the warning release centre has received, as their Updates and Cancels leave them.

    It does not matter in which order these arrived. An alert without a code of GB/T 2260 has no region and is shown
    where none is asked for.
    """
    from deptbus.clock import from_iso
    from deptbus.errors import ActRefused
    from deptbus.imports.cap.chains import standings
    from deptbus.settings import Settings
    from deptbus.workflow.regions import overlap

    settings = Settings.load()
    try:
        now = _now(settings) if at is None else from_iso(at)
    except ValueError:
        raise ActRefused(f"{at!r} is no time; write it as 2020-01-24T09:00:00+08:00.") from None
    found = standings((alert for alert in _read(settings) if alert["sent_at"] <= now or at is None), now)
    shown = [
        one
        for one in found
        if (everything or one.state == "in_force")
        and (region is None or any(overlap(region, code) for code in one.alert["regions"].split()))
    ]
    if as_json:
        output.json([_data(one) for one in shown])
        return
    lang = settings.lang
    output.table(_TITLES[lang][everything], _COLUMNS[lang], [_row(one, lang) for one in shown])


def _now(settings: "Settings") -> int:
    """The present; in an exercise, how far its own time has come."""
    from deptbus.desk.reading import Reading

    with Reading(settings) as reading:
        return reading.board().now_ms


def _read(settings: "Settings") -> "list[dict[str, Any]]":
    """Every alert on the topic, oldest first."""
    from deptbus import bootstrap
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.imports.cap.alert import TYPE
    from deptbus.kafka.configuration import reader_configuration
    from deptbus.kafka.consumer import read_topic
    from deptbus.kafka.reach import check_reachable
    from deptbus.redriven import redriven_for

    check_reachable(settings, 5.0)
    catalogue = load_catalogue(settings.root, system_clock())
    topic = settings.world.physical(catalogue.topic_of(TYPE).name)
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry, {TYPE})
        records = read_topic(reader_configuration(settings), topic)
        return [codec.decode(record.value) for record in records if redriven_for(record.headers) is None]


def _data(one: "Standing") -> dict[str, Any]:
    return {"state": one.state, "by": one.by, "missing": list(one.missing), **one.alert}


def _row(one: "Standing", lang: str) -> tuple[object, ...]:
    from deptbus.cli.words import cell, moment
    from deptbus.imports.cap.chains import expires_at

    alert = one.alert
    colour = alert["colour"] or ""
    state = alert["message_type"] if one.state == "message" else _STATES[lang][one.state].format(one.by)
    if one.missing:
        state += ("\n未收到 " if lang == "zh" else "\nnot received: ") + ", ".join(one.missing)
    return (
        moment(alert["sent_at"]), cell(alert["identifier"]), cell(alert["headline"] or alert["event"]),
        _COLOURS.get(colour, "") if lang == "zh" else colour, cell(alert["severity"]), cell(_where(alert)),
        moment(expires_at(alert)), cell(state),
    )  # fmt: skip


def _where(alert: Any) -> str:
    from deptbus.imports.cap.regions import name_of

    codes = alert["regions"].split()
    if codes:
        return ", ".join(f"{name_of(code)} {code}" for code in codes)
    return ", ".join(dict.fromkeys(area["description"] for info in alert["infos"][:1] for area in info["areas"]))
