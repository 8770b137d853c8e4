"""The after-action record as a spreadsheet and a page: whole, in two languages, harmless whatever an event says."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from deptbus.desk.afteraction import AfterAction
from services.dashboard.views import afteraction
from services.dashboard.views.chapters import Chapter, chapters
from services.dashboard.views.printed import POLICY, printed
from services.dashboard.views.spreadsheet import plain, spreadsheet
from tests.command.projecting import REGION, command_pack, record_of
from tests.workflow.world import HOUR, START, World, sample

HOSTILE = "=HYPERLINK(\"http://x\")<script>alert('x')</script>&\u202e"


def record(actor: str = "Li Wei") -> AfterAction:
    """An incident with a task done late, one that is overdue, an escalation and a closing."""
    world = World(command_pack())
    cases = "health.CasesConfirmed"
    world.publish(cases, sample(cases, region=REGION, count=10), at=START, region=REGION)
    (verify,) = [data for data in world.of_type("workflow.TaskRequested") if data["step"] == "verify"]
    world.tick(START + 2 * HOUR)
    world.answer(verify, "completed", at=START + 5 * HOUR, actor=actor)
    return record_of(world, START + 6 * HOUR)


def by_name(found: list[Chapter]) -> dict[str, Chapter]:
    return {chapter.name: chapter for chapter in found}


class Read(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("style", "src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_tasks_stand_beside_their_limits() -> None:
    tasks = by_name(chapters(record(), "exercise", "en"))["tasks"]
    rows = [dict(zip(tasks.columns, row, strict=True)) for row in tasks.rows]
    verify = next(row for row in rows if row["ended by"] == "Li Wei")
    assert (verify["acknowledge by"], verify["ended at"]) == ("2020-01-20 01:00:00", "2020-01-20 05:00:00")
    assert verify["acknowledged before limit (min)"] == -240
    assert verify["completed before limit (min)"] == -60
    assert (verify["outcome"], verify["late"]) == ("completed", "yes")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_row_has_a_cell_for_each_column(lang: Any) -> None:
    found = chapters(record(), "exercise", lang)
    assert {"summary", "chronology", "tasks", "resources", "levels", "escalations"} <= by_name(found).keys()
    assert all(len(row) == len(chapter.columns) for chapter in found for row in chapter.rows)
    titles = [chapter.title for chapter in found]
    assert titles[:3] == (["概要", "时间线", "任务与期限"] if lang == "zh" else [
        "Summary", "Chronology", "Tasks against their limits",
    ])  # fmt: skip
    assert len(by_name(found)["chronology"].rows) == len(record().timeline)


@pytest.mark.parametrize(
    ("lang", "reason"), [("zh", "按分级标准，数值 10 对应 III 级"), ("en", "the rule table gives III for 10")]
)
def test_why_a_level_was_given_is_said_in_the_readers_language(lang: Any, reason: str) -> None:
    levels = by_name(chapters(record(), "exercise", lang))["levels"]
    assert reason in {cell for row in levels.rows for cell in row}
    assert any(
        reason in str(cell) for row in by_name(chapters(record(), "exercise", lang))["chronology"].rows for cell in row
    )


def test_a_spreadsheet_reads_back_what_was_written() -> None:
    found = chapters(record(), "exercise", "zh")
    content = spreadsheet(found)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows.count([]) == len(found) - 1
    first = found[0]
    assert rows[0] == [first.title]
    assert rows[1] == list(first.columns)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", " =1", "\u3000=1"])
def test_no_text_is_computed(text: str) -> None:
    assert plain(text) == f"'{text}"
    chapter = Chapter("x", "x", ("a",), [(text,)])
    *_, row = csv.reader(io.StringIO(spreadsheet([chapter]).decode("utf-8-sig"), newline=""))
    assert row == [f"'{text}"]


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    assert [plain(cell) for cell in (-240, 1.5, None, "a-b", "2020-01-20", "a\0b")] == [
        -240, 1.5, None, "a-b", "2020-01-20", "a�b",
    ]  # fmt: skip


def test_a_page_holds_no_markup_of_an_event() -> None:
    hostile = record(HOSTILE)
    page = printed(HOSTILE, HOSTILE, chapters(hostile, "exercise", "en"), "en")
    read = Read(page)
    assert not {"script", "img", "iframe", "a", "link", "form", "object"} & set(read.tags)
    assert b"<script>alert" not in page
    assert "\u202e" not in page.decode()
    text = "".join(read.texts)
    assert text.count("<script>alert('x')</script>&") >= 4
    assert "default-src 'none'; style-src 'sha256-" in POLICY


def test_a_page_is_in_the_language_asked_for() -> None:
    page = printed("标题", None, chapters(record(), "actual", "zh"), "zh").decode()
    assert '<html lang="zh-CN">' in page
    assert "时间线" in page
    assert "签收期限" in page
    assert "banner" not in page.split("</style>")[1]


def test_the_record_as_a_file_names_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afteraction, "record_of", lambda look, person, instance: record())
    look: Any = SimpleNamespace(world=SimpleNamespace(mode="exercise", name="drill"))
    person: Any = None
    html = afteraction.after_action(look, person, "small/440100/1", "html", "en")
    assert (html.name, html.policy) == (None, POLICY)
    assert b"This is not actual life: namespace drill" in html.content
    saved = afteraction.after_action(look, person, "small/440100/1", "csv", "zh")
    assert saved.name == "after-action-small-440100-1.csv"
    told = afteraction.after_action(look, person, "small/440100/1", "json", "zh")
    assert (told.media_type, b'"mode": "exercise"' in told.content) == ("application/json", True)


def test_an_open_incident_without_a_definition_can_be_filed() -> None:
    bare = replace(record(), definition=None, snapshot=None)
    assert by_name(chapters(bare, "actual", "en"))["tasks"].rows
