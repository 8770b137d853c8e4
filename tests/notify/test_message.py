"""Which event becomes which notification."""

import pytest

from deptbus.notify.config import EVENT_OF
from tests.notify.samples import EVERYTHING, channel, envelope, told
from tests.workflow.world import START

REQUESTED = "workflow.TaskRequested"
ESCALATED = "workflow.TaskEscalated"
EXERCISE = {"mode": "exercise"}


def test_a_request_is_told_in_both_languages_with_its_deadlines_and_its_data() -> None:
    said = told(
        channel(), REQUESTED, department="health", attempt=1, title_zh="核实病例", title_en="Verify the case",
        acknowledge_by=START, complete_by=START + 3_600_000, basis="条例第一条", level="II", subject="case-7",
    )  # fmt: skip
    assert said is not None
    content = said.content
    assert content["what"] == "task_requested"
    assert content["title"] == {"zh": "新任务：核实病例", "en": "New task: Verify the case"}
    assert "卫生健康部门" in content["text"]["zh"]
    assert "Health authority" in content["text"]["en"]
    assert "case-7" in content["text"]["en"]
    assert "2020-01-20 00:00" in content["text"]["en"]
    assert "条例第一条" in content["text"]["zh"]
    assert (content["instance"], content["level"], content["region"]) == ("epidemic/440100/1", "II", "440100")
    assert content["data"]["complete_by"] == START + 3_600_000
    assert said.id == envelope(REQUESTED).id == content["id"]


@pytest.mark.parametrize("what", EVERYTHING)
def test_everything_that_can_be_asked_for_is_worded(what: str) -> None:
    attempt = {"attempt": 2} if what == "task_requested_again" else {"attempt": 1} if what == "task_requested" else {}
    said = told(channel(concerns=["all"], what=[what]), EVENT_OF[what], **attempt)
    assert said is not None
    assert said.content["what"] == what
    for part in ("title", "text"):
        assert all(text and "{" not in text for text in said.content[part].values())


def test_a_request_that_is_repeated_is_another_thing_than_a_first_one() -> None:
    only_first = channel(what=["task_requested"])
    assert told(only_first, REQUESTED, department="health", attempt=1)
    assert told(only_first, REQUESTED, department="health", attempt=2) is None
    assert told(channel(what=["task_requested_again"]), REQUESTED, department="health", attempt=2)


def test_by_default_a_department_is_told_of_its_own_tasks_only() -> None:
    assert told(channel(), REQUESTED, department="police", attempt=1) is None
    assert told(channel(concerns=["all"]), REQUESTED, department="police", attempt=1)
    assert told(channel(), "workflow.TaskReassigned", from_department="health", to_department="police")
    assert told(channel(), "workflow.TaskReassigned", from_department="police", to_department="health")


def test_who_an_escalation_is_told_to_asks_for_what_is_told() -> None:
    late_police = {"department": "police", "to_department": "command", "missed": "complete_by"}
    assert told(channel("command"), ESCALATED, **late_police) is None
    assert told(channel("command", concerns=["told"]), ESCALATED, **late_police)
    assert told(channel("government", concerns=["told"]), ESCALATED, **late_police) is None
    assert told(channel("police"), ESCALATED, **late_police)
    withdrawn = {"department": "police", "to_department": "command"}
    assert told(channel("command", concerns=["told"]), "workflow.EscalationWithdrawn", **withdrawn)


def test_filters_leave_out_other_workflows_levels_and_regions() -> None:
    mine = {"department": "health", "missed": "complete_by"}
    assert told(channel(workflows=["flood"]), ESCALATED, level="II", **mine) is None
    assert told(channel(workflows=["epidemic"]), ESCALATED, level="II", **mine)
    assert told(channel(level_at_least="II"), ESCALATED, level="III", **mine) is None
    assert told(channel(level_at_least="II"), ESCALATED, level=None, **mine) is None
    assert told(channel(level_at_least="II"), ESCALATED, level="I", **mine)
    assert told(channel(level_at_least="II"), "workflow.LevelRaised", from_level="IV", to_level="II")
    assert told(channel(regions=["42", "4403"]), ESCALATED, level="II", **mine) is None
    assert told(channel(regions=["42", "4401"]), ESCALATED, level="II", **mine)


def test_an_exercise_is_silent_unless_it_is_named_and_says_what_it_is() -> None:
    def ask(to: object, namespace: str, mode: str) -> object:
        return told(to, REQUESTED, namespace=namespace, about={"mode": mode}, department="health", attempt=1)  # type: ignore[arg-type]

    named = channel(in_exercises=["drill"])
    assert ask(channel(), "drill", "exercise") is None
    assert ask(named, "other", "exercise") is None
    assert ask(named, "", "exercise") is None
    assert ask(named, "drill", "test") is None
    assert ask(named, "drill", "actual") is None
    assert ask(channel(in_tests=["drill"]), "drill", "test")
    said = told(named, REQUESTED, namespace="drill", about=EXERCISE, department="health", attempt=1)
    assert said is not None
    assert said.content["title"]["zh"].startswith("【演练】")
    assert said.content["text"]["en"].startswith("[Exercise]")
    assert said.content["namespace"] == "drill"


def test_an_exercise_and_actual_life_never_share_an_id() -> None:
    actual = told(channel(), REQUESTED, department="health", attempt=1)
    exercised = told(
        channel(in_exercises=["drill"]), REQUESTED, namespace="drill", about=EXERCISE, department="health", attempt=1
    )
    assert actual is not None
    assert exercised is not None
    assert exercised.id == f"drill/{actual.id}"


def test_what_is_replayed_is_silent_unless_that_replay_is_named() -> None:
    replayed = {"replayid": "audit-7"}
    mine = {"department": "health", "attempt": 1}
    assert told(channel(), REQUESTED, about=replayed, **mine) is None
    assert told(channel(in_replays=["audit-8"]), REQUESTED, about=replayed, **mine) is None
    said = told(channel(in_replays=["audit-7"]), REQUESTED, about=replayed, **mine)
    assert said is not None
    assert said.content["title"]["en"].startswith("[Replay]")
    assert said.id.endswith("/audit-7")
