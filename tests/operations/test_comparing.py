"""How a rehearsal is led and held against what happened, without a broker."""

from typing import Any

from deptbus.envelope import Envelope, from_headers
from deptbus.operations.comparing import compare
from deptbus.operations.outcomes import Outcomes
from deptbus.operations.rehearsal import Course, Leading, Led, Requests, Step, exercise_course, own_time, restamped
from deptbus.record import Record

NAME = "leak/a/1"
START = 1_579_536_000_000


def record(at: int, own: int | None = None, **headers: str) -> Record:
    given = {"ce_id": f"e{at}", "ce_mode": "actual", **headers}
    if own is not None:
        given["ce_time"] = f"2020-01-20T16:00:{own:02}.000Z"
    return Record("t", 0, at, START + at, b"k", b"v", [(name, text.encode()) for name, text in given.items()])


def test_an_event_of_actual_life_counts_at_the_brokers_time() -> None:
    course = Course(START, 60_000, START + 600_000, START + 660_000)
    given = record(1_500, 59, ce_causationid="c")
    envelope_of = dict(restamped(given, course, "r", causationid="d"))
    assert envelope_of["ce_time"] == b"2020-01-20T16:00:01.500Z"
    assert envelope_of["ce_originaltime"] == b"2020-01-20T16:00:59.000Z"
    assert (envelope_of["ce_mode"], envelope_of["ce_replayid"], envelope_of["ce_causationid"]) == (
        b"exercise", b"r", b"d",
    )  # fmt: skip
    assert course.played_at(START + 1_500, own_time(given)) == START + 1_500


def test_an_event_of_an_exercise_is_played_in_its_step_and_keeps_its_time() -> None:
    steps = (Step(START, START, START + 10_000), Step(START + 500, START + 20_000, START + 30_000))
    course = exercise_course(steps, START, None)
    answer, early = record(600, 5), record(499, 25)
    assert course.played_at(START + 600, own_time(answer)) == START + 20_000, "dated in a step before"
    assert course.played_at(START + 499, own_time(early)) == START + 20_000, "there a moment before the announcement"
    assert course.played_at(START + 499, own_time(record(499, 5))) == START
    assert dict(restamped(answer, course, "r"))["ce_time"] == b"2020-01-20T16:00:05.000Z"
    part = exercise_course(steps, START, START + 499)
    assert (part.until_ms, part.heard_until_ms) == (START + 10_000, START + 500), "what came later is not compared"


def request(task: str, step: str, **more: Any) -> dict[str, Any]:
    return {
        "task": task, "instance": NAME, "step": step, "subject": "", "region": "44", "attempt": 1,
        "department": "fire", "requested_at": START, "acknowledge_by": START + 1, "complete_by": START + 2, **more,
    }  # fmt: skip


def test_answers_are_led_to_the_same_request_whatever_its_id_is_now() -> None:
    then, now = Requests(), Requests()
    for requests, names in ((then, ("1", "2", "3")), (now, ("0", "1", "2"))):  # one output less came before
        requests.instance(NAME, "opener")
        for name, step in zip(names, ("rescue", "cordon", "cordon"), strict=True):
            requests.request(name, request(name, step))
    leading = Leading(then, now)
    assert leading.led("1") == Led("0", "0"), "1 is a cordon now"
    assert leading.led("2") == Led("2", "2")
    assert leading.request_of("3", None) == "3"
    assert leading.request_of(None, "2") == "2"
    assert leading.request_of("other", None) is None


def told(*given: tuple[str, dict[str, Any]]) -> Outcomes:
    outcomes = Outcomes()
    for number, (kind, data) in enumerate(given):
        outcomes.take(
            Envelope(f"i{number}", f"workflow.{kind}", "/bus/advance", START, causationid="opener"),
            {"instance": NAME, **data},
        )
    return outcomes


OPENED = ("InstanceOpened", {"cause": "opener"})


def line(kind: str, task: str | None = None, **detail: str) -> tuple[str, dict[str, Any]]:
    return "TimelineRecorded", {"kind": kind, "task": task, "at": START + 5, "detail": detail}


def kinds(then: Outcomes, now: Outcomes, tolerance_ms: int = 0) -> list[tuple[str, str | None]]:
    compared = compare(then, now, {"opener"}, tolerance_ms)
    return [(one.kind, one.task) for each in compared.instances for one in each.differences]


def test_what_came_out_the_same_has_no_differences() -> None:
    same = [OPENED, ("TaskRequested", request("1", "rescue")), line("acknowledged", "1"), line("closed")]
    assert kinds(told(*same), told(*same)) == []


def test_differences_of_tasks_are_told_by_their_places() -> None:
    escalated = ("TaskEscalated", {"task": "1", "missed": "complete_by", "to_department": "city"})
    then = told(
        OPENED, ("TaskRequested", request("1", "rescue")), escalated, line("acknowledged_late", "1"),
        line("completed", "1"), line("level", to_level="III"), line("closed"),
        ("TaskRequested", request("2", "cordon")),
    )  # fmt: skip
    now = told(
        OPENED, ("TaskRequested", request("9", "rescue", department="police", complete_by=START + 100)),
        line("acknowledged", "9"), ("TaskRequested", request("2", "evacuate")),
    )  # fmt: skip
    assert kinds(then, now) == [
        ("level", None), ("closed", None), ("department", "rescue 44"), ("complete_by", "rescue 44"),
        ("acknowledged", "rescue 44"), ("ended", "rescue 44"), ("escalations", "rescue 44"),
        ("asked", "cordon 44"), ("asked", "evacuate 44"),
    ]  # fmt: skip


def test_times_within_the_tolerance_are_the_same() -> None:
    then = told(OPENED, ("TaskRequested", request("1", "rescue")))
    now = told(OPENED, ("TaskRequested", request("1", "rescue", requested_at=START + 40)))
    assert kinds(then, now, 60) == []
    assert kinds(then, now, 39) == [("requested_at", "rescue 44")]


def test_what_opens_then_or_now_only_is_told_and_what_was_open_before_is_not_compared() -> None:
    assert kinds(told(OPENED), Outcomes()) == [("opened", None)]
    assert kinds(Outcomes(), told(OPENED)) == [("opened", None)]
    before = told(line("joined"))
    found = compare(before, told(OPENED), {"opener"}, 0)
    assert (found.instances, found.before) == ((), 1)


def test_an_escalation_that_was_withdrawn_does_not_count() -> None:
    escalated = ("TaskEscalated", {"task": "1", "missed": "complete_by", "to_department": "city"})
    withdrawn = ("EscalationWithdrawn", {"task": "1", "escalation": "i2"})
    asked = ("TaskRequested", request("1", "rescue"))
    assert kinds(told(OPENED, asked), told(OPENED, asked, escalated, withdrawn)) == []


def test_the_headers_of_a_rehearsed_event_are_an_envelope() -> None:
    given = record(1_500, 59, ce_specversion="1.0", ce_type="t", ce_source="/departments/d")
    envelope = from_headers(restamped(given, Course(START, 1, START, START), "r"))
    assert (envelope.mode, envelope.replayid, envelope.time_ms) == ("exercise", "r", START + 1_500)
