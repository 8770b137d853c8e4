"""The after-action record of an incident as a file: JSON for programs, CSV for spreadsheets, HTML to print."""

import re
from typing import Literal, NamedTuple

import orjson

from deptbus.cli.words import title
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.views.chapters import Lang, chapters
from services.dashboard.views.incident import record_of
from services.dashboard.views.printed import POLICY, printed
from services.dashboard.views.spreadsheet import spreadsheet

Form = Literal["json", "csv", "html"]
FORMS: tuple[Form, ...] = ("json", "csv", "html")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class File(NamedTuple):
    """What is sent."""

    content: bytes
    media_type: str
    name: str | None
    """Under which it is saved; None for what is shown."""
    policy: str | None = None
    """Its Content-Security-Policy, where it needs one of its own."""


def after_action(look: Look, person: Person, instance: str, form: Form, lang: Lang) -> File:
    """The record so far. ``Missing``, also for who may not see it."""
    record = record_of(look, person, instance)
    world = look.world
    name = f"after-action-{_UNSAFE.sub('-', record.instance).strip('-')}"
    if form == "json":
        told = {**record.to_json(), "mode": world.mode, "namespace": world.name}
        return File(orjson.dumps(told, option=orjson.OPT_INDENT_2), "application/json", f"{name}.json")
    parts = chapters(record, world.mode, lang)
    if form == "csv":
        return File(spreadsheet(parts), "text/csv; charset=utf-8", f"{name}.csv")
    titles = title(record.definition.titles, lang) if record.definition else ""
    head = f"{'复盘记录：' if lang == 'zh' else 'After-action record: '}{record.instance} {titles}".strip()
    banner = None
    if world.mode != "actual":
        zh, en = f"这不是实际情况：命名空间 {world.name}", f"This is not actual life: namespace {world.name}"
        banner = zh if lang == "zh" else en
    return File(printed(head, banner, parts, lang), "text/html; charset=utf-8", None, POLICY)
