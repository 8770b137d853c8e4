"""Simulated desks: the same seed gives the same answers, in whatever order and after whatever restart."""

from collections import Counter
from typing import Any

from deptbus.envelope import Envelope
from deptbus.exercise.default_desk import DefaultDesk
from deptbus.exercise.desks import Answer, AnswerWith, Desks
from deptbus.exercise.draft import Draft
from deptbus.exercise.habits import HOUR_MS, MINUTE_MS, acts
from deptbus.exercise.scripted import ScriptedAnswer
from deptbus.ids import derived_id
from deptbus.record import Event, Record
from deptbus.schemas.store import load_schemas
from tests.workflow.world import ROOT

DEFAULT = DefaultDesk(load_schemas(ROOT), {})
START_MS = 1_579_449_600_000


def request(number: int = 0, **changes: Any) -> Event:
    """A ``workflow.TaskRequested``."""
    asked_ms = changes.get("requested_at", START_MS)
    task = {
        "task": derived_id("task", "test", "workflow.TaskRequested", "", number),
        "instance": "epidemic/440100/1",
        "workflow": "epidemic",
        "step": f"step_{number}",
        "department": "hospitals",
        "subject": "",
        "region": "440100",
        "level": "IV",
        "context": {},
        "basis": "a law",
        "requested_at": asked_ms,
        "acknowledge_by": asked_ms + 30 * MINUTE_MS,
        "complete_by": asked_ms + 4 * HOUR_MS,
        "completes_with": [],
        "attempt": 1,
        **changes,
    }
    event_id = derived_id(task["task"], "advance", "workflow.TaskRequested", "", task["attempt"])
    return event("workflow.TaskRequested", task, event_id)


def event(kind: str, data: dict[str, Any], event_id: str) -> Event:
    envelope = Envelope(id=event_id, type=kind, source="/bus/advance", time_ms=START_MS)
    return Event(envelope, data, Record("workflow.tasks", 0, 0, 0, None, None, []))


def desks_of(
    seed: int, answer_with: dict[str, AnswerWith] | None = None, script: tuple[ScriptedAnswer, ...] = ()
) -> Desks:
    return Desks(seed, DEFAULT, answer_with or {}, script)


def play(desks: Desks, until_ms: int = START_MS + 90 * HOUR_MS) -> list[Answer]:
    return [answer for end in range(START_MS + HOUR_MS, until_ms, HOUR_MS) for answer in desks.due(end)]


def said(answers: list[Answer]) -> list[tuple[str, int, str]]:
    return [(answer.draft.type, answer.at_ms, answer.id) for answer in answers]


def test_the_same_seed_gives_the_same_answers_in_any_order() -> None:
    requests = [request(number) for number in range(300)]
    one, other, third = desks_of(1), desks_of(1), desks_of(2)
    for each in requests:
        one.take(each)
        third.take(each)
    for each in reversed(requests):
        other.take(each)
    answers = said(play(one))
    assert answers == said(play(other))
    assert answers != said(play(third))
    assert one.next_at() is None


def test_answers_come_in_the_order_of_their_dates_and_only_when_due() -> None:
    desks = desks_of(1)
    for number in range(50):
        desks.take(request(number))
    first = desks.next_at()
    assert first is not None
    assert desks.due(first) == []
    answers = play(desks)
    assert [answer.at_ms for answer in answers] == sorted(answer.at_ms for answer in answers)
    assert answers[0].at_ms == first


def test_most_is_in_time_and_everything_else_happens_too() -> None:
    counts: Counter[str] = Counter()
    for number in range(4_000):
        task = request(number).data
        planned = acts(1, task, routine=False)
        kinds = [act.disposition for act in planned]
        if kinds == ["declined"]:
            counts["declined"] += 1
        elif planned[-1].at_ms > task["complete_by"] + 8 * HOUR_MS:
            counts["silent"] += 1
        elif planned[0].at_ms > task["acknowledge_by"]:
            counts["acknowledged late"] += 1
        elif planned[-1].at_ms > task["complete_by"]:
            counts["completed late"] += 1
        else:
            counts["in time"] += 1
    shares = {kind: count / 4_000 for kind, count in counts.items()}
    assert shares["in time"] > 0.7
    assert all(0.02 < shares[kind] < 0.11 for kind in shares if kind != "in time")
    assert len(shares) == 5


def test_from_the_third_attempt_on_everything_is_in_time() -> None:
    for number in range(1_000):
        task = request(number, attempt=3).data
        planned = acts(1, task, routine=False)
        assert planned[0].at_ms <= task["acknowledge_by"]
        assert planned[-1].disposition == "completed"
        assert planned[-1].at_ms <= task["complete_by"]


def test_what_is_asked_again_is_done_at_once() -> None:
    desks = desks_of(1)
    in_time = 0
    for number in range(200):
        asked_ms = START_MS + number * 4 * HOUR_MS
        desks.take(request(number, step="report_capacity", requested_at=asked_ms))
        answers = desks.due(asked_ms + 4 * HOUR_MS)
        in_time += bool(answers) and answers[-1].at_ms <= asked_ms + 50 * MINUTE_MS
    assert in_time > 180


def test_a_cancelled_task_is_not_answered() -> None:
    desks = desks_of(1)
    desks.take(request(1))
    desks.take(request(2))
    desks.take(event("workflow.TaskCancelled", {"task": request(1).data["task"]}, "c"))
    assert {answer.cause.envelope.id for answer in play(desks)} == {request(2).envelope.id}


def test_a_newer_request_of_a_task_replaces_the_older_one() -> None:
    desks = desks_of(1)
    desks.take(request(1))
    desks.take(request(1, attempt=2, requested_at=START_MS + HOUR_MS, department="police"))
    answers = play(desks)
    assert {answer.cause.data["attempt"] for answer in answers} == {2}
    assert {answer.draft.type for answer in answers} == {"police.TaskAnswered"}
    assert answers[-1].draft.data["task"] == request(1).data["task"]


def test_a_department_that_lost_a_task_does_not_answer_it() -> None:
    desks = desks_of(1)
    desks.take(request(1))
    lost = {"task": request(1).data["task"], "from_department": "hospitals", "to_department": "police"}
    desks.take(event("workflow.TaskReassigned", lost, "r"))
    assert play(desks) == []
    desks.take(request(2, department="police"))
    lost = {"task": request(2).data["task"], "from_department": "hospitals", "to_department": "police"}
    desks.take(event("workflow.TaskReassigned", lost, "s"))
    assert play(desks) != []


def test_a_restart_answers_what_was_open_under_the_same_ids() -> None:
    first, second = desks_of(1), desks_of(1)
    for number in range(100):
        first.take(request(number))
    before = first.due(START_MS + 2 * HOUR_MS)
    for number in range(100):  # the second reads everything again and drops what was due before
        second.take(request(number))
    assert said(second.due(START_MS + 2 * HOUR_MS)) == said(before)
    assert said(play(first)) == said(play(second))


def test_domain_events_complete_a_task_that_an_answer_cannot() -> None:
    def answer(task: dict[str, Any], draw: Any) -> list[Draft]:
        return [Draft("hospitals.CapacityUpdated", {"beds": draw.randrange(100)}, "x", "440100", "a law")]

    found: dict[str, AnswerWith] = {"hospitals": answer}
    takes = {"completes_with": ["hospitals.CapacityUpdated"], "attempt": 3}
    one, other = desks_of(1, found), desks_of(1, found)
    one.take(request(1, **takes))
    other.take(request(1, **takes))
    answers = play(one)
    assert [each.draft.type for each in answers if "TaskAnswered" not in each.draft.type] == [
        "hospitals.CapacityUpdated"
    ]
    assert all(each.draft.data.get("disposition") != "completed" for each in answers)
    assert [each.draft for each in answers] == [each.draft for each in play(other)]


def test_the_default_drafts_what_completes_a_task_of_a_department_without_a_desk() -> None:
    desks = desks_of(1)
    desks.take(request(1, attempt=3, department="fire", completes_with=["fire.PeopleRescued"]))
    (draft,) = [answer.draft for answer in play(desks) if answer.draft.type == "fire.PeopleRescued"]
    assert (draft.region, draft.basis, draft.data["region"]) == ("440100", "a law", "440100")


def test_who_has_no_event_of_his_own_that_completes_a_task_says_that_it_is_done() -> None:
    desks = desks_of(1)
    desks.take(request(1, attempt=3, department="police", completes_with=["fire.PeopleRescued"]))
    last = play(desks)[-1].draft
    assert (last.type, last.data["disposition"]) == ("police.TaskAnswered", "completed")


def rescued(desks: Desks) -> list[int]:
    return [answer.draft.data["people"] for answer in play(desks) if answer.draft.type == "fire.PeopleRescued"]


def test_an_officer_goes_by_the_newest_context() -> None:
    desks = desks_of(1)
    asked = request(1, attempt=3, department="fire", completes_with=["fire.PeopleRescued"], context={"people": "3"})
    desks.take(asked)
    moved = {"task": asked.data["task"], "context": {"people": "7"}}
    desks.take(event("workflow.TaskRetargeted", moved, "m"))
    assert rescued(desks) == [7]


def test_two_regions_of_one_step_do_not_go_the_same_way() -> None:
    one, other = request(1).data, request(1, region="440200").data
    assert acts(1, one, routine=False) != acts(1, other, routine=False)
    desks = desks_of(1)
    for number in range(40):
        desks.take(request(number, step="evacuate", region=f"44{number:04}"))
    assert len({answer.at_ms for answer in play(desks)}) > 40


def test_a_scenario_lays_down_when_and_how_a_task_is_answered() -> None:
    script = (
        ScriptedAnswer("rescue", region="440200", data={"people": 1}),
        ScriptedAnswer("rescue", after_ms=2 * HOUR_MS, says=("accepted", "committed"), data={"people": 40}),
    )
    desks = desks_of(1, script=script)
    desks.take(request(1, step="rescue", department="fire", completes_with=["fire.PeopleRescued"]))
    answers = play(desks)
    assert [answer.draft.data.get("disposition") for answer in answers] == [
        "acknowledged",
        "accepted",
        "committed",
        None,
    ]
    assert answers[-1].at_ms == START_MS + 2 * HOUR_MS
    assert answers[0].at_ms < answers[1].at_ms < answers[2].at_ms < START_MS + 30 * MINUTE_MS
    assert answers[-1].draft.data["people"] == 40
    assert len({answer.id for answer in answers}) == 4


def test_a_scenario_may_have_another_event_answer() -> None:
    script = (ScriptedAnswer("commit", type="emergency.ResourceDeclined", data={"reason": "none left"}),)
    desks = desks_of(1, script=script)
    takes = {"completes_with": ["emergency.ResourceCommitted"], "department": "emergency", "attempt": 3}
    desks.take(request(1, step="commit", **takes))
    declined = play(desks)[-1].draft
    assert (declined.type, declined.data["reason"]) == ("emergency.ResourceDeclined", "none left")


def test_a_scenario_changes_fields_of_what_a_department_s_own_desk_drafts() -> None:
    def answer(task: dict[str, Any], draw: Any) -> list[Draft]:
        return [Draft("fire.PeopleRescued", {"people": 2, "region": "440100"}, "x", "440100", "a law")]

    desks = desks_of(1, {"fire": answer}, (ScriptedAnswer("rescue", asked_before=START_MS + 1, data={"people": 9}),))
    for number, asked_ms in enumerate((START_MS, START_MS + HOUR_MS)):
        takes = {"completes_with": ["fire.PeopleRescued"], "department": "fire", "attempt": 3}
        desks.take(request(number, step="rescue", requested_at=asked_ms, **takes))
    assert sorted(rescued(desks)) == [2, 9]
