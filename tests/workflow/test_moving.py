"""What a dry run tells of a move: tasks, timers, facts, ladders, what follows, and what forbids it."""

from typing import Any

import pytest

from deptbus.cli.workflows.moves import show
from deptbus.settings import Settings
from deptbus.workflow.activation import Ordered, migration_entry
from deptbus.workflow.migration import preview
from deptbus.workflow.moving import told
from tests.workflow.definitions import CASES, line, small, step
from tests.workflow.test_migration import cases, instance
from tests.workflow.world import HOUR, START, World

QUIET = {"timer": "quiet", "after": "1h", "basis": "law 6"}
OLD: dict[str, Any] = {
    "rules": [CASES | {"restart": ["quiet"]}],
    "timers": [QUIET],
    "steps": [step("verify"), step("again", "rule:cases", every="5h")],
}
LADDER = [{"at": "acknowledge_by", "to": "police"}, {"at": "complete_by", "to": "upper_government"}]
FACTS = {"cases": {"type": "int", "initial": 0}, "quiet": {"type": "bool", "initial": False}}
NEW: dict[str, Any] = OLD | {
    "version": 2,
    "timers": [QUIET | {"after": "2h"}],
    "steps": [step("verify", complete_by="6h"), step("again", "rule:cases", every="7h"), step("more", "level")],
    "facts": FACTS | {"more": {"type": "int", "initial": 7}},
    "escalate": LADDER,
    "level": {"of": "facts.cases", "rows": [{"at_least": 1, "gives": "IV"}], "basis": "law 5"},
    "responsibilities": [
        line("health_authority", "police"), line("command_post", "command"), line("upper_government", "government"),
        line("police", "police"),
    ],
}  # fmt: skip


def report(**new: Any) -> dict[str, Any]:
    old, after = small(**OLD), small(**(NEW | new))
    world = World(old)
    cases(world, 1, START)
    entry = migration_entry(after, instance(world), Ordered("", "", ""), "", START + 1)
    return told(preview(old, after, instance(world), entry), old, after)


def test_a_dry_run_tells_what_becomes_of_open_tasks() -> None:
    verify, again = report()["tasks"]
    assert verify["complete_by"] == {"old": START + 4 * HOUR, "new": START + 6 * HOUR}
    assert verify["acknowledge_by"] == {"old": START + HOUR, "new": START + HOUR}
    assert (verify["department"], verify["would_be_asked_now"]["department"]) == ("health", "police")
    assert (again["step"], again["ends"]) == ("again", False)


def test_a_dry_run_tells_of_timers_facts_and_ladders() -> None:
    found = report()
    assert found["timers"] == [
        {"timer": "quiet", "due": START + HOUR, "after": {"old": "1h", "new": "2h"}},
        {"timer": "repeat_again", "due": START + 5 * HOUR, "after": {"old": "5h", "new": "7h"}},
    ]
    assert found["facts_added"] == {"more": 7}
    assert [ladder["step"] for ladder in found["ladders"]] == ["again", "verify"]
    assert (
        found["ladders"][0]["changes"][0]["en"] == "rung 1: acknowledge_by to command_post → acknowledge_by to police"
    )


def test_a_dry_run_tells_what_follows_at_once() -> None:
    assert [(each["kind"], each["rule"]) for each in report()["follows"]] == [
        ("level", None),
        ("task_requested", "more"),
    ]
    ended = report(closes="facts.cases > 0")
    assert all(task["ends"] for task in ended["tasks"])
    assert ended["follows"][-1]["kind"] == "closed"


def test_a_dry_run_tells_what_forbids_the_move() -> None:
    found = report(steps=[step("other")])
    assert (found["tasks"], found["follows"]) == ([], [])
    (why,) = found["refused"]
    assert "it has open tasks of the step again" in why


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["by the new version", "timer quiet stays due 2020-01-20 01:00; from its next start 1h → 2h",
                "new fact more = 7", "→ 2020-01-20 06:00", "at once: level"]),
        ("zh", ["新版本的责任单位", "定时 quiet 仍于 2020-01-20 01:00 到时，下次启动按 2h（原 1h）",
                "新增事实 more = 7", "随即: 响应级别"]),
    ],
)  # fmt: skip
def test_a_report_is_told_in_two_languages(lang: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    show(Settings.load(lang=lang), report())
    said = capsys.readouterr().out
    assert [word for word in words if word not in said] == []
